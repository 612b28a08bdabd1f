"""The warehouse is out. That is the warehouse's trouble, and nobody else's."""


def test_a_cascade_that_must_not_happen(storefront, erp, gateway, wms, faults, history, ops):
    """Orders are posted and paid as ever, no other handoff raises an exception, and only the warehouse's people are called."""
    with faults.arm(wms.is_down(at="erp-to-wms")) as outage:
        orders = storefront.place(6)
        history.wait_until(
            orders.resolved("order-to-erp", "payment-capture", "payment-writeback"),
            ops.breaker("erp-to-wms", "open"),
        )
        history.watch("20s")

        assert outage.receipts
        assert {trouble["handoff"] for trouble in ops.exceptions(orders)} == {"erp-to-wms"}
        assert {alert.role for alert in ops.alerts()} == {"warehouse-ops"}

    history.wait_until(orders.resolved(), within="4m")

    assert erp.sales_orders(orders).each_exactly_once()
    assert gateway.payments(orders).each_exactly_once("succeeded")
    assert wms.orders(orders).each_exactly_once("allocated")
