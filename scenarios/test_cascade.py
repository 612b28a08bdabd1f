"""The warehouse is out. That is the warehouse's trouble, and nobody else's."""


def test_a_cascade_that_must_not_happen(storefront, erp, gateway, wms, faults, history, ops):
    """New orders are posted and paid as ever, no other handoff raises an exception, and only the warehouse is called."""
    with faults.arm(wms.is_down(at="erp-to-wms")) as outage:
        orders = storefront.place(6)
        history.wait_until(ops.breaker("erp-to-wms", "open"))

        later = storefront.place(3)
        history.wait_until(later.resolved("order-to-erp", "payment-capture", "payment-writeback"))
        assert erp.sales_orders(later).each_exactly_once(within="20s")
        assert gateway.payments(later).each_exactly_once("succeeded", within="20s")

        assert outage.receipts
        assert {trouble["handoff"] for trouble in ops.exceptions(orders + later)} == {"erp-to-wms"}
        assert {alert.role for alert in ops.alerts()} == {"warehouse-ops"}

    history.wait_until((orders + later).resolved(), within="4m")

    assert wms.orders(orders + later).each_exactly_once("allocated")
