"""The values a story speaks with: orders, conditions, and what was seen."""

from pathlib import Path

import pytest

from harness.core.compile.frame import build_ledger_rule
from harness.core.history import Change, History, Order
from harness.core.loading import load_stack
from harness.pytest_plugin.orders import Orders
from harness.pytest_plugin.seen import Count, Seen

STACK = Path(__file__).parents[2] / "reference" / "stack.yaml"


@pytest.fixture(scope="module")
def orders():
    """Make three orders of the reference's stack."""
    rule = build_ledger_rule(load_stack(STACK.read_text(), file=str(STACK)))
    return Orders(tuple(Order(ordinal, f"#41100{ordinal}") for ordinal in (1, 2, 3)), rule)


def posted(orders, *ordinals):
    """Build a history in which these orders have a sales order each."""
    changes = (Change(1.0, "erp", "sales_orders", f"so{ordinal}", ordinal, "created") for ordinal in ordinals)
    return History(now=2.0, orders=orders.each, changes=tuple(changes))


def test_orders_are_cut_and_joined(orders):
    """Some orders are orders again, and know their ordinals in the story."""
    assert orders[1:].ordinals == (2, 3)
    assert (orders[2:] + orders[:1]).names == ("#411003", "#411001")
    assert repr(orders[:2]) == "<#411001, #411002>"
    assert orders[0].name == "#411001"


def test_resolved_waits_for_every_order(orders):
    """The condition is met once each order has reached the end of the handoff, and names those that have not."""
    resolved = orders.resolved("order-to-erp")

    assert resolved.is_met(posted(orders, 1, 2, 3), 0.0)
    assert not resolved.is_met(posted(orders, 1, 3), 0.0)
    assert resolved.list_unmet(posted(orders, 1, 3)) == ["1 of 3 in erp sales_orders: #411002 missing"]


def test_resolved_as_often_as_told(orders):
    """An order that is to be there twice is not there as long as it is there once."""
    assert not orders.resolved("order-to-erp", times=2).is_met(posted(orders, 1, 2, 3), 0.0)


def test_resolved_by_everything_that_placing_sets_off(orders):
    """With no handoff named, all those count that an order passes by itself, and none that a shipment sets off."""
    told = str(orders.resolved())

    assert all(word in told for word in ("sales_orders", "payment_intents", "transactions", "wms orders"))
    assert "fulfil" not in told


def test_a_handoff_that_is_not_there_is_an_error_that_lists_those_that_are(orders):
    """A misspelt handoff is no condition that can never be met."""
    with pytest.raises(LookupError, match=r"no handoff order-to-epr .*there is order-capture, order-to-erp"):
        orders.resolved("order-to-epr")


def test_what_was_seen_says_itself():
    """What a failing assertion shows is what was seen, the first of it."""
    seen = Seen(range(8), str)

    assert not Seen((), str)
    assert repr(Seen((), str)) == "<none seen>"
    assert repr(seen) == "<8 seen: 0; 1; 2; 3; 4; 5; and 2 more>"
    assert seen[6:][0] == 6
    assert Count(seen[:2]) == 2
    assert repr(Count(seen[:2])) == "2 <2 seen: 0; 1>"
