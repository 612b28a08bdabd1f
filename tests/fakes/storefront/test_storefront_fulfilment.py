"""Sending orders from the storefront: fulfillment orders and fulfillments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.storefront.calls import API, HEADERS, available, fulfil, get, place, post, request_lines, stock

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake


def order_of(fake: RunningFake, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as the API shows it."""
    return get(fake, f"/orders/{order['id']}.json").json()["order"]


def request_of(fake: RunningFake, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order's first fulfillment order."""
    return get(fake, f"/orders/{order['id']}/fulfillment_orders.json").json()["fulfillment_orders"][0]


def test_an_order_asks_to_be_sent(storefront: RunningFake) -> None:
    """A new order has one open fulfillment order at the main location, for all of its units."""
    order = place(storefront, ("A", 2, "5.00"), ("B", 1, "1.00"))
    shown = request_of(storefront, order)
    assert (shown["status"], shown["order_id"]) == ("open", int(order["id"]))
    assert shown["assigned_location"]["name"] == "MAIN"
    assert [line["fulfillable_quantity"] for line in shown["line_items"]] == [2, 1]
    assert get(storefront, f"/fulfillment_orders/{shown['id']}.json").json()["fulfillment_order"] == shown
    [record] = storefront.state("fulfillment_orders")
    assert (record["id"], record["entity"], record["status"]) == (order["aliases"][0], order["name"], "open")


def test_sending_all_fulfils_the_order(storefront: RunningFake, receiver: Receiver) -> None:
    """A fulfillment without lines sends everything, and is told under its topics as one event about the order."""
    topics = ["fulfillments/create", "orders/fulfilled", "orders/updated"]
    order = place(storefront, ("A", 2, "5.00"))
    storefront.seed(webhooks=[{"topic": topic, "address": receiver.url} for topic in topics])
    answer = fulfil(storefront, order)
    assert answer.status_code == 201
    made = answer.json()["fulfillment"]
    assert (made["status"], made["tracking_number"], made["tracking_company"], made["name"]) == (
        "success",
        "T1",
        "DHL",
        f"{order['name']}.1",
    )
    assert [(line["sku"], line["quantity"]) for line in made["line_items"]] == [("A", 2)]
    assert order_of(storefront, order)["fulfillment_status"] == "fulfilled"
    assert order_of(storefront, order)["fulfillments"] == [made]
    assert request_of(storefront, order)["status"] == "closed"
    got = {one.headers["X-Shopify-Topic"]: json.loads(one.body) for one in receiver.wait(3)}
    assert set(got) == set(topics)
    assert got["fulfillments/create"] == made
    assert got["orders/updated"]["fulfillment_status"] == "fulfilled"
    assert len({one.headers["X-Shopify-Event-Id"] for one in receiver.received}) == 1
    [record] = storefront.state("fulfillments")
    assert (record["entity"], record["lines"], record["tracking_number"]) == (
        order["name"],
        [{"sku": "A", "quantity": 2}],
        "T1",
    )


def test_an_order_can_be_sent_in_parts(storefront: RunningFake, receiver: Receiver) -> None:
    """Units go out line by line; the order is partially fulfilled until the last one left."""
    storefront.seed(webhooks=[{"topic": "orders/partially_fulfilled", "address": receiver.url}])
    order = place(storefront, ("A", 3, "5.00"))
    [line] = request_lines(storefront, order)
    assert fulfil(storefront, order, [{"id": line["id"], "quantity": 2}]).status_code == 201
    assert (order_of(storefront, order)["fulfillment_status"], request_of(storefront, order)["status"]) == (
        "partial",
        "in_progress",
    )
    [shown] = order_of(storefront, order)["line_items"]
    assert (shown["fulfillable_quantity"], shown["fulfillment_status"]) == (1, "partial")
    receiver.wait(1)
    beyond = fulfil(storefront, order, [{"id": line["id"], "quantity": 2}])
    text = "Invalid fulfillment order line item quantity requested."
    assert (beyond.status_code, beyond.json()) == (422, {"errors": [text]})
    assert fulfil(storefront, order).status_code == 201
    assert order_of(storefront, order)["fulfillment_status"] == "fulfilled"
    listed = get(storefront, f"/orders/{order['id']}/fulfillments.json").json()["fulfillments"]
    assert [one["line_items"][0]["quantity"] for one in listed] == [2, 1]
    assert get(storefront, f"/fulfillment_orders/{order['aliases'][0]}/fulfillments.json").json() == {
        "fulfillments": listed
    }
    found = get(storefront, f"/orders/{order['id']}/fulfillments/{listed[0]['id']}.json")
    assert found.json()["fulfillment"] == listed[0]


def test_nothing_is_sent_twice(storefront: RunningFake) -> None:
    """A closed fulfillment order cannot be fulfilled, and says so in the vendor's words."""
    order = place(storefront)
    assert fulfil(storefront, order).status_code == 201
    again = fulfil(storefront, order)
    text = f"Fulfillment order {order['aliases'][0]} has an unfulfillable status= closed."
    assert (again.status_code, again.json()) == (422, {"errors": [text]})
    assert len(storefront.state("fulfillments")) == 1


def test_what_was_not_written_is_not_sent(storefront: RunningFake) -> None:
    """A fulfillment that was only pretended sends nothing."""
    order = place(storefront)
    storefront.arm("not_persisted", operation="fulfillment.create", attempts=[1])
    assert fulfil(storefront, order).status_code == 201
    assert (order_of(storefront, order)["fulfillment_status"], storefront.state("fulfillments")) == (None, [])
    assert fulfil(storefront, order).status_code == 201


def test_a_held_order_is_not_sent(storefront: RunningFake) -> None:
    """While it is on hold a fulfillment order cannot be fulfilled; released, it can."""
    order = place(storefront)
    url = f"/fulfillment_orders/{order['aliases'][0]}"
    hold = {"fulfillment_hold": {"reason": "high_risk_of_fraud", "reason_notes": "call first"}}
    held = post(storefront, f"{url}/hold.json", hold).json()["fulfillment_order"]
    assert (held["status"], held["fulfillment_holds"][0]["reason"]) == ("on_hold", "high_risk_of_fraud")
    assert "status= on_hold" in fulfil(storefront, order).json()["errors"][0]
    again = post(storefront, f"{url}/hold.json", hold)
    assert again.json() == {"errors": ["The fulfillment order is not in an open state."]}
    released = post(storefront, f"{url}/release_hold.json", {}).json()["fulfillment_order"]
    assert (released["status"], released["fulfillment_holds"]) == ("open", [])
    assert post(storefront, f"{url}/release_hold.json", {}).status_code == 422
    assert fulfil(storefront, order).status_code == 201


def test_a_cancelled_fulfillment_order_is_replaced(storefront: RunningFake) -> None:
    """Cancelling a fulfillment order puts another in its place, which is about the same order and can be sent."""
    order = place(storefront, ("A", 2, "5.00"))
    answer = post(storefront, f"/fulfillment_orders/{order['aliases'][0]}/cancel.json", {}).json()
    anew = answer["replacement_fulfillment_order"]
    assert (answer["fulfillment_order"]["status"], anew["status"]) == ("cancelled", "open")
    assert "status= cancelled" in fulfil(storefront, order).json()["errors"][0]
    assert fulfil(storefront, {**order, "aliases": [anew["id"]]}).status_code == 201
    assert storefront.journal("exchange")[-1]["entity"] == order["name"]
    assert order_of(storefront, order)["fulfillment_status"] == "fulfilled"


def test_a_fulfillment_can_be_tracked_and_called_back(storefront: RunningFake) -> None:
    """Tracking can be changed until the fulfillment is cancelled; then its units are to be sent again."""
    order = place(storefront)
    made = fulfil(storefront, order).json()["fulfillment"]
    url = f"/fulfillments/{made['id']}"
    tracking = {"fulfillment": {"tracking_info": {"numbers": ["T2", "T3"], "company": "UPS"}, "notify_customer": True}}
    changed = post(storefront, f"{url}/update_tracking.json", tracking).json()["fulfillment"]
    assert (changed["tracking_number"], changed["tracking_numbers"]) == ("T2", ["T2", "T3"])
    assert post(storefront, f"{url}/cancel.json", {}).json()["fulfillment"]["status"] == "cancelled"
    assert order_of(storefront, order)["fulfillment_status"] is None
    assert post(storefront, f"{url}/cancel.json", {}).status_code == 422
    assert post(storefront, f"{url}/update_tracking.json", tracking).status_code == 422
    assert fulfil(storefront, order).status_code == 201
    assert order_of(storefront, order)["fulfillment_status"] == "fulfilled"


def test_a_sent_order_cannot_be_cancelled(storefront: RunningFake) -> None:
    """An order with fulfillments stands until they are called back."""
    order = place(storefront)
    made = fulfil(storefront, order).json()["fulfillment"]
    assert post(storefront, f"/orders/{order['id']}/cancel.json", {}).status_code == 422
    post(storefront, f"/fulfillments/{made['id']}/cancel.json", {})
    assert post(storefront, f"/orders/{order['id']}/cancel.json", {}).status_code == 200
    assert "status= cancelled" in fulfil(storefront, order).json()["errors"][0]


def test_stock_is_taken_when_an_order_is_placed(storefront: RunningFake) -> None:
    """Placing takes units from the main location, sending takes none again, cancelling gives back what was not sent."""
    stock(storefront)
    first = place(storefront, ("SKU1", 3, "5.00"))
    second = place(storefront, ("SKU1", 2, "5.00"), ("NEVER-STOCKED", 1, "1.00"))
    assert available(storefront) == {"MAIN": 95, "EAST": 50}
    fulfil(storefront, first)
    assert available(storefront) == {"MAIN": 95, "EAST": 50}
    storefront.act("cancel-order", id=second["id"])
    assert available(storefront) == {"MAIN": 97, "EAST": 50}


def test_the_list_knows_what_was_sent(storefront: RunningFake) -> None:
    """The list can be narrowed by what was sent, in the filter's own words."""
    whole, part, none = place(storefront), place(storefront, ("A", 2, "1.00")), place(storefront)
    fulfil(storefront, whole)
    [line] = request_lines(storefront, part)
    fulfil(storefront, part, [{"id": line["id"], "quantity": 1}])

    def names(status: str) -> set[str]:
        return {one["name"] for one in get(storefront, "/orders.json", fulfillment_status=status).json()["orders"]}

    assert names("shipped") == {whole["name"]}
    assert names("partial") == {part["name"]}
    assert names("unshipped") == {none["name"]}
    assert names("unfulfilled") == {part["name"], none["name"]}


@pytest.mark.parametrize(
    "fulfillment",
    [
        {},
        {"line_items_by_fulfillment_order": []},
        {"line_items_by_fulfillment_order": "x"},
        {"line_items_by_fulfillment_order": [7]},
        {"line_items_by_fulfillment_order": [{"fulfillment_order_id": 7}]},
        {"line_items_by_fulfillment_order": [{"fulfillment_order_id": True}]},
        {"line_items_by_fulfillment_order": [{"fulfillment_order_id": {}}]},
    ],
)
def test_a_bad_fulfillment_is_refused(storefront: RunningFake, fulfillment: dict[str, Any]) -> None:
    """A fulfillment of nothing that exists is refused as a list of texts."""
    answer = post(storefront, "/fulfillments.json", {"fulfillment": fulfillment})
    assert (answer.status_code, type(answer.json()["errors"])) == (422, list)


@pytest.mark.parametrize("lines", ["x", [7], [{"id": 1, "quantity": 1}], [{"id": "ID", "quantity": 0}], [{"id": "ID"}]])
def test_bad_lines_are_refused(storefront: RunningFake, lines: Any) -> None:
    """Lines that are not the fulfillment order's, or of no units, are refused, and nothing is sent."""
    order = place(storefront)
    [line] = request_lines(storefront, order)
    rows = json.loads(json.dumps(lines).replace('"ID"', str(line["id"])))
    assert fulfil(storefront, order, rows).status_code == 422
    assert storefront.state("fulfillments") == []


def test_orders_are_sent_one_at_a_time(storefront: RunningFake) -> None:
    """A fulfillment of two orders, or of one fulfillment order twice, is refused."""
    first, second = place(storefront), place(storefront)
    for pair in ((first, second), (first, first)):
        rows = [{"fulfillment_order_id": one["aliases"][0]} for one in pair]
        answer = post(storefront, "/fulfillments.json", {"fulfillment": {"line_items_by_fulfillment_order": rows}})
        assert answer.status_code == 422
    assert storefront.state("fulfillments") == []


def test_each_call_names_its_order(storefront: RunningFake) -> None:
    """Whether the order stands in the path, the body or behind another id, the journal knows it."""
    order = place(storefront)
    request_of(storefront, order)
    made = fulfil(storefront, order).json()["fulfillment"]
    get(storefront, f"/fulfillment_orders/{order['aliases'][0]}.json")
    post(storefront, f"/fulfillments/{made['id']}/cancel.json", {})
    get(storefront, f"/orders/{order['id']}/transactions.json")
    seen = {entry["operation"]: entry["entity"] for entry in storefront.journal("exchange")}
    assert seen == dict.fromkeys(
        (
            "fulfillment_order.list",
            "fulfillment.create",
            "fulfillment_order.read",
            "fulfillment.cancel",
            "transaction.list",
        ),
        order["name"],
    )


def test_what_is_not_there_is_not_found(storefront: RunningFake) -> None:
    """Unknown ids, and ids of another order's parts, are not found."""
    first, second = place(storefront), place(storefront)
    made = fulfil(storefront, first).json()["fulfillment"]
    for path in (
        "/fulfillment_orders/1.json",
        "/fulfillment_orders/1/fulfillments.json",
        f"/orders/{second['id']}/fulfillments/{made['id']}.json",
        "/orders/1/fulfillments.json",
        f"/orders/{second['id']}/refunds/1.json",
        f"/orders/{second['id']}/transactions/1.json",
    ):
        assert storefront.client.get(f"{API}{path}", headers=HEADERS).status_code == 404
    assert post(storefront, "/fulfillments/1/cancel.json", {}).status_code == 404
