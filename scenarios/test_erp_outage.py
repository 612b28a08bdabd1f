"""The ERP is down for a while, in the middle of the day."""


def test_a_breaker_contains_an_erp_outage_while_payments_go_on(storefront, erp, gateway, faults, history, ops):
    """The ERP is left in peace, on-call is told once, payments go on, and nothing is lost when it is back."""
    with faults.arm(erp.is_down()) as outage:
        orders = storefront.place(8)
        history.wait_until(
            ops.breaker("order-to-erp", "open"),
            orders.resolved("payment-capture", "payment-writeback"),
        )
        sent = len(history.calls("order-to-erp"))
        history.watch("20s")

        assert outage.receipts
        assert len(history.calls("order-to-erp")) == sent, "the breaker is open, and calls go on"
        assert gateway.payments(orders).each_exactly_once("succeeded")
        assert not erp.sales_orders(orders)

    history.wait_until(orders.resolved(), ops.breaker("order-to-erp", "closed"), within="4m")

    assert erp.sales_orders(orders).each_exactly_once()
    assert [alert.role for alert in ops.alerts()] == ["integration-oncall"]
