"""Orders, as an integration gives and reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.wms.conftest import HEADERS, code_of

if TYPE_CHECKING:
    from tests.fakes.wms.conftest import Wms


def test_an_order_is_allocated_at_once(wms: Wms) -> None:
    """A new order comes back whole, with its units set aside at the main location, and can be read."""
    wms.fill(10, 5)
    answer = wms.post("411001", 3, ship_to={"name": "Ada", "zip": 80331, "latitude": 48.1, "company": None})
    order = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/orders/{order['id']}")
    assert (order["reference"], order["status"], order["location"]) == ("411001", "allocated", "MAIN")
    line = {"sku": "TEE", "quantity": 3, "allocated": 3, "picked": 0, "packed": 0, "shipped": 0}
    assert (order["lines"], order["shipments"]) == ([line], [])
    assert order["allocations"] == [{"sku": "TEE", "location": "MAIN", "quantity": 3}]
    assert order["ship_to"] == {"name": "Ada", "zip": 80331, "latitude": 48.1, "company": None}
    assert wms.read(order) == order
    assert (wms.stock()["allocated"], wms.stock()["available"]) == (3, 7)


@pytest.mark.parametrize(
    ("main", "status", "allocated"), [(5, "allocated", 5), (2, "partially_allocated", 2), (0, "backordered", 0)]
)
def test_what_is_there_is_allocated(wms: Wms, main: int, status: str, allocated: int) -> None:
    """An order gets what its location has: all, part or nothing of it, and nothing of the other location's."""
    wms.fill(main, 100)
    order = wms.create(quantity=5)
    assert (order["status"], order["lines"][0]["allocated"]) == (status, allocated)
    assert wms.stock(location="EAST")["allocated"] == 0
    wms.check_sums()


def test_the_preferred_location_is_the_clients(wms: Wms) -> None:
    """An order may ask for the second location."""
    wms.fill(5, 5)
    assert wms.create(quantity=2, location="EAST")["allocations"] == [{"sku": "TEE", "location": "EAST", "quantity": 2}]


def test_lines_of_one_item_share_its_stock(wms: Wms) -> None:
    """Two lines of the same item cannot both have the last unit."""
    wms.fill(3, 0)
    lines = [{"sku": "TEE", "quantity": 2}, {"sku": "TEE", "quantity": 2}]
    order = wms.client.post("/orders", json={"reference": "1", "lines": lines}).json()
    assert [line["allocated"] for line in order["lines"]] == [2, 1]
    wms.check_sums()


def test_the_second_location_fills_up(wms: Wms) -> None:
    """What is missing can be set aside at the other location; then nothing is missing any more."""
    wms.fill(2, 10)
    order = wms.create(quantity=5)
    answer = wms.allocate(order, "EAST")
    assert (answer.status_code, answer.json()["status"]) == (200, "allocated")
    assert [(one["location"], one["quantity"]) for one in answer.json()["allocations"]] == [("MAIN", 2), ("EAST", 3)]
    again = wms.allocate(order, "EAST")
    assert (*code_of(again), again.json()["order_id"]) == (409, "nothing_to_allocate", order["id"])
    wms.check_sums()


def test_nothing_can_be_allocated_where_nothing_is(wms: Wms) -> None:
    """A location without the item is told as such, and changes nothing."""
    wms.fill(2, 0)
    order = wms.create(quantity=5)
    assert code_of(wms.allocate(order, "EAST")) == (409, "nothing_to_allocate")
    assert wms.read(order) == order


def test_a_reference_serves_once(wms: Wms) -> None:
    """A used reference is refused with the order that has it, even after that order was cancelled."""
    order = wms.create("411001")
    for _ in range(2):
        answer = wms.post("411001", 7)
        assert (*code_of(answer), answer.json()["order_id"]) == (422, "duplicate_reference", order["id"])
        wms.client.post(f"/orders/{order['id']}/cancel")
    assert len(wms.fake.state("orders")) == 1


