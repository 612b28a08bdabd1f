"""The whole chain on its clean path: from an order to its parcel, its stock and its refund."""

from reference_chain import await_that


def test_an_order_goes_all_the_way(chain, carrier):
    """An order that is placed is posted, paid, told of and sent; its parcel is known to the ERP and the storefront, each once."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order), "the order to be at the warehouse")
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"), "the write-back")
    chain.wms.act("ship", entity=order.name)
    await_that(lambda: chain.is_shipped_everywhere(order), "the parcel to be known")

    chain.ensure_whole(order, shipments=1)
    assert carrier.letters() == []
    assert carrier.ops("exceptions") == []
