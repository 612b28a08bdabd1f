"""Orders over REST: versions, lists, filters, limits, and what the control plane makes of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.conftest import RunningFake

API = "/admin/api/2026-07"
HEADERS = {"X-Shopify-Access-Token": "shpat_handoff"}
DRAFT = {"order": {"line_items": [{"title": "Mug", "sku": "MUG", "quantity": 1, "price": "12.50"}]}}


def get(fake: RunningFake, path: str, **query: Any) -> httpx2.Response:
    """Return an answer of the Admin API."""
    return fake.client.get(f"{API}{path}", params=query, headers=HEADERS)


def names(answer: httpx2.Response) -> list[str]:
    """Return the names of the orders in a list."""
    assert answer.status_code == 200, answer.text
    return [order["name"] for order in answer.json()["orders"]]


def place(fake: RunningFake, count: int = 1, **params: Any) -> list[dict[str, Any]]:
    """Place orders and return their id, name and number."""
    return fake.act("place-order", count=count, **params)["orders"]


def test_no_token_no_answer(storefront: RunningFake) -> None:
    """Without the right token every call is refused in the vendor's words."""
    for headers in ({}, {"X-Shopify-Access-Token": "nope"}, {"Authorization": "Bearer shpat_handoff"}):
        answer = storefront.client.get(f"{API}/orders.json", headers=headers)
        expected = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        assert (answer.status_code, answer.json()) == (401, {"errors": expected})


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/admin/api/2026-07", "2026-07"),
        ("/admin/api/2026-10", "2026-10"),
        ("/admin/api/2020-01", "2025-10"),
        ("/admin/api/unstable", "unstable"),
        ("/admin", "2025-10"),
    ],
)
def test_expired_versions_fall_forward(storefront: RunningFake, asked: str, served: str) -> None:
    """A version past its time is served by the oldest supported one, and the answer says so."""
    answer = storefront.client.get(f"{asked}/shop.json", headers=HEADERS)
    assert (answer.status_code, answer.headers["X-Shopify-API-Version"]) == (200, served)
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("version", ["2026-05", "2031-01", "latest", "20266-07", "2026-7"])
def test_a_version_that_never_was_is_not_found(storefront: RunningFake, version: str) -> None:
    """There is nothing under a version nobody released."""
    assert storefront.client.get(f"/admin/api/{version}/shop.json", headers=HEADERS).status_code == 404


def test_an_order_is_its_own_entity(storefront: RunningFake) -> None:
    """A created order is known by its name from its first call on; reading it later is about it too."""
    order = storefront.client.post(f"{API}/orders.json", json=DRAFT, headers=HEADERS).json()["order"]
    get(storefront, f"/orders/{order['id']}.json")
    get(storefront, "/orders.json")
    seen = [(e["operation"], e["entity"], e["shared"]) for e in storefront.journal("exchange")]
    assert seen == [
        ("order.create", order["name"], False),
        ("order.read", order["name"], False),
        ("order.list", None, True),
    ]
    changes = [(e["collection"], e["action"], e["entity"]) for e in storefront.journal("change")]
    assert changes == [
        (collection, "created", order["name"]) for collection in ("orders", "transactions", "fulfillment_orders")
    ]


def test_the_list_shows_open_orders_newest_first(storefront: RunningFake) -> None:
    """Cancelled and closed orders show only when asked for."""
    first, second, third = place(storefront, 3)
    storefront.act("cancel-order", id=second["id"])
    storefront.client.post(f"{API}/orders/{first['id']}/close.json", headers=HEADERS)
    assert names(get(storefront, "/orders.json")) == [third["name"]]
    assert names(get(storefront, "/orders.json", status="cancelled")) == [second["name"]]
    assert names(get(storefront, "/orders.json", status="closed")) == [first["name"]]
    assert names(get(storefront, "/orders.json", status="any")) == [one["name"] for one in (third, second, first)]
    assert get(storefront, "/orders/count.json").json() == {"count": 3}
    assert get(storefront, "/orders/count.json", status="open").json() == {"count": 1}


def test_since_id_walks_up(storefront: RunningFake) -> None:
    """``since_id`` answers later orders in the order of their ids, page by page."""
    placed = place(storefront, 5)
    answer = get(storefront, "/orders.json", since_id=placed[0]["id"], limit=2)
    assert names(answer) == [placed[1]["name"], placed[2]["name"]]
    following = storefront.client.get(answer.links["next"]["url"], headers=HEADERS)
    assert names(following) == [placed[3]["name"], placed[4]["name"]]
    assert "next" not in following.links