def test_unknown_items_open_with_plenty_or_are_refused(wms: Wms) -> None:
    """An item never heard of opens with a million at each location, or is refused where that is set."""
    assert wms.create("1", sku="NEW")["status"] == "allocated"
    assert {one["id"]: one["opening"] for one in wms.fake.state("stock")} == {"NEW@MAIN": 10**6, "NEW@EAST": 10**6}
    wms.fake.seed(settings={"unknown_items": "refuse"})
    answer = wms.post("2", sku="OTHER")
    assert (*code_of(answer), answer.json()["skus"]) == (422, "unknown_item", ["OTHER"])
    assert wms.create("3", sku="NEW")["status"] == "allocated"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/reference", "#/lines"]),
        ({"reference": "", "lines": []}, ["#/reference", "#/lines"]),
        ({"reference": 411001, "lines": [{"sku": "A", "quantity": 1}]}, ["#/reference"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": 0}]}, ["#/lines/0/quantity"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": "1"}]}, ["#/lines/0/quantity"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": True}]}, ["#/lines/0/quantity"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": 10**7}]}, ["#/lines/0/quantity"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": 1}, {}]}, ["#/lines/1/sku", "#/lines/1/quantity"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": 1}], "location": "WEST"}, ["#/location"]),
        ({"reference": "1", "lines": [{"sku": "A", "quantity": 1}], "ship_to": "Ada"}, ["#/ship_to"]),
    ],
)
def test_a_wrong_order_is_refused_by_place(wms: Wms, body: dict[str, Any], pointers: list[str]) -> None:
    """What is wrong with an order is told by pointers into the body; the document's schema refuses the same bodies."""
    answer = wms.client.post("/orders", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    schema = {"$ref": "#/components/schemas/NewOrder"}
    with pytest.raises(Exception, match=r"Failed validating"):
        wms.document.validate(schema, body)
    assert wms.fake.journal("change") == []


def test_an_order_is_cancelled_before_it_is_picked(wms: Wms) -> None:
    """Cancelling gives everything back, once."""
    wms.fill(10, 0)
    order = wms.create(quantity=4)
    answer = wms.client.post(f"/orders/{order['id']}/cancel", json={"reason": "fraud"})
    cancelled = answer.json()
    assert (cancelled["status"], cancelled["cancel_reason"], cancelled["allocations"]) == ("cancelled", "fraud", [])
    assert (cancelled["lines"][0]["allocated"], wms.stock()["available"]) == (0, 10)
    assert code_of(wms.client.post(f"/orders/{order['id']}/cancel")) == (409, "not_cancellable")
    assert code_of(wms.allocate(order, "MAIN")) == (409, "nothing_to_allocate")


@pytest.mark.parametrize("step", ["pick", "pack", "ship"])
def test_a_picked_order_is_not_cancelled(wms: Wms, step: str) -> None:
    """From the first pick on it is too late to cancel, through the API and at the warehouse."""
    order = wms.create()
    status = wms.fake.act(step, order_id=order["id"])["order"]["status"]
    answer = wms.client.post(f"/orders/{order['id']}/cancel")
    assert (*code_of(answer), answer.json()["order_id"]) == (409, "not_cancellable", order["id"])
    assert wms.fake.control.post("/act/cancel", json={"order_id": order["id"]}).json()["code"] == "not_cancellable"
    assert wms.read(order)["status"] == status


@pytest.mark.parametrize("path", ["/orders/ord_nope", "/webhooks/whk_nope"])
def test_unknown_ids_are_not_found(wms: Wms, path: str) -> None:
    """An id of nothing is a 404."""
    assert code_of(wms.client.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/orders/x/allocations"), ("POST", "/orders/x/cancel"), ("DELETE", "/webhooks/x")]
)
def test_nothing_happens_to_unknown_ids(wms: Wms, method: str, path: str) -> None:
    """An id of nothing cannot be changed either, whatever the body says."""
    assert code_of(wms.client.request(method, path, json={"location": "WEST"})) == (404, "not_found")


def test_a_token_is_needed(wms: Wms) -> None:
    """Without the right token every path is a 401 with a challenge, but the document."""
    for headers in ({"Authorization": "Bearer nope"}, {"Authorization": "wms_handoff"}):
        for path in ("/orders", "/inventory", "/nope"):
            answer = wms.client.get(path, headers=headers)
            assert code_of(answer) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert wms.fake.client.get("/openapi.json").status_code == 200
    wms.fake.seed(settings={"token": "another"})
    assert wms.client.get("/orders").status_code == 401
    assert wms.client.get("/orders", headers={"Authorization": "Bearer another"}).status_code == 200


def test_calls_past_the_limit_wait(wms: Wms) -> None:
    """The account has so many calls a minute; the headers tell how many are left and how long to wait."""
    wms.fake.seed(settings={"requests_per_min": 1})
    answers = iter(lambda: wms.client.get("/orders"), None)
    assert next(answers).headers["X-Remaining-Calls"] in {"0", "1"}
    limited = next(answer for answer in answers if answer.status_code == 429)
    assert limited.json()["code"] == "rate_limited"
    assert 0 <= int(limited.headers["Retry-After"]) <= 60


def test_orders_are_listed_by_what_is_asked(wms: Wms) -> None:
    """Lists are filtered by reference, status and time, the one changed longest ago first."""
    wms.fill(3, 0)
    first, second, third = (wms.create(str(i), 2) for i in range(3))
    assert [one["reference"] for one in wms.client.get("/orders").json()["orders"]] == ["0", "1", "2"]
    assert wms.client.get("/orders", params={"reference": "1"}).json()["orders"] == [second]
    assert wms.client.get("/orders", params={"status": "backordered"}).json()["orders"] == [third]
    wms.client.post(f"/orders/{first['id']}/cancel")
    params = {"updated_since": third["updated_at"]}
    assert [one["reference"] for one in wms.client.get("/orders", params=params).json()["orders"]] == ["2", "0"]
    assert wms.client.get("/orders", params={"reference": "nope"}).json() == {"orders": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"updated_since": "yesterday"},
        {"limit": "0"},
        {"limit": "251"},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "cjEx\x00"},
        {"cursor": "ü"},
    ],
)
def test_a_wrong_query_is_refused(wms: Wms, query: dict[str, str]) -> None:
    """What is wrong with a query is told by the parameter's name."""
    answer = wms.client.get("/orders", params=query)
    assert code_of(answer) == (422, "validation_failed")
    assert [error["parameter"] for error in answer.json()["errors"]] == list(query)


