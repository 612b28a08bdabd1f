"""The whole chain on its clean path: from an order to its parcel, its stock and its refund."""

from decimal import Decimal
from itertools import pairwise

import pytest
from reference_chain import STOCK, await_that


def test_an_order_goes_all_the_way(chain, carrier):
    """An order that is placed is posted, paid, told of and sent; its parcel is known to the ERP and the storefront, each once."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order), "the order to be at the warehouse")
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"), "the write-back")
    chain.wms.act("ship", entity=order.name)
    await_that(lambda: chain.is_shipped_everywhere(order), "the parcel to be known")

    chain.ensure_whole(order, shipments=1)
    assert chain.storefront.state("orders", id=order.id)[0]["fulfillment_status"] == "fulfilled"
    assert carrier.letters() == []
    assert carrier.ops("exceptions") == []


def test_everything_names_its_order(chain, carrier):
    """What is written anywhere is attributed to the order by the vendor itself, under ids that do not change."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))
    chain.wms.act("ship", entity=order.name)
    await_that(lambda: chain.is_shipped_everywhere(order))
    (shipment,) = chain.wms.state("shipments", reference=order.number)
    (fulfilment,) = chain.erp.state("item_fulfillments")

    assert chain.erp.state("sales_orders")[0]["external_id"] == f"SHP-{order.number}"
    assert fulfilment["external_id"] == f"SHP-{shipment['id']}"
    assert fulfilment["tracking"] == shipment["tracking"]
    assert fulfilment["memo"].startswith(order.name)
    for control, operation in (
        (chain.erp, "sales_order.upsert"),
        (chain.erp, "item_fulfillment.transform"),
        (chain.gateway, "payment_intent.capture"),
        (chain.wms, "wms_order.create"),
        (chain.storefront, "transaction.create"),
        (chain.storefront, "fulfillment.create"),
    ):
        assert [call["entity"] for call in control.calls(operation)] == [order.name], operation
    assert chain.gateway.calls("payment_intent.capture")[0]["key"] == f"payment-capture:{order.number}"


def test_an_order_that_was_paid_elsewhere_waits_for_the_erp_alone(chain, carrier):
    """Without a payment of ours nothing is captured or told of, and the warehouse gets the order all the same."""
    order = chain.reserve(paid_here=False)
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))

    chain.ensure_whole(order)
    assert chain.gateway.calls("payment_intent.capture") == []
    assert chain.storefront.calls("transaction.create") == []