def test_updated_at_min_finds_what_changed(storefront: RunningFake) -> None:
    """Reconciliation sees an order at and after the second it changed, and not beyond."""
    placed = place(storefront, 2)
    changed = storefront.act("update-order", id=placed[0]["id"], note="x")["order"]
    stamp = get(storefront, f"/orders/{changed['id']}.json").json()["order"]["updated_at"]
    found = names(get(storefront, "/orders.json", updated_at_min=stamp, order="updated_at desc", status="any"))
    assert found[0] == changed["name"]
    ahead = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 60))
    assert names(get(storefront, "/orders.json", updated_at_min=ahead)) == []
    assert len(names(get(storefront, "/orders.json", created_at_min="2020-01-01T00:00:00-05:00"))) == 2
    assert len(names(get(storefront, "/orders.json", created_at_max="2020-01-01"))) == 0


def test_filters_narrow_the_list(storefront: RunningFake) -> None:
    """Ids, name, statuses and fields each narrow what is shown."""
    one, two = place(storefront, 2)
    place(storefront, financial_status="authorized")
    assert names(get(storefront, "/orders.json", ids=f"{one['id']},{two['id']}")) == [two["name"], one["name"]]
    assert names(get(storefront, "/orders.json", name=one["name"])) == [one["name"]]
    assert len(names(get(storefront, "/orders.json", financial_status="authorized"))) == 1
    assert names(get(storefront, "/orders.json", fulfillment_status="shipped")) == []
    answer = get(storefront, "/orders.json", fields="id,name", limit=1).json()["orders"]
    assert set(answer[0]) == {"id", "name"}


def test_pages_survive_new_orders(storefront: RunningFake) -> None:
    """Orders that come in between move no order from one page to another."""
    placed = [order["name"] for order in place(storefront, 4)]
    first = get(storefront, "/orders.json", limit=2)
    place(storefront, 3)
    second = storefront.client.get(first.links["next"]["url"], headers=HEADERS)
    assert names(first) + names(second) == placed[::-1]


def test_links_are_absolute_and_carry_the_filters(storefront: RunningFake) -> None:
    """The next page is found under a whole URL that needs nothing added."""
    place(storefront, 3, financial_status="authorized")
    place(storefront, 3)
    answer = get(storefront, "/orders.json", limit=2, financial_status="authorized")
    url = answer.links["next"]["url"]
    assert url.startswith(f"{storefront.url}{API}/orders.json?")
    assert len(names(storefront.client.get(url, headers=HEADERS))) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page_info": "x"}, "page_info"),
        ({"page_info": "bm9wZQ"}, "page_info"),
        ({"page_info": "eyJlZGdlIjpbMV19", "limit": 1}, "page_info"),
        ({"page_info": "x", "status": "any"}, "page_info"),
        ({"page": "2"}, "page"),
        ({"limit": "many"}, "limit"),
        ({"since_id": "x"}, "since_id"),
        ({"since_id": "9" * 30}, "since_id"),
        ({"ids": "1,x"}, "ids"),
        ({"status": "lost"}, "status"),
        ({"order": "price desc"}, "order"),
        ({"updated_at_min": "yesterday"}, "updated_at_min"),
    ],
)
def test_a_bad_query_is_refused(storefront: RunningFake, query: dict[str, Any], field: str) -> None:
    """What cannot be understood in a query is a 400 that names the field."""
    answer = get(storefront, "/orders.json", **query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"order": []}, 400),
        ({"order": {}}, 422),
        ({"order": {"line_items": "x"}}, 422),
        ({"order": {"line_items": [7]}}, 422),
        ({"order": {"line_items": [{"title": "x", "quantity": 0}]}}, 422),
        ({"order": {"line_items": [{"title": "x", "quantity": True}]}}, 422),
        ({"order": {"line_items": [{"title": "x", "price": "dear"}]}}, 422),
        ({"order": {"line_items": [{"title": "x", "price": 1e300}]}}, 422),
        ({"order": {"line_items": [{"quantity": 1}]}}, 422),
        ({"order": {**DRAFT["order"], "financial_status": ["paid"]}}, 422),
        ({"order": {**DRAFT["order"], "currency": "euros"}}, 422),
        ({"order": {**DRAFT["order"], "note": {"a": 1}}}, 422),
        ({"order": {**DRAFT["order"], "note_attributes": "x"}}, 422),
        ({"order": {**DRAFT["order"], "customer": "Ada"}}, 422),
    ],
)
def test_a_bad_order_is_refused(storefront: RunningFake, body: dict[str, Any], status: int) -> None:
    """An order that makes no sense is refused in the vendor's shape, and nothing is written."""
    answer = storefront.client.post(f"{API}/orders.json", json=body, headers=HEADERS)
    assert (answer.status_code, list(answer.json())) == (status, ["errors"])
    assert storefront.journal("change") == []