def test_pages_lose_nothing(wms: Wms) -> None:
    """Going through the pages shows every order, also one that changes meanwhile, as it is last."""
    orders = [wms.create(str(i)) for i in range(7)]
    seen: dict[str, str] = {}
    cursor: dict[str, str] = {}
    while True:
        page = wms.client.get("/orders", params={"limit": "3", **cursor}).json()
        seen |= {one["reference"]: one["status"] for one in page["orders"]}
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        if len(seen) == 3:
            wms.fake.act("ship", order_id=orders[0]["id"])
    assert seen == {"0": "shipped", **{str(i): "allocated" for i in range(1, 7)}}


def test_pages_double_nothing_that_rests(wms: Wms) -> None:
    """While nothing changes every order is on exactly one page, and the last page has no cursor."""
    made = [wms.create(str(i))["id"] for i in range(6)]
    first = wms.client.get("/orders", params={"limit": "3"}).json()
    second = wms.client.get("/orders", params={"limit": "3", "cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in first["orders"] + second["orders"]] == made
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "moment", ["2000-01-01T00:00:00+00:00", "2000-01-01T00:00:00Z", "2000-01-01T00:00:00", "2000-01-01"]
)
def test_moments_are_read_as_they_are_written(wms: Wms, moment: str) -> None:
    """A moment may have any offset or none, which is UTC, and its plus sign need not be escaped."""
    wms.create()
    answer = wms.fake.client.get(f"/orders?updated_since={moment}", headers=HEADERS)
    assert len(answer.json()["orders"]) == 1


def test_only_json_is_read(wms: Wms) -> None:
    """Another media type is refused; none at all is taken for JSON."""
    body = b'{"reference":"1","lines":[{"sku":"TEE","quantity":1}]}'
    refused = wms.client.post("/orders", content=body, headers={"Content-Type": "text/plain"})
    assert code_of(refused) == (415, "unsupported_media_type")
    assert wms.client.post("/orders", content=body).status_code == 201
