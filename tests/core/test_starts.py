"""Starts: what a handoff's end tells of its cause."""

import pytest

from harness.core.outcomes import ResolvedWhen
from harness.core.starts import Start, choose_start


@pytest.mark.parametrize(
    ("record", "start", "subject", "action"),
    [
        ("sales_order", Start.PLACED, "order", "place"),
        ("payment_intent", Start.PLACED, "order", "place"),
        ("transaction", Start.PLACED, "order", "place"),
        ("order", Start.PLACED, "order", "place"),
        ("item_fulfillment", Start.SHIPPED, "order", "act"),
        ("fulfillment", Start.SHIPPED, "order", "act"),
        ("shipment", Start.SHIPPED, "order", "act"),
        ("credit_memo", Start.REFUNDED, "order", "act"),
        ("refund", Start.REFUNDED, "order", "act"),
        ("inventory_level", Start.ADJUSTED, "item", "place"),
    ],
)
def test_a_record_tells_its_cause(record, start, subject, action):
    """Each record is there because something was placed, shipped, refunded or counted; the driver's action follows."""
    chosen = choose_start(ResolvedWhen("erp", record, "exists_once"))
    assert (chosen, chosen.subject, chosen.action) == (start, subject, action)


def test_without_an_end_orders_are_placed():
    """A handoff that says no end state begins with an order."""
    assert choose_start(None) is Start.PLACED