def test_reserved_orders_cannot_be_seen(storefront: RunningFake) -> None:
    """A reserved order shows in no list and under no id until it is placed; then it has what was reserved."""
    [reserved] = storefront.act("reserve-orders", lines=[{"sku": "A", "quantity": 3, "price": "2.50"}])["orders"]
    assert get(storefront, f"/orders/{reserved['id']}.json").status_code == 404
    assert names(get(storefront, "/orders.json", status="any")) == []
    assert storefront.journal("change") == []
    assert storefront.act("place-order", reserved=[reserved["id"]])["orders"] == [reserved]
    [record] = storefront.state("orders")
    assert (record["name"], record["number"], record["total_price"]) == (reserved["name"], reserved["number"], "7.50")
    assert record["lines"] == [{"sku": "A", "quantity": 3, "price": "2.50"}]


def test_a_reservation_is_used_once(storefront: RunningFake) -> None:
    """Placing twice is a conflict, placing what was never reserved is unknown."""
    [reserved] = storefront.act("reserve-orders")["orders"]
    body = {"reserved": [reserved["id"]]}
    assert storefront.control.post("/act/place-order", json=body).status_code == 200
    assert storefront.control.post("/act/place-order", json=body).status_code == 409
    assert storefront.control.post("/act/place-order", json={"reserved": ["1"]}).status_code == 404
    assert len(storefront.state("orders")) == 1


def test_a_customer_can_be_given(storefront: RunningFake) -> None:
    """The customer of a placed order shows in the API."""
    customer = {"first_name": "Zoë", "last_name": "Kim", "email": "zoe@example.com", "address": {"city": "Köln"}}
    [placed] = place(storefront, customer=customer)
    order = get(storefront, f"/orders/{placed['id']}.json").json()["order"]
    assert (order["email"], order["shipping_address"]["city"]) == ("zoe@example.com", "Köln")
    assert order["customer"]["first_name"] == "Zoë"


def test_a_refund_gives_back_what_is_left_at_most(storefront: RunningFake) -> None:
    """Refunds add up to the total, then there is nothing left to give back."""
    [placed] = place(storefront, lines=[{"sku": "A", "quantity": 1, "price": "10.00"}])
    assert storefront.act("refund", id=placed["id"], amount="4.00")["order"]["financial_status"] == "partially_refunded"
    assert storefront.act("refund", id=placed["id"])["order"]["financial_status"] == "refunded"
    assert storefront.control.post("/act/refund", json={"id": placed["id"]}).status_code == 409
    refunds = get(storefront, f"/orders/{placed['id']}/refunds.json").json()["refunds"]
    assert [refund["transactions"][0]["amount"] for refund in refunds] == ["4.00", "6.00"]


def test_acts_count_money_to_the_cent(storefront: RunningFake) -> None:
    """Prices and refunds that floats cannot hold come out as they went in, and halves of a cent are rounded up."""
    given = ["0.29", 0.29, "1.005", 1.005, "2.675", "0.004", 35, "999999999999.99", 999999999999.99]
    [placed] = place(storefront, lines=[{"sku": "A", "price": price} for price in given])
    shown = ["0.29", "0.29", "1.01", "1.01", "2.68", "0.00", "35.00", "999999999999.99", "999999999999.99"]
    assert [line["price"] for line in storefront.state("orders")[0]["lines"]] == shown
    assert storefront.act("refund", id=placed["id"], amount="1.005")["order"]["refunded"] == "1.01"
    assert storefront.act("refund", id=placed["id"], amount=0.29)["order"]["refunded"] == "1.30"


