"""Garbage and crowds: the storefront answers as the vendor would, and loses nothing."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.storefront.calls import authorise, available, locations, place, stock

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

API = "/admin/api/2026-07"
HEADERS = {"X-Shopify-Access-Token": "shpat_handoff"}
JSON = {**HEADERS, "Content-Type": "application/json"}

REQUESTS = [
    ("GET", "/", b"", {}),
    ("GET", "/admin/api/2026-07/nope.json", b"", {}),
    ("GET", "/admin/api/2026-07/orders", b"", {}),
    ("GET", f"{API}/orders/abc.json", b"", {}),
    ("GET", f"{API}/orders/{'9' * 19}.json", b"", {}),
    ("GET", f"{API}/orders/{'9' * 5000}.json", b"", {}),
    ("GET", f"{API}/orders/-1.json", b"", {}),
    ("GET", f"{API}/orders/%00.json", b"", {}),
    ("GET", f"{API}/orders/%ff%fe.json", b"", {}),
    ("GET", f"{API}/../../etc/passwd", b"", {}),
    ("DELETE", f"{API}/orders.json", b"", {}),
    ("PATCH", f"{API}/orders/1.json", b"{}", {}),
    ("OPTIONS", f"{API}/orders.json", b"", {}),
    ("HEAD", f"{API}/orders.json", b"", {}),
    ("BREW", f"{API}/orders.json", b"", {}),
    ("POST", f"{API}/orders.json", b"", {}),
    ("POST", f"{API}/orders.json", b"{", {}),
    ("POST", f"{API}/orders.json", b"null", {}),
    ("POST", f"{API}/orders.json", b'"order"', {}),
    ("POST", f"{API}/orders.json", b"\xff\xfe\x00", {}),
    pytest.param("POST", f"{API}/orders.json", b"[" * 200_000, {}, id="list-deep"),
    pytest.param("POST", f"{API}/orders.json", b'{"order":' * 20_000, {}, id="object-deep"),
    ("POST", f"{API}/orders.json", b'{"order":{"line_items":[{"title":"x","quantity":1' + b"0" * 6000 + b"}]}}", {}),
    ("POST", f"{API}/orders.json", b'{"order":{"line_items":[{"title":"\\ud800"}]}}', {}),
    ("POST", f"{API}/orders.json", b'{"order":{"line_items":[{"title":"x","price":NaN}]}}', {}),
    ("POST", f"{API}/orders.json", b"order[note]=x", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("POST", f"{API}/orders.json", b"<order/>", {"Content-Type": "text/xml"}),
    ("PUT", f"{API}/orders/1.json", b"{}", {}),
    ("POST", f"{API}/orders/1/cancel.json", b"[]", {}),
    ("GET", f"{API}/orders.json?limit=%00&since_id=%ff", b"", {}),
    ("GET", f"{API}/orders.json?page_info=%F0%9F%A6%84", b"", {}),
    ("GET", f"{API}/orders.json?updated_at_min=0000-01-01T00:00:00", b"", {}),
    ("GET", f"{API}/orders.json?{'a=1&' * 2000}status=lost", b"", {}),
    ("POST", f"{API}/webhooks.json", b'{"webhook":{"topic":{},"address":[]}}', {}),
    ("POST", f"{API}/webhooks.json", b'{"webhook":{"topic":"orders/create","address":"http://[::1"}}', {}),
    ("DELETE", f"{API}/webhooks/1.json", b"", {}),
    ("POST", f"{API}/orders/1/transactions.json", b"{}", {}),
    ("POST", f"{API}/orders/1/refunds.json", b'{"refund":[]}', {}),
    ("POST", f"{API}/orders/1/fulfillments.json", b'{"fulfillment":{}}', {}),
    ("POST", f"{API}/fulfillments.json", b"null", {}),
    ("POST", f"{API}/fulfillments.json", b'{"fulfillment":{"line_items_by_fulfillment_order":{"0":1}}}', {}),
    ("POST", f"{API}/fulfillments/{'9' * 5000}/cancel.json", b"", {}),
    ("POST", f"{API}/fulfillment_orders/1/hold.json", b"[]", {}),
    ("POST", f"{API}/inventory_levels/set.json", b"[]", {}),
    ("POST", f"{API}/inventory_levels/set.json", b'{"inventory_item_id":1' + b"0" * 4000 + b',"location_id":1}', {}),
    ("POST", f"{API}/inventory_levels/adjust.json", b"", {}),
    ("DELETE", f"{API}/inventory_levels.json?inventory_item_id=%00", b"", {}),
    ("GET", f"{API}/inventory_levels.json?inventory_item_ids=,", b"", {}),
    ("GET", f"{API}/inventory_items.json", b"", {}),
    ("GET", f"{API}/products.json?page_info=eyJmaWx0ZXJzIjp7fSwic3RhcnQiOi0xfQ", b"", {}),
    ("GET", f"{API}/locations/{'9' * 19}.json", b"", {}),
    ("GET", f"{API}/shop.json", b"", {"X-Shopify-Access-Token": "ü".encode()}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), REQUESTS)
def test_garbage_is_refused_in_the_vendors_shape(
    storefront: RunningFake, method: str, path: str, body: bytes, headers: dict[str, Any]
) -> None:
    """Whatever is wrong with a request, the answer is a 4xx with the vendor's error body."""
    answer = storefront.client.request(method, path, content=body, headers={**JSON, **headers})
    assert 400 <= answer.status_code < 500
    if method != "HEAD":
        assert list(answer.json()) == ["errors"]
    assert storefront.journal("change") == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["line_items", "note", "tags", "customer", "email", "financial_status", "currency", "note_attributes"]