def test_the_warehouse_waits_for_both(chain, carrier):
    """While the ERP is out payments go on, while the gateway is out the ERP does; the order is sent once both are done."""
    first, second = chain.reserve(), chain.reserve()
    with chain.erp.fault("status", "sales_order.upsert", params={"status": 503}, entities=[first.name]):
        chain.place(first)
        await_that(lambda: chain.storefront.state("transactions", order_id=first.id, kind="capture"))
        await_that(lambda: carrier.letters(handoff="order-to-erp", state="waiting"))
    with chain.gateway.fault("status", "payment_intent.capture", params={"status": 503}, entities=[second.name]):
        chain.place(second)
        await_that(lambda: chain.erp.state("sales_orders", entity=second.name))
        await_that(lambda: carrier.letters(handoff="payment-capture", state="waiting"))
    assert chain.wms.state("orders") == []

    for letter in carrier.letters():
        assert carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    for order in (first, second):
        await_that(lambda order=order: chain.is_at_the_warehouse(order))
        await_that(lambda order=order: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
        chain.ensure_whole(order)


def test_parcels_of_two_locations_are_two_of_everything(chain, carrier):
    """An order that the first location can fill by half is filled by the second; each parcel is written once everywhere."""
    order = chain.reserve(quantity=4)
    with chain.wms.fault("partial_allocation", "wms_order.create", entities=[order.name]):
        chain.place(order)
        await_that(lambda: chain.wms.state("orders", reference=order.number, status="allocated"))
    (at_warehouse,) = chain.wms.state("orders", reference=order.number)
    assert {row["location"]: row["quantity"] for row in at_warehouse["allocations"]} == {"MAIN": 2, "EAST": 2}
    chain.wms.act("ship", entity=order.name)
    await_that(lambda: len(chain.erp.state("item_fulfillments", entity=order.name)) == 2)
    await_that(lambda: len(chain.storefront.state("fulfillments", entity=order.name)) == 2)

    chain.ensure_whole(order, shipments=2)
    lines = [line for one in chain.erp.state("item_fulfillments") for line in one["lines"]]
    assert sum(line["quantity"] for line in lines) == 4
    assert carrier.ops("exceptions") == []


def test_a_refund_becomes_a_credit_memo(chain, carrier):
    """Money given back at the storefront is one credit memo over the same amount, however often it is told."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    chain.storefront.act("refund", id=order.id, amount="10.00")
    await_that(lambda: chain.erp.state("credit_memos", entity=order.name))
    chain.storefront.act("deliver", id=order.id, topic="refunds/create")
    chain.storefront.act("refund", id=order.id, amount="5.00")
    await_that(lambda: len(chain.erp.state("credit_memos", entity=order.name)) == 2)

    memos = chain.erp.state("credit_memos", entity=order.name)
    assert sorted(Decimal(memo["total"]) for memo in memos) == [Decimal("5.00"), Decimal("10.00")]
    refunds = chain.storefront.state("refunds", order_id=order.id)
    assert {memo["external_id"] for memo in memos} == {f"RF-{refund['id']}" for refund in refunds}


def test_a_refund_waits_for_its_order_to_be_in_the_erp(chain, carrier):
    """A credit memo is not written before the sales order it belongs to."""
    order = chain.reserve(paid_here=False)
    with chain.erp.fault("status", "sales_order.upsert", params={"status": 503}, entities=[order.name]):
        chain.place(order)
        chain.storefront.act("refund", id=order.id, amount="10.00")
        (letter,) = await_that(lambda: carrier.letters(handoff="order-to-erp"))
    assert chain.erp.calls("credit_memo.upsert") == []

    carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay")
    await_that(lambda: chain.erp.state("credit_memos", entity=order.name))


@pytest.fixture
def item(chain):
    """Stock a new item at both ends."""
    (made,) = chain.wms.act("reserve-items", count=1)["items"]
    levels = {"MAIN": 100, "EAST": 50}
    chain.storefront.act("stock-items", items=[{"sku": made["sku"], "levels": levels}])
    return made["sku"]


def read_levels(chain, sku):
    """Return what the storefront has of an item, by location."""
    return {row["location"]: row["available"] for row in chain.storefront.state("inventory_levels", sku=sku)}


def test_stock_follows_the_warehouse(chain, carrier, item):
    """What changes at the WMS is set at the storefront at that location, and no value is set twice in a row."""
    chain.wms.act("adjust-stock", sku=item, location="MAIN", delta=-3)
    await_that(lambda: read_levels(chain, item) == {"MAIN": 97, "EAST": 50})
    chain.wms.act("adjust-stock", sku=item, location="EAST", delta=-50)
    await_that(lambda: read_levels(chain, item) == {"MAIN": 97, "EAST": 0})

    bodies = [call["request_sha256"] for call in chain.storefront.calls("inventory_level.set", entity=item)]
    assert len(set(bodies)) == 2
    # A call that was not answered in time is made again; setting a level twice does no harm.
    troubles = [row for row in carrier.ops("exceptions") if row["handoff"] == "inventory-sync"]
    assert len(bodies) - len(set(bodies)) <= len(troubles)
    assert {row["name"] for row in carrier.ops("caches")} == {"erp-session", "inventory-items", "locations"}


def test_the_storefront_has_what_the_warehouse_can_still_send(chain, carrier):
    """After an order was allocated, the levels at both ends are the same at every location."""
    order = chain.reserve(quantity=7)
    chain.place(order)
    expected = {"MAIN": STOCK - 7, "EAST": STOCK}
    await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: chain.storefront.calls("inventory_level.set"))
    await_that(lambda: read_levels(chain, "MUG-WHITE") == expected)

    assert {row["location"]: row["available"] for row in chain.wms.state("stock", sku="MUG-WHITE")} == expected


def test_stock_sync_refuses_to_run_twice_at_once(chain, carrier, item):
    """While a run is listing, another start is answered 409, and shown as running all the while."""
    with chain.wms.fault("delay", "inventory.list", params={"seconds": 0.5}):
        await_that(lambda: [job for job in carrier.ops("jobs") if job["name"] == "sync-inventory"])
        statuses = {carrier.http.post("/ops/jobs/sync-inventory/start").status_code for _ in range(8)}

    assert 409 in statuses
    assert statuses <= {202, 409}
    runs = [job for job in carrier.ops("jobs") if job["name"] == "sync-inventory"]
    ended = sorted((job["started_at"], job["finished_at"]) for job in runs if job["finished_at"])
    assert all(later[0] >= earlier[1] - 0.05 for earlier, later in pairwise(ended))


def test_what_is_not_configured_is_left_out(chain, without):
    """Without a warehouse orders are posted and paid; without a gateway they are posted and sent; nothing waits for what is not there."""
    missing, carrier = without
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.erp.state("sales_orders", entity=order.name))
    if missing == "wms":
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    else:
        await_that(lambda: chain.is_at_the_warehouse(order))

    assert carrier.http.post(f"/webhooks/{missing}").status_code == 404
    assert missing not in {row["system"] for row in carrier.ops("sessions")}
    assert chain.wms.calls("wms_order.create") == [] or missing == "gateway"
    assert chain.gateway.calls("payment_intent.capture") == [] or missing == "wms"
    assert carrier.ops("exceptions") == []


@pytest.fixture(params=["wms", "gateway"])
def without(request, chain, carry):
    """Run the reference without one of the systems."""
    heard = [system for system in ("storefront", "wms", "gateway") if system != request.param]
    return request.param, carry(None, *heard, **{f"{request.param.upper()}_URL": ""})


def test_operators_see_every_system_and_every_breaker(carrier):
    """There is a session for each system and a breaker for each handoff that has one."""
    assert [row["system"] for row in carrier.ops("sessions")] == ["erp", "storefront", "gateway", "wms"]
    assert {row["handoff"] for row in carrier.ops("breakers")} == {
        "order-to-erp",
        "payment-capture",
        "erp-to-wms",
        "fulfilment-writeback",
    }
