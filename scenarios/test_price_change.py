"""A price list is changed in one go, and the shop has no calls left for anybody else."""


def test_rate_limits_in_a_bulk_price_change(storefront, gateway, faults, history, ops):
    """Captured payments are written back when the shop says that it has room again, not earlier, and none is lost."""
    orders = storefront.reserve(4)
    price_change = storefront.change_prices(120)
    assert price_change.refused, "the bucket of 40 calls held them all"

    crowded = storefront.limits_rate(retry_after="20s", at="payment-writeback", orders=orders, times=2)
    with faults.arm(crowded) as limit:
        storefront.place(orders)
        history.wait_until(orders.resolved("payment-writeback"), within="2m")

    assert len(limit.receipts) == 2 * len(orders)
    assert history.waits("payment-writeback", orders, at_least="20s")
    assert len(history.calls("payment-writeback", orders)) == 3 * len(orders)
    assert storefront.transactions(orders).each_exactly_once("capture")
    assert gateway.payments(orders).each_exactly_once("succeeded")
    assert not ops.alerts()
