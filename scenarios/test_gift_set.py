"""A gift set is sold as its parts, and the parts do not lie in one place."""


def test_a_gift_set_ships_from_two_locations(storefront, erp, wms, history, ops):
    """Each part is ordered once, set aside where there is any, shipped in two parcels, and the stock is right everywhere."""
    parts = wms.take_in(2)
    mug, tin = parts.skus
    wms.adjust(parts[1:], -100, location="MAIN")  # tins are left in the east only

    orders = storefront.place(3, lines=[{"sku": mug, "quantity": 2}, {"sku": tin, "quantity": 1}])
    history.wait_until(orders.resolved())
    assert wms.orders(orders).each_exactly_once("allocated")
    assert erp.sales_orders(orders).each_exactly_once()
    for sales_order in erp.sales_orders(orders):
        assert {line["sku"]: line["quantity"] for line in sales_order["lines"]} == {mug: 2, tin: 1}

    wms.ship(orders)
    history.wait_until(orders.resolved("shipment-to-erp", "fulfilment-writeback", times=2))
    assert len(erp.item_fulfillments(orders)) == len(storefront.fulfillments(orders)) == 2 * len(orders)

    stock = wms.stock(parts)
    assert stock[mug]["MAIN"]["on_hand"] == 100 - 2 * len(orders)
    assert stock[mug]["EAST"]["on_hand"] == 50
    assert stock[tin]["MAIN"]["on_hand"] == 0
    assert stock[tin]["EAST"]["on_hand"] == 50 - len(orders)
    history.wait_until(storefront.in_sync(parts))
    assert storefront.levels(parts)[tin] == {"MAIN": 0, "EAST": 50 - len(orders)}
    assert not ops.alerts()
