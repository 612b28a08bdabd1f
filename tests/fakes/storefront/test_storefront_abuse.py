"""Garbage and crowds: the storefront answers as the vendor would, and loses nothing."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    ("POST", f"{API}/orders.json", b"[" * 200_000, {}),
    ("POST", f"{API}/orders.json", b'{"order":' * 20_000, {}),
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