orders = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values))


@given(body=json_values | orders.map(lambda order: {"order": order}), query=st.text(max_size=30))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_breaks_it(storefront: RunningFake, body: Any, query: str) -> None:
    """No JSON body and no query makes the storefront fail."""
    storefront.seed(settings={"bucket": 40})
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    made = storefront.client.post(f"{API}/orders.json", content=content, headers=JSON)
    changed = storefront.client.put(f"{API}/orders/1.json", content=content, headers=JSON)
    params = {"status": "any", "since_id": query, "order": query, "page_info": query}
    listed = [storefront.client.get(f"{API}/orders.json", params={k: v}, headers=HEADERS) for k, v in params.items()]
    assert max(answer.status_code for answer in [made, changed, *listed]) < 500


@given(body=json_values)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_breaks_what_comes_after_an_order(storefront: RunningFake, body: Any) -> None:
    """No JSON, whole or in any field, makes transactions, refunds, fulfilments or stock fail."""
    storefront.seed(settings={"bucket": 100})
    order, item = place(storefront), stock(storefront)
    request, place_id = order["aliases"][0], locations(storefront)["MAIN"]
    attempts = {
        f"/orders/{order['id']}/transactions.json": [{"transaction": {"kind": "capture", "amount": body}}],
        f"/orders/{order['id']}/cancel.json": [{"reason": body, "amount": body}],
        f"/orders/{order['id']}/refunds.json": [
            {"refund": {"note": body, "refund_line_items": body, "transactions": body}},
            {"refund": {"transactions": [{"kind": "refund", "amount": body, "parent_id": body}]}},
        ],
        "/fulfillments.json": [
            {"fulfillment": {"line_items_by_fulfillment_order": body}},
            {
                "fulfillment": {
                    "line_items_by_fulfillment_order": [
                        {"fulfillment_order_id": request, "fulfillment_order_line_items": body}
                    ],
                    "tracking_info": body,
                }
            },
        ],
        f"/fulfillment_orders/{request}/hold.json": [{"fulfillment_hold": {"reason": "other", "reason_notes": body}}],
        "/inventory_levels/set.json": [
            {"inventory_item_id": body, "location_id": place_id, "available": 1},
            {"inventory_item_id": item, "location_id": body, "available": 1},
            {"inventory_item_id": item, "location_id": place_id, "available": body},
        ],
    }
    for path, given_bodies in attempts.items():
        for value in [body, *given_bodies]:
            content = json.dumps(value).encode("utf-8", "surrogatepass")
            answer = storefront.client.post(f"{API}{path}", content=content, headers=JSON)
            assert answer.status_code < 500, (path, value)


def call_at_once(storefront: RunningFake, count: int, path: str, body: Any) -> list[int]:
    """Post the same body so many times at once and return the statuses in order."""
    barrier = threading.Barrier(count)

    def work(_: int) -> int:
        with httpx2.Client(base_url=storefront.url, headers=JSON, timeout=60) as client:
            barrier.wait()
            return client.post(f"{API}{path}", json=body).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(work, range(count)))


def test_thirty_captures_at_once_take_the_money_once(storefront: RunningFake) -> None:
    """Of thirty full captures of one payment exactly one is made, the others are refused."""
    storefront.seed(settings={"bucket": 1000})
    order = authorise(storefront)
    body = {"transaction": {"kind": "capture", "amount": "20.00"}}
    assert call_at_once(storefront, 30, f"/orders/{order['id']}/transactions.json", body) == [201] + [422] * 29
    assert [one["kind"] for one in storefront.state("transactions")] == ["authorization", "capture"]


def test_thirty_fulfilments_at_once_send_an_order_once(storefront: RunningFake) -> None:
    """Of thirty fulfillments of one order exactly one is made, the others are refused."""
    storefront.seed(settings={"bucket": 1000})
    order = place(storefront)
    rows = [{"fulfillment_order_id": int(order["aliases"][0])}]
    body = {"fulfillment": {"line_items_by_fulfillment_order": rows}}
    assert call_at_once(storefront, 30, "/fulfillments.json", body) == [201] + [422] * 29
    assert len(storefront.state("fulfillments")) == 1


