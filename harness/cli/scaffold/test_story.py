"""Stories of this shop: what no single promise tells, in words that somebody who runs operations can read."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def stack_file():
    """Play them in the lab of the stack beside this file."""
    return Path(__file__).with_name("stack.yaml")


def test_the_erp_is_down_at_noon(storefront, erp, gateway, faults, history, ops):
    """On-call is told once, payments go on, and when the ERP is back every order is in it exactly once."""
    with faults.arm(erp.is_down()) as outage:
        orders = storefront.place(6)
        history.wait_until(ops.breaker("order-to-erp", "open"), orders.resolved("payment-capture"))

        assert outage.receipts
        assert gateway.payments(orders).each_exactly_once("succeeded")
        assert not erp.sales_orders(orders)

    history.wait_until(orders.resolved(), ops.breaker("order-to-erp", "closed"), within="4m")

    assert erp.sales_orders(orders).each_exactly_once()
    assert {alert.role for alert in ops.alerts()} == {"integration-oncall"}
