"""Quantities: one record that holds an order twice."""

import pytest
from histories import did, record, shown, told

from harness.core.checks.ledger import check_ledger
from harness.core.checks.quantities import describe_growth
from harness.core.checks.resolution import check_resolved_once
from harness.core.experiments import LedgerRule
from harness.core.history import Change

PLACED = did("place", 0.0, 1)


def lines(*quantities):
    """Make the lines of a record."""
    return [{"sku": f"S{n}", "quantity": quantity} for n, quantity in enumerate(quantities)]


def grown(*states, ordered=(2, 1)):
    """Say how a record grew that went through these states, of an order of these quantities."""
    order = Change(0.5, "storefront", "orders", "o1", 1, "created", {"lines": lines(*ordered)}, "#1001")
    later = [record(1 + n, action="updated" if n else "created", lines=state) for n, state in enumerate(states)]
    return told(PLACED, order, *later, shown())


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([lines(2, 1)], ""),
        ([lines(2, 1), lines(2, 1)], ""),
        ([lines(2, 1), lines(2, 1, 2, 1)], "3 units became 6"),
        ([lines(2, 1), lines(4, 2)], "3 units became 6"),
        ([lines("2.0", "1"), lines("2.5", "1")], "3.0 units became 3.5"),
        ([[], lines(2), lines(2, 1)], ""),
        ([lines(2), lines(2, 1), lines(2, 1, 1)], "2 units became 4"),
        ([lines(6, 3), lines(6, 3)], ""),
        ([lines(2, 1), lines(2, 1, 2, 1), lines(2, 1)], ""),
        (["none", "more"], ""),
        ([[{"sku": "S"}], [{"quantity": "many"}]], ""),
    ],
)
def test_growth(states, said):
    """Lines that were written again are told; a record filled step by step, a kit's parts and what was put right are not."""
    assert describe_growth(grown(*states), "sales_orders", 1) == said


def test_growth_without_an_order_to_hold_it_against():
    """Where the storefront shows no lines, a record is held against what it was created with."""
    assert describe_growth(grown(lines(2), lines(4), ordered=()), "sales_orders", 1) == "2 units became 4"


def test_doubled_in_one_record():
    """An order that one record holds twice is not resolved once, and the ledger counts it as doubled."""
    history = grown(lines(2, 1), lines(2, 1, 2, 1))
    result = check_resolved_once(history, collection="sales_orders", orders=(1,))

    assert result.observed == "doubled: #1001, where 3 units became 6"
    assert check_ledger(history, LedgerRule("sales_orders", ())).observed == "doubled: #1001"
