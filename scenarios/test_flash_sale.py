"""A flash sale: so many orders at once that the shop loses some of its webhooks."""


def test_webhooks_dropped_during_a_flash_sale(storefront, erp, gateway, faults, history, ops):
    """A third of the orders is never announced; reconciliation finds them within two minutes, and nobody is called."""
    orders = storefront.reserve(15)
    unannounced = orders[::3]

    with faults.arm(storefront.drops_webhooks("orders/create", orders=unannounced)) as dropped:
        storefront.place(orders)
        history.wait_until(orders.resolved(), within="2m")

    assert len(dropped.receipts) == len(unannounced)
    assert erp.sales_orders(orders).each_exactly_once()
    assert gateway.payments(orders).each_exactly_once("succeeded")
    assert not ops.alerts()
