"""The ERP ends our session in the middle of a batch."""


def test_session_expires_mid_batch(storefront, erp, gateway, faults, history, ops):
    """The session is renewed once, not once a worker, and every order of the batch is posted exactly once."""
    with faults.arm(erp.session_expires(after=10)) as expiry:
        orders = storefront.place(20)
        history.wait_until(orders.resolved(), within="1m")

    assert expiry.receipts
    assert history.renewals(erp) == 1
    assert erp.sales_orders(orders).each_exactly_once()
    assert gateway.payments(orders).each_exactly_once("succeeded")
    assert not ops.alerts()
    assert not ops.dead_letters("order-to-erp", orders)
