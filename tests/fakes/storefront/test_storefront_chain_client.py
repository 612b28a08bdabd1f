"""The real ShopifyAPI client, unchanged, over what comes after an order: money, parcels and stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shopify
from pyactiveresource.connection import ResourceInvalid

from tests.fakes.storefront.calls import authorise, available, locations, place, stock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.conftest import RunningFake


@pytest.fixture
def session(storefront: RunningFake) -> Iterator[RunningFake]:
    """Point the client at the fake, as its manual says."""
    shopify.Session.setup(protocol="http", myshopify_domain="0.0.1", port=storefront.port)
    shopify.ShopifyResource.activate_session(shopify.Session("127.0.0.1", "2026-07", "shpat_handoff"))
    yield storefront
    shopify.ShopifyResource.clear_session()


def test_it_writes_a_capture_back(session: RunningFake) -> None:
    """A capture the client writes down pays the order, and its next one is refused."""
    order_id = int(authorise(session)["id"])
    [authorization] = shopify.Transaction.find(order_id=order_id)
    given = {"kind": "capture", "amount": "20.00", "parent_id": authorization.id, "authorization": "pi_123"}
    made = shopify.Transaction.create({**given, "order_id": order_id})
    assert (made.kind, made.status, made.amount) == ("capture", "success", "20.00")
    assert shopify.Order.find(order_id).financial_status == "paid"
    again = shopify.Transaction.create({**given, "order_id": order_id})
    assert again.errors.full_messages() == ["kind capture is not a valid transaction"]


def test_it_captures_the_rest(session: RunningFake) -> None:
    """The client's own verb captures an amount, and all that is left when it names none."""
    order = shopify.Order.find(authorise(session)["id"])
    assert order.capture("5.00").amount == "5.00"
    assert order.capture().amount == "15.00"
    assert [one.kind for one in order.transactions()] == ["authorization", "capture", "capture"]


def test_it_gives_money_back(session: RunningFake) -> None:
    """The client calculates a refund, makes it, and is told why another is refused."""
    order_id = int(place(session, ("SKU1", 2, "10.00"))["id"])
    order = shopify.Order.find(order_id)
    rows = [{"line_item_id": order.line_items[0].id, "quantity": 1, "restock_type": "no_restock"}]
    suggested = shopify.Refund.calculate(order_id, refund_line_items=rows)
    [transaction] = suggested.transactions
    given = {"parent_id": transaction.parent_id, "amount": transaction.amount, "kind": "refund"}
    made = shopify.Refund.create({"order_id": order_id, "refund_line_items": rows, "transactions": [given]})
    assert made.transactions[0].amount == "10.00"
    assert [one.id for one in shopify.Refund.find(order_id=order_id)] == [made.id]
    assert shopify.Order.find(order_id).financial_status == "partially_refunded"
    beyond = shopify.Refund.create({"order_id": order_id, "transactions": [{**given, "amount": "10.01"}]})
    assert "greater than net payment received" in beyond.errors.full_messages()[0]


def test_it_sends_an_order(session: RunningFake) -> None:
    """The client finds what is to be sent, sends it with tracking, changes the tracking and calls it back."""
    order_id = int(place(session, ("SKU1", 2, "10.00"))["id"])
    [request] = shopify.FulfillmentOrders.find(order_id=order_id)
    rows = [{"id": line.id, "quantity": line.fulfillable_quantity} for line in request.line_items]
    given = [{"fulfillment_order_id": request.id, "fulfillment_order_line_items": rows}]
    tracking = {"number": "T1", "company": "DHL"}
    made = shopify.FulfillmentV2({"line_items_by_fulfillment_order": given, "tracking_info": tracking})
    assert made.save()
    assert made.tracking_number == "T1"
    assert shopify.Order.find(order_id).fulfillment_status == "fulfilled"
    [found] = shopify.Fulfillment.find(order_id=order_id)
    assert (found.id, found.status) == (made.id, "success")
    found.update_tracking({"number": "T2"}, notify_customer=False)
    assert shopify.Fulfillment.find(found.id, order_id=order_id).tracking_number == "T2"
    made.post("cancel")
    assert shopify.Order.find(order_id).fulfillment_status is None


def test_it_sees_why_nothing_is_sent(session: RunningFake) -> None:
    """A second fulfillment does not save and tells why."""
    order = place(session)
    given = {"line_items_by_fulfillment_order": [{"fulfillment_order_id": int(order["aliases"][0])}]}
    assert shopify.FulfillmentV2(dict(given)).save()
    again = shopify.FulfillmentV2(dict(given))
    assert not again.save()
    assert "unfulfillable status= closed" in again.errors.full_messages()[0]


def test_it_sets_and_adjusts_stock(session: RunningFake) -> None:
    """The client finds an item by its SKU and moves its levels at both locations."""
    stock(session)
    places = {one.name: one for one in shopify.Location.find()}
    [item] = [one.variants[0].inventory_item_id for one in shopify.Product.find(limit=250)]
    assert shopify.InventoryItem.find(item).sku == "SKU1"
    assert shopify.InventoryLevel.set(places["EAST"].id, item, 7).available == 7
    assert shopify.InventoryLevel.adjust(places["MAIN"].id, item, -3).available == 97
    assert available(session) == {"MAIN": 97, "EAST": 7}
    found = shopify.InventoryLevel.find(inventory_item_ids=str(item))
    assert sorted(one.available for one in found) == [7, 97]
    assert [one.available for one in places["EAST"].inventory_levels()] == [7]


def test_it_changes_a_price(session: RunningFake) -> None:
    """The client saves a variant with another price."""
    stock(session)
    [product] = shopify.Product.find()
    variant = shopify.Variant.find(product.variants[0].id)
    variant.price = "12.34"
    assert variant.save()
    assert shopify.Variant.find(variant.id).price == "12.34"


def test_it_connects_and_disconnects_stock(session: RunningFake) -> None:
    """The client stocks an item elsewhere and takes it away again."""
    item, east = int(stock(session, "SKU1", MAIN=5)), locations(session)["EAST"]
    made = shopify.InventoryLevel.connect(east, item)
    assert made.available == 0
    made.destroy()
    assert available(session) == {"MAIN": 5}
    with pytest.raises(ResourceInvalid):
        shopify.InventoryLevel.adjust(east, item, 1)


def test_it_pages_through_products(session: RunningFake) -> None:
    """Following the pages forward and back shows every product once."""
    for number in range(5):
        stock(session, f"SKU{number}")
    page = shopify.Product.find(limit=2)
    titles = [one.title for one in page]
    while page.has_next_page():
        page = page.next_page()
        titles += [one.title for one in page]
    assert titles == [f"SKU{number}" for number in range(5)]
    assert [one.title for one in page.previous_page()] == titles[2:4]


def test_it_reads_the_call_limit_after_a_write(session: RunningFake) -> None:
    """Every answer of the new surface carries the limit header the client looks up."""
    session.seed(settings={"bucket": 40, "leak_per_s": 0.0001})
    item = stock(session)
    shopify.InventoryLevel.set(locations(session)["MAIN"], int(item), 1)
    assert shopify.Limits.credit_used() == 2
