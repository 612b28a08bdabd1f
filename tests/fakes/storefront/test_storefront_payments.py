"""Money at the storefront: authorised elsewhere, taken, let go, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.storefront.calls import authorise, available, capture, fulfil, get, place, post, request_lines, stock

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake


def order_of(fake: RunningFake, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as the API shows it."""
    return get(fake, f"/orders/{order['id']}.json").json()["order"]


def transactions(fake: RunningFake, order: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the kinds and amounts of an order's transactions."""
    shown = get(fake, f"/orders/{order['id']}/transactions.json").json()["transactions"]
    return [(one["kind"], one["amount"]) for one in shown]


def refund(fake: RunningFake, order: dict[str, Any], **given: Any) -> Any:
    """Give something back."""
    return post(fake, f"/orders/{order['id']}/refunds.json", {"refund": given})


def test_a_reservation_tells_what_it_will_cost(storefront: RunningFake) -> None:
    """Total, currency and the id of the fulfillment order to come are known before the order is."""
    [reserved] = storefront.act("reserve-orders", lines=[{"sku": "A", "quantity": 3, "price": "12.50"}])["orders"]
    assert (reserved["total_price"], reserved["currency"]) == ("37.50", "EUR")
    storefront.act("place-order", reserved=[reserved["id"]])
    requests = get(storefront, f"/orders/{reserved['id']}/fulfillment_orders.json").json()["fulfillment_orders"]
    assert [str(one["id"]) for one in requests] == reserved["aliases"]


def test_an_attached_payment_is_authorised(storefront: RunningFake) -> None:
    """An order paid at another gateway is authorised, and tells the payment's id in a transaction and an attribute."""
    order = order_of(storefront, authorise(storefront))
    assert (order["financial_status"], order["payment_gateway_names"]) == ("authorized", ["stripe"])
    assert order["note_attributes"] == [{"name": "payment_intent", "value": "pi_123"}]
    [shown] = get(storefront, f"/orders/{order['id']}/transactions.json").json()["transactions"]
    told = {name: shown[name] for name in ("kind", "status", "gateway", "authorization", "amount", "parent_id")}
    assert told == {
        "kind": "authorization",
        "status": "success",
        "gateway": "stripe",
        "authorization": "pi_123",
        "amount": "20.00",
        "parent_id": None,
    }


def test_without_attached_payments_an_order_is_paid(storefront: RunningFake) -> None:
    """The shop's own provider takes the money at once."""
    order = place(storefront, ("A", 2, "5.00"))
    assert order_of(storefront, order)["financial_status"] == "paid"
    assert transactions(storefront, order) == [("sale", "10.00")]


def test_payments_are_attached_to_reservations_only(storefront: RunningFake) -> None:
    """What is placed already is a conflict, what never was reserved is unknown, and then nothing is attached."""
    placed = place(storefront)
    [reserved] = storefront.act("reserve-orders")["orders"]
    for other, status in ((placed["id"], 409), ("1", 404)):
        body = {"payments": [{"order_id": one, "authorization": "pi_1"} for one in (reserved["id"], other)]}
        assert storefront.control.post("/act/attach-payments", json=body).status_code == status
    storefront.act("place-order", reserved=[reserved["id"]])
    assert {one["financial_status"] for one in storefront.state("orders")} == {"paid"}


def test_taking_all_pays_the_order(storefront: RunningFake, receiver: Receiver) -> None:
    """A full capture makes the order paid and is told as a transaction, a payment and an update of one event."""
    topics = ["orders/paid", "orders/updated", "order_transactions/create"]
    order = authorise(storefront)
    storefront.seed(webhooks=[{"topic": topic, "address": receiver.url} for topic in topics])
    parent = get(storefront, f"/orders/{order['id']}/transactions.json").json()["transactions"][0]["id"]
    answer = capture(storefront, order, parent_id=parent, authorization="pi_123", amount="20.00")
    assert answer.status_code == 201
    made = answer.json()["transaction"]
    assert (made["kind"], made["parent_id"], made["authorization"], made["status"]) == (
        "capture",
        parent,
        "pi_123",
        "success",
    )
    assert get(storefront, f"/orders/{order['id']}/transactions/{made['id']}.json").json()["transaction"] == made
    assert order_of(storefront, order)["financial_status"] == "paid"
    got = receiver.wait(3)
    assert {one.headers["X-Shopify-Topic"] for one in got} == set(topics)
    assert len({one.headers["X-Shopify-Event-Id"] for one in got}) == 1
    [record] = [one for one in storefront.state("transactions") if one["kind"] == "capture"]
    assert (record["entity"], record["order_id"], record["amount"]) == (order["name"], order["id"], "20.00")


def test_an_order_can_be_taken_in_parts(storefront: RunningFake) -> None:
    """A partial capture leaves the order partially paid until the rest is taken, and no more than that can be."""
    order = authorise(storefront)
    assert capture(storefront, order, amount="15.00").status_code == 201
    assert order_of(storefront, order)["financial_status"] == "partially_paid"
    beyond = capture(storefront, order, amount="5.01")
    assert (beyond.status_code, list(beyond.json()["errors"])) == (422, ["amount"])
    assert capture(storefront, order).json()["transaction"]["amount"] == "5.00"
    assert order_of(storefront, order)["financial_status"] == "paid"


def test_nothing_is_taken_twice(storefront: RunningFake) -> None:
    """The vendor knows no idempotency here: a second full capture is refused, and so is one without authorisation."""
    order = authorise(storefront)
    assert capture(storefront, order, amount="20.00").status_code == 201
    for again in (order, place(storefront)):
        answer = capture(storefront, again, amount="20.00")
        assert (answer.status_code, answer.json()) == (
            422,
            {"errors": {"kind": ["capture is not a valid transaction"]}},
        )
    assert transactions(storefront, order) == [("authorization", "20.00"), ("capture", "20.00")]


def test_what_was_not_written_is_not_taken(storefront: RunningFake) -> None:
    """A capture that was only pretended leaves the order authorised; the next one takes the money."""
    order = authorise(storefront)
    storefront.arm("not_persisted", operation="transaction.create", attempts=[1])
    assert capture(storefront, order).status_code == 201
    assert (order_of(storefront, order)["financial_status"], len(transactions(storefront, order))) == ("authorized", 1)
    assert capture(storefront, order).status_code == 201
    assert len(transactions(storefront, order)) == 2


def test_an_authorisation_can_be_let_go(storefront: RunningFake) -> None:
    """A void ends what is authorised; afterwards nothing can be taken."""
    order = authorise(storefront)
    url = f"/orders/{order['id']}/transactions.json"
    assert post(storefront, url, {"transaction": {"kind": "void"}}).status_code == 201
    assert order_of(storefront, order)["financial_status"] == "voided"
    assert capture(storefront, order).status_code == 422
    assert post(storefront, url, {"transaction": {"kind": "void"}}).status_code == 422


def test_outstanding_money_can_be_written_down(storefront: RunningFake) -> None:
    """A pending order is paid by a sale that came in another way, and not twice."""
    order = place(storefront, ("A", 1, "8.00"), financial_status="pending")
    url = f"/orders/{order['id']}/transactions.json"
    assert post(storefront, url, {"transaction": {"kind": "sale", "amount": "8.00"}}).status_code == 201
    assert order_of(storefront, order)["financial_status"] == "paid"
    assert post(storefront, url, {"transaction": {"kind": "sale"}}).status_code == 422


@pytest.mark.parametrize(
    ("transaction", "field"),
    [
        ({}, "kind"),
        ({"kind": "gift"}, "kind"),
        ({"kind": ["capture"]}, "kind"),
        ({"kind": "capture", "amount": "dear"}, "amount"),
        ({"kind": "capture", "amount": 0}, "amount"),
        ({"kind": "capture", "amount": -1}, "amount"),
        ({"kind": "capture", "parent_id": 7}, "kind"),
        ({"kind": "capture", "parent_id": {}}, "kind"),
        ({"kind": "capture", "authorization": ["x"]}, "authorization"),
    ],
)
def test_a_bad_transaction_is_refused(storefront: RunningFake, transaction: dict[str, Any], field: str) -> None:
    """A transaction that makes no sense is refused by the field that is wrong and moves nothing."""
    order = authorise(storefront)
    answer = post(storefront, f"/orders/{order['id']}/transactions.json", {"transaction": transaction})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert len(storefront.state("transactions")) == 1


def test_a_refund_gives_back_at_most_what_was_taken(storefront: RunningFake, receiver: Receiver) -> None:
    """Refunds add up to what was taken; one too many is refused in the vendor's words, and each is announced."""
    order = authorise(storefront)
    assert refund(storefront, order, transactions=[{"kind": "refund", "amount": "1.00"}]).status_code == 422
    capture(storefront, order)
    storefront.seed(webhooks=[{"topic": "refunds/create", "address": receiver.url}])
    first = refund(storefront, order, note="late", transactions=[{"kind": "refund", "amount": "5.00"}])
    assert first.status_code == 201
    assert order_of(storefront, order)["financial_status"] == "partially_refunded"
    beyond = refund(storefront, order, transactions=[{"kind": "refund", "amount": "15.01"}])
    text = "Refund amount $15.01 is greater than net payment received $15.00"
    assert (beyond.status_code, beyond.json()) == (422, {"errors": {"base": [text]}})
    refund(storefront, order, transactions=[{"kind": "refund", "amount": "15.00"}])
    assert order_of(storefront, order)["financial_status"] == "refunded"
    assert order_of(storefront, order)["current_total_price"] == "0.00"
    assert [one["amount"] for one in storefront.state("refunds")] == ["5.00", "15.00"]
    told = receiver.wait(2)[0]
    assert told.body == storefront.client.build_request("POST", "/", json=first.json()["refund"]).content


def test_the_provider_may_be_ahead_of_the_shop(storefront: RunningFake, receiver: Receiver) -> None:
    """The act gives back what was never captured here, and tells a refund with its transaction and its order."""
    storefront.seed(webhooks=[{"topic": "refunds/create", "address": receiver.url}])
    order = authorise(storefront)
    storefront.act("refund", id=order["id"], amount="4.00")
    shown = get(storefront, f"/orders/{order['id']}/refunds.json").json()["refunds"]
    assert [(one["kind"], one["amount"]) for one in shown[0]["transactions"]] == [("refund", "4.00")]
    assert shown[0]["order_id"] == int(order["id"])
    assert receiver.wait(1)[0].headers["X-Shopify-Topic"] == "refunds/create"
    [entry] = storefront.wait_for(lambda one: one["type"] == "delivery")
    assert entry["entity"] == order["name"]


@pytest.mark.parametrize(("restock", "left"), [("no_restock", 98), ("return", 99)])
def test_goods_come_back_with_a_refund(storefront: RunningFake, restock: str, left: int) -> None:
    """Sent goods go back to stock if the refund says so, and are shown with their SKU."""
    stock(storefront)
    order = place(storefront, ("SKU1", 2, "10.00"))
    fulfil(storefront, order)
    [line] = order_of(storefront, order)["line_items"]
    row = {"line_item_id": line["id"], "quantity": 1, "restock_type": restock}
    made = refund(storefront, order, refund_line_items=[row], transactions=[{"kind": "refund", "amount": "10.00"}])
    [shown] = made.json()["refund"]["refund_line_items"]
    assert (shown["line_item"]["sku"], shown["quantity"], shown["subtotal"]) == ("SKU1", 1, "10.00")
    assert available(storefront) == {"MAIN": left, "EAST": 50}
    [line] = order_of(storefront, order)["line_items"]
    assert (line["current_quantity"], line["fulfillable_quantity"]) == (1, 0)


def test_unsent_goods_are_not_to_be_sent(storefront: RunningFake) -> None:
    """A refund that cancels units takes them off the fulfillment order; sending the rest fulfils the order."""
    stock(storefront)
    order = place(storefront, ("SKU1", 3, "10.00"))
    [line] = order_of(storefront, order)["line_items"]
    row = {"line_item_id": line["id"], "quantity": 2, "restock_type": "cancel"}
    assert refund(storefront, order, refund_line_items=[row, row]).status_code == 422
    assert refund(storefront, order, refund_line_items=[row]).status_code == 201
    assert available(storefront)["MAIN"] == 99
    assert [one["fulfillable_quantity"] for one in request_lines(storefront, order)] == [1]
    assert refund(storefront, order, refund_line_items=[row]).status_code == 422
    fulfil(storefront, order)
    assert order_of(storefront, order)["fulfillment_status"] == "fulfilled"


def test_a_refund_can_be_calculated(storefront: RunningFake) -> None:
    """Calculating suggests the transaction that a refund of these lines needs, and writes nothing."""
    order = place(storefront, ("A", 2, "10.00"))
    [line] = order_of(storefront, order)["line_items"]
    body = {"refund": {"refund_line_items": [{"line_item_id": line["id"], "quantity": 1}]}}
    shown = post(storefront, f"/orders/{order['id']}/refunds/calculate.json", body).json()["refund"]
    [suggested] = shown["transactions"]
    assert (suggested["kind"], suggested["amount"], suggested["maximum_refundable"]) == (
        "suggested_refund",
        "10.00",
        "20.00",
    )
    assert storefront.state("refunds") == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"transactions": "x"},
        {"transactions": [7]},
        {"transactions": [{"kind": "refund", "amount": "x"}]},
        {"transactions": [{"kind": "refund", "amount": "1", "parent_id": 7}]},
        {"refund_line_items": {}},
        {"refund_line_items": [{"line_item_id": 1, "quantity": 1}]},
        {"note": 7, "transactions": [{"kind": "refund", "amount": "1"}]},
    ],
)
def test_a_bad_refund_is_refused(storefront: RunningFake, given: dict[str, Any]) -> None:
    """A refund that makes no sense is refused and gives nothing back."""
    order = place(storefront)
    assert refund(storefront, order, **given).status_code == 422
    assert storefront.state("refunds") == []


