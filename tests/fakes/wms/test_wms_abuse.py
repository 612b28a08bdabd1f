"""Garbage and crowds: the warehouse refuses in its own words, and loses nothing."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.wms.conftest import HEADERS

if TYPE_CHECKING:
    from tests.fakes.wms.conftest import Wms

JSON = {**HEADERS, "Content-Type": "application/json"}

REQUESTS = [
    ("GET", "/", b"", 404),
    ("GET", "/nope", b"", 404),
    ("GET", "/orders/", b"", 404),
    ("GET", "/orders/%00", b"", 404),
    ("GET", "/orders/%ff%fe", b"", 404),
    ("GET", f"/orders/{'9' * 64}", b"", 404),
    ("GET", f"/orders/{'9' * 5000}", b"", 404),
    ("GET", "/orders/../../etc/passwd", b"", 404),
    ("DELETE", "/orders", b"", 405),
    ("PATCH", "/orders/x", b"{}", 405),
    ("PUT", "/inventory", b"{}", 405),
    ("OPTIONS", "/orders", b"", 405),
    ("BREW", "/orders", b"", 400),
    ("POST", "/openapi.json", b"", 405),
    ("POST", "/orders", b"", 400),
    ("POST", "/orders", b"{", 400),
    ("POST", "/orders", b"null", 400),
    ("POST", "/orders", b"[]", 400),
    ("POST", "/orders", b'"order"', 400),
    ("POST", "/orders", b"\xff\xfe\x00", 400),
    pytest.param("POST", "/orders", b"[" * 200_000, 400, id="list-deep"),
    pytest.param("POST", "/orders", b'{"reference":' * 20_000, 400, id="object-deep"),
    ("POST", "/orders", b'{"reference":"1","lines":[{"sku":"A","quantity":1' + b"0" * 6000 + b"}]}", 400),
    ("POST", "/orders", b'{"reference":"\\ud800","lines":[{"sku":"A","quantity":1}]}', 400),
    ("POST", "/orders", b'{"reference":"1","lines":[{"sku":"A","quantity":NaN}]}', 400),
    ("POST", "/orders", b'{"reference":"1","lines":[{"sku":"A","quantity":1}],"ship_to":{"x":1e999}}', 422),
    ("POST", "/orders", b'{"reference":"1","lines":[{"sku":"A","quantity":1}],"ship_to":{"x":{}}}', 422),
    ("POST", "/webhooks", b'{"url":{},"topics":{}}', 422),
    ("GET", "/orders?limit=%00&cursor=%ff", b"", 422),
    ("GET", "/orders?cursor=%F0%9F%A6%84", b"", 422),
    ("GET", "/orders?cursor=" + "cjk5" * 2000, b"", 422),
    ("GET", "/orders?updated_since=0000-01-01T00:00:00", b"", 422),
    ("GET", "/orders?updated_since=1e400", b"", 422),
    ("GET", f"/orders?{'a=1&' * 2000}status=lost", b"", 422),
    ("GET", "/inventory?location=%2e%2e", b"", 422),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
def test_garbage_is_refused(wms: Wms, method: str, path: str, body: bytes, status: int) -> None:
    """Whatever is wrong with a request, the answer is a 4xx problem, and nothing is written."""
    answer = wms.client.request(method, path, content=body, headers=JSON)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert wms.fake.journal("change") == []


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1764000000", "-1", "0001-01-01"]
)
def test_moments_at_the_edge_of_time_are_moments(wms: Wms, moment: str) -> None:
    """The first and last moments there are break nothing."""
    wms.create()
    assert wms.client.get("/orders", params={"updated_since": moment}).status_code in {200, 422}


def test_a_header_of_anything_is_no_token(wms: Wms) -> None:
    """Bytes that are no text do not make a token."""
    answer = wms.client.get("/orders", headers={"Authorization": "Bearer ü".encode()})
    assert answer.status_code == 401
    assert wms.client.head("/orders").status_code == 405


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "reference": st.text(max_size=5) | json_values,
        "lines": st.lists(
            st.fixed_dictionaries({}, optional={"sku": st.text(max_size=3), "quantity": st.integers(0, 3)})
        )
        | json_values,
        "location": st.sampled_from(["MAIN", "EAST"]) | json_values,
        "ship_to": st.dictionaries(st.text(max_size=3), json_values, max_size=3) | json_values,
        "reason": json_values,
        "url": st.just("http://127.0.0.1:1/") | json_values,
        "topics": st.lists(st.sampled_from(["order.shipped", "x"])) | json_values,
    },
)


@given(body=json_values | bodies, query=st.text(max_size=30))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_breaks_it(wms: Wms, body: Any, query: str) -> None:
    """No JSON body and no query makes the warehouse fail, and every answer is one the document knows."""
    wms.fake.reset()
    order = wms.create("held")
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    for path in ("/orders", f"/orders/{order['id']}/allocations", f"/orders/{order['id']}/cancel", "/webhooks"):
        assert wms.client.post(path, content=content, headers=JSON).status_code < 500
    for name in ("reference", "status", "updated_since", "cursor", "limit", "location", "sku"):
        for path in ("/orders", "/inventory"):
            assert wms.client.get(path, params={name: query}).status_code < 500
    wms.check_sums()


@given(
    body=json_values | st.dictionaries(st.sampled_from(["entity", "order_id", "lines", "sku", "delta"]), json_values)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_breaks_its_verbs(wms: Wms, body: Any) -> None:
    """No JSON body makes a verb of the control plane fail."""
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    for verb in wms.fake.control.get("/catalogue").json()["acts"]:
        assert wms.fake.control.post(f"/act/{verb}", content=content).status_code < 500


def test_one_reference_makes_one_order(wms: Wms) -> None:
    """Of 30 creates at once under one reference one is taken in; all others name it."""
    wms.fill(100, 0)

    def send(_: int) -> dict[str, Any]:
        with wms.open_client() as client:
            body = {"reference": "411001", "lines": [{"sku": "TEE", "quantity": 2}]}
            answer = client.post("/orders", json=body)
            return {"status": answer.status_code, **answer.json()}

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(send, range(30)))
    [order] = wms.fake.state("orders")
    made = [one for one in answers if "code" not in one]
    assert [one["id"] for one in made] == [order["id"]]
    assert {(one["code"], one["order_id"]) for one in answers if one not in made} == {
        ("duplicate_reference", order["id"])
    }
    assert wms.stock()["allocated"] == 2
    wms.check_sums()


def test_a_crowd_loses_and_doubles_nothing(wms: Wms) -> None:
    """500 mixed calls at once, with shipping meanwhile: each has its effect once, and the stock of every item adds up."""
    wms.fake.seed(settings={"requests_per_min": 1_000_000})
    items = ("TEE", "MUG", "CAP")
    for sku in items:
        wms.fill(60, 40, sku=sku)

    def work(worker: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        with wms.open_client() as client:
            for i in range(10):
                lines = [{"sku": items[(worker + i) % 3], "quantity": 2}, {"sku": items[i % 3], "quantity": 1}]
                answers = [client.post("/orders", json={"reference": f"{worker}-{i}", "lines": lines})]
                order = f"/orders/{answers[0].json()['id']}"
                answers.append(client.post(f"{order}/allocations", json={"location": "EAST"}))
                if i % 4 == 3:
                    answers.append(client.post(f"{order}/cancel"))
                elif i % 2:
                    wms.fake.control.post("/act/ship", json={"entity": f"{worker}-{i}"})
                    answers.append(client.get(order))
                else:
                    answers.append(client.get(order))
                answers.append(client.get("/inventory", params={"limit": "3"}))
                answers.append(client.get("/orders", params={"reference": f"{worker}-{i}"}))
                assert len(answers[-1].json()["orders"]) == 1
                seen.update(answer.status_code for answer in answers)
        return seen

    with ThreadPoolExecutor(10) as pool:
        statuses = sum(pool.map(work, range(10)), Counter())
    assert statuses.total() == 500
    assert set(statuses) <= {200, 201, 409}
    assert statuses[201] == 100
    orders = wms.fake.state("orders")
    assert {one["reference"] for one in orders} == {f"{worker}-{i}" for worker in range(10) for i in range(10)}
    assert len(orders) == 100
    assert sum(one["status"] == "cancelled" for one in orders) == 20
    wms.check_sums()
    exchanges = wms.fake.journal("exchange")
    assert len(exchanges) == len({entry["id"] for entry in exchanges}) == 500
    changed = Counter(entry["record_id"] for entry in wms.fake.journal("change") if entry["action"] == "created")
    assert set(changed.values()) == {1}