def test_orders_over_rest_count_money_to_the_cent(storefront: RunningFake) -> None:
    """The API reads prices by the same rule, as text and as numbers."""
    given = ["0.29", 0.29, "1.005", 1.005, 7]
    draft = {"order": {"line_items": [{"title": "x", "price": price} for price in given]}}
    order = storefront.client.post(f"{API}/orders.json", json=draft, headers=HEADERS).json()["order"]
    assert [line["price"] for line in order["line_items"]] == ["0.29", "0.29", "1.01", "1.01", "7.00"]
    assert order["total_price"] == "9.60"


@pytest.mark.parametrize(
    "amount", ['"1e400"', "1e400", "-1e400", '"NaN"', '"sNaN"', '"inf"', '"-0.01"', "-1", "1e12", "true", "[]", '""']
)
def test_what_is_no_amount_of_money_is_refused(storefront: RunningFake, amount: str) -> None:
    """Neither an act nor an order over REST takes a price that is none, and a refund takes no such amount."""
    [placed] = place(storefront)
    before = storefront.state("orders")
    for verb, body, at in (
        ("place-order", f'{{"lines":[{{"sku":"A","price":{amount}}}]}}', "lines.0.price"),
        ("refund", f'{{"id":"{placed["id"]}","amount":{amount}}}', "amount"),
    ):
        answer = storefront.control.post(f"/act/{verb}", content=body)
        assert (answer.status_code, answer.json()["errors"][0]["at"]) == (422, at)
    draft = f'{{"order":{{"line_items":[{{"title":"x","price":{amount}}}]}}}}'
    made = storefront.client.post(
        f"{API}/orders.json", content=draft, headers={**HEADERS, "Content-Type": "application/json"}
    )
    assert (made.status_code, made.json()) == (422, {"errors": {"price": ["is not a number"]}})
    assert storefront.state("orders") == before


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("place-order", {"count": 0}, 422),
        ("place-order", {"count": "3"}, 422),
        ("place-order", {"lines": []}, 422),
        ("place-order", {"lines": [{"sku": "A", "quantity": -1}]}, 422),
        ("place-order", {"lines": [{"sku": "A", "price": "x"}]}, 422),
        ("place-order", {"reserved": ["x" * 5000]}, 404),
        ("update-order", {}, 422),
        ("update-order", {"id": "1"}, 404),
        ("cancel-order", {"id": True}, 422),
        ("refund", {"id": "nope"}, 404),
        ("deliver", {"id": "1", "topic": "orders/creat"}, 422),
        ("redeliver", {"webhook_id": "nope"}, 404),
        ("forge", {"topic": "orders/create", "body": {}}, 409),
        ("forge", {"topic": "nope", "body": {}}, 422),
        ("forge", {"topic": "orders/create", "body": {}, "signature": "a\r\nX: y"}, 422),
    ],
)
def test_a_bad_act_is_a_problem(storefront: RunningFake, verb: str, body: dict[str, Any], status: int) -> None:
    """Acts with bad parameters are problem documents."""
    answer = storefront.control.post(f"/act/{verb}", json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_the_bucket_leaks(storefront: RunningFake) -> None:
    """A full bucket refuses until it has leaked, and the header says how full it is, in the vendor's case."""
    storefront.seed(settings={"bucket": 2, "leak_per_s": 0.0001})
    answers = [get(storefront, "/shop.json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    raw = [dict(answer.headers.raw) for answer in answers]
    assert [headers[b"X-Shopify-Shop-Api-Call-Limit"] for headers in raw] == [b"1/2", b"2/2", b"2/2"]
    storefront.seed(settings={"bucket": 2, "leak_per_s": 1000.0})
    assert get(storefront, "/shop.json").status_code == 200


def test_cancelling_twice_is_refused(storefront: RunningFake) -> None:
    """A cancelled order cannot be cancelled or opened again."""
    [placed] = place(storefront)
    url = f"{API}/orders/{placed['id']}"
    assert storefront.client.post(f"{url}/cancel.json", headers=HEADERS).status_code == 200
    for verb in ("cancel", "open"):
        assert storefront.client.post(f"{url}/{verb}.json", headers=HEADERS).status_code == 422
    assert storefront.control.post("/act/cancel-order", json={"id": placed["id"]}).status_code == 409