def test_cancelling_lets_go_what_is_authorised(storefront: RunningFake) -> None:
    """A cancelled order that was not paid is voided, and so is its payment."""
    order = authorise(storefront)
    assert post(storefront, f"/orders/{order['id']}/cancel.json", {}).status_code == 200
    assert order_of(storefront, order)["financial_status"] == "voided"
    assert transactions(storefront, order) == [("authorization", "20.00"), ("void", "20.00")]
    assert capture(storefront, order).status_code == 422


@pytest.mark.parametrize(
    ("given", "status", "back"),
    [
        ({}, "refunded", ["20.00"]),
        ({"amount": "5.00"}, "partially_refunded", ["5.00"]),
        ({"amount": "0.00"}, "paid", []),
    ],
)
def test_cancelling_gives_back_what_was_taken(
    storefront: RunningFake, receiver: Receiver, given: dict[str, Any], status: str, back: list[str]
) -> None:
    """A cancelled order's payment is given back, all of it or as much as is asked for, by an announced refund."""
    order = authorise(storefront)
    capture(storefront, order)
    storefront.seed(
        webhooks=[{"topic": one, "address": receiver.url} for one in ("refunds/create", "orders/cancelled")]
    )
    assert post(storefront, f"/orders/{order['id']}/cancel.json", given).status_code == 200
    assert order_of(storefront, order)["financial_status"] == status
    assert [one["amount"] for one in storefront.state("refunds")] == back
    assert len(receiver.wait(1 + len(back))) == 1 + len(back)


def test_cancelling_cannot_give_back_more_than_was_taken(storefront: RunningFake) -> None:
    """A cancellation that asks for too much is refused, and the order stands."""
    order = authorise(storefront)
    assert post(storefront, f"/orders/{order['id']}/cancel.json", {"amount": "0.01"}).status_code == 422
    assert order_of(storefront, order)["cancelled_at"] is None