def test_a_crowd_over_the_whole_chain_loses_and_doubles_nothing(storefront: RunningFake) -> None:
    """500 mixed calls about money, parcels and stock at once: none fails, each has its effect exactly once."""
    storefront.seed(settings={"bucket": 10_000})
    item, main = stock(storefront, "SKU1", MAIN=1000), locations(storefront)["MAIN"]
    lines = [{"sku": "SKU1", "price": "5.00"}]
    reserved = storefront.act("reserve-orders", count=60, lines=lines)["orders"]
    storefront.act(
        "attach-payments", payments=[{"order_id": one["id"], "authorization": f"pi_{one['id']}"} for one in reserved]
    )
    orders = storefront.act("place-order", reserved=[one["id"] for one in reserved])["orders"]
    shares = [orders[start::10] for start in range(10)]

    def work(share: list[dict[str, Any]]) -> list[int]:
        statuses = []
        with httpx2.Client(base_url=f"{storefront.url}{API}", headers=JSON, timeout=60) as client:
            for order in share:
                url = f"/orders/{order['id']}"
                capture = {"transaction": {"kind": "capture", "amount": "5.00"}}
                rows = [{"fulfillment_order_id": int(order["aliases"][0])}]
                refund = {"refund": {"transactions": [{"kind": "refund", "amount": "1.00"}]}}
                adjust = {"inventory_item_id": int(item), "location_id": main, "available_adjustment": -1}
                for path, body in (
                    (f"{url}/transactions.json", capture),
                    ("/fulfillments.json", {"fulfillment": {"line_items_by_fulfillment_order": rows}}),
                    (f"{url}/refunds.json", refund),
                    ("/inventory_levels/adjust.json", adjust),
                ):
                    statuses.append(client.post(path, json=body).status_code)
                reads = (f"{url}.json", f"{url}/transactions.json", f"{url}/fulfillment_orders.json", "/products.json")
                statuses += [client.get(path).status_code for path in reads]
            reads = ["/locations.json", f"/inventory_levels.json?inventory_item_ids={item}"]
            statuses += [client.get(path).status_code for path in reads]
        return statuses

    already = len(storefront.journal("exchange"))
    with ThreadPoolExecutor(10) as pool:
        statuses = [status for some in pool.map(work, shares) for status in some]
    assert len(statuses) == 500
    assert {*statuses} == {200, 201}
    assert len(storefront.journal("exchange")) == already + 500
    kinds = Counter(one["kind"] for one in storefront.state("transactions"))
    assert kinds == {"authorization": 60, "capture": 60, "refund": 60}
    assert len(storefront.state("refunds")) == len(storefront.state("fulfillments")) == 60
    assert {one["financial_status"] for one in storefront.state("orders")} == {"partially_refunded"}
    assert {one["fulfillment_status"] for one in storefront.state("orders")} == {"fulfilled"}
    assert available(storefront) == {"MAIN": 1000 - 60 - 60}
    told = [entry for entry in storefront.journal("exchange") if entry["operation"] == "fulfillment.create"]
    assert {entry["entity"] for entry in told} == {order["name"] for order in orders}


def test_a_crowd_loses_and_doubles_nothing(storefront: RunningFake) -> None:
    """Of 500 mixed calls at once each has its effect exactly once, and each is in the journal once."""
    storefront.seed(settings={"bucket": 10_000})
    made: list[str] = []
    failures: list[str] = []

    def work(worker: int) -> None:
        with httpx2.Client(base_url=storefront.url, headers=JSON, timeout=60) as client:
            for i in range(10):
                draft = {"order": {"line_items": [{"title": f"{worker}-{i}", "quantity": 1, "price": "1.00"}]}}
                order = client.post(f"{API}/orders.json", json=draft).json()["order"]
                made.append(order["name"])
                url = f"{API}/orders/{order['id']}.json"
                client.put(url, json={"order": {"note": f"{worker}-{i}"}})
                if client.get(url).json()["order"]["note"] != order["line_items"][0]["title"]:
                    failures.append(order["name"])
                client.get(f"{API}/orders.json", params={"limit": 1})
                client.post(url.replace(".json", "/close.json"))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    records = storefront.state("orders")
    assert len(records) == len(set(made)) == 100
    assert {record["name"] for record in records} == set(made)
    exchanges = storefront.journal("exchange")
    assert len(exchanges) == len({entry["id"] for entry in exchanges}) == 500
    entries = [entry for entry in storefront.journal("change") if entry["collection"] == "orders"]
    changes = [(entry["entity"], entry["action"]) for entry in entries]
    assert len(changes) == 300
    assert sum(action == "created" for _, action in changes) == 100
