"""Quantities: what one record holds, and whether that grew beyond what was ordered."""

import pytest
from histories import record, told

from harness.core.checks.quantities import describe_growth, describe_surplus
from harness.core.ends import EndState
from harness.core.history import Change

SALES_ORDER = EndState("erp", "sales_order")


def ordered(*quantities, t=0.5, order=1):
    """Make the storefront's own record of an order."""
    return Change(t, "storefront", "orders", "1", order, "created", {"lines": lines(*quantities)})


def lines(*quantities):
    """Make lines of a record."""
    return [{"sku": "A", "quantity": quantity} for quantity in quantities]


def states(*shown, **more):
    """Make a record that is created and updated to show these quantities."""
    actions = ["created", *["updated"] * (len(shown) - 1)]
    return [
        record(n + 1, action=action, lines=lines(*quantities), **more)
        for n, (action, quantities) in enumerate(zip(actions, shown, strict=True))
    ]


@pytest.mark.parametrize(
    ("placed", "shown", "grew"),
    [
        ((2, 1), [(2, 1)], ""),
        ((2, 1), [(2, 1), (2, 1, 2, 1)], "3 units became 6"),
        ((2, 1), [(2,), (2, 1)], ""),
        ((2, 1), [(2,), (2, 1), (2, 1, 1)], "2 units became 4"),
        ((2, 1), [(6, 3), (6, 3)], ""),
        ((2, 1), [(6, 3), (6, 3, 1)], "9 units became 10"),
        ((2, 1), [(2, 1), (2, 1, 2, 1), (2, 1)], ""),
        ((2, 1), [("1.5",), ("1.5", "1.75")], "1.5 units became 3.25"),
        ((), [(1,), (1, 1)], "1 units became 2"),
        ((2,), [()], ""),
        ((2,), [("many",), ("many", "more")], ""),
    ],
)
def test_growth(placed, shown, grew):
    """A record grew when it ends with more than it began with and more than was ordered."""
    history = told(*([ordered(*placed)] if placed else []), *states(*shown))
    assert describe_growth(history, SALES_ORDER, 1) == grew


def test_records_and_orders_are_told_apart():
    """Each record is compared with itself alone, and with its own order."""
    two = [*states((1,), (1,)), *states((2,), (2,), record_id="8")]
    assert describe_growth(told(*two), SALES_ORDER, 1) == ""
    others = [ordered(9, order=2), *states((1,), (1, 1))]
    assert describe_growth(told(*others), SALES_ORDER, 1) == "1 units became 2"
    assert describe_growth(told(*states((1,), (5,), order=2)), SALES_ORDER, 1) == ""
    assert describe_growth(told(*states((1,), (5,))), EndState("erp", "invoice"), 1) == ""


def test_an_order_that_was_changed():
    """What counts as ordered is what the storefront showed last."""
    history = told(ordered(1), ordered(3, t=0.6), *states((1,), (3,)))
    assert describe_growth(history, SALES_ORDER, 1) == ""


@pytest.mark.parametrize("shown", [None, "none", [{"sku": "A"}], ["A"], [{"quantity": None}]])
def test_lines_that_cannot_be_read(shown):
    """A record whose lines cannot be read says nothing of growth."""
    history = told(record(1, lines=shown), record(2, action="updated", lines=shown))
    assert describe_growth(history, SALES_ORDER, 1) == ""


def goods(*lines):
    """Make lines of SKU, units and, where it is given, price."""
    return [dict(zip(("sku", "quantity", "price"), line, strict=False)) for line in lines]


def hold(sold, *held):
    """Say what records that were created with these lines hold beyond what was sold."""
    shop = [
        Change(0.5 + n / 10, "storefront", "orders", "1", 1, "updated" if n else "created", {"lines": goods(*lines)})
        for n, lines in enumerate(sold)
    ]
    records = [record(1, record_id=str(n), lines=goods(*lines)) for n, lines in enumerate(held)]
    return describe_surplus(told(*shop, *records), 1, SALES_ORDER, records)


CAPS, CAP, MUG = ("CAP", 3, "12.50"), ("CAP", 1, "12.50"), ("MUG", 1, "15.00")


@pytest.mark.parametrize(
    ("sold", "held", "over"),
    [
        ([[CAPS]], [[CAPS]], ""),
        ([[CAPS]], [[CAP]], ""),
        ([[CAPS]], [[CAPS, CAP]], "4 CAP in sales_orders, 3 sold"),
        ([[CAPS]], [[CAPS], [CAP]], "4 CAP in sales_orders, 3 sold"),
        ([[CAPS, MUG]], [[CAPS, MUG]], ""),
        ([[CAPS, MUG]], [[CAPS, MUG, MUG, CAP]], "4 CAP in sales_orders, 3 sold; 2 MUG in sales_orders, 1 sold"),
        ([[CAPS, MUG]], [[CAPS, CAP]], ""),
        ([[CAPS]], [[CAPS, CAP, MUG]], ""),
        ([[CAPS, CAP]], [[("CAP", 4, "12.50")]], ""),
        ([[CAPS], [CAP]], [[CAPS]], ""),
        ([[CAP], [CAPS]], [[CAPS]], ""),
        ([[CAP]], [[("CAP", 12, "1.04")]], ""),
        ([[CAP]], [[("CAP", 2, "9.37")]], ""),
        ([[CAP]], [[("CAP", 2, "9.38")]], "2 CAP in sales_orders, 1 sold"),
        ([[CAP]], [[("CAP", 6)]], ""),
        ([[("CAP", 1)]], [[("CAP", 2, "0.10")]], ""),
        ([[CAP]], [[("CAP", 1, "0.10"), ("CAP", 1, "free")]], ""),
        ([[CAPS]], [[("CAP", 3)], [("CAP", 3)]], "6 CAP in sales_orders, 3 sold"),
        ([[CAPS]], [[("CAP", 3)], [("CAP", 1)]], "4 CAP in sales_orders, 3 sold"),
        ([[CAPS]], [[("CAP", 6)]], ""),
        ([[CAPS]], [[("CAP", 2)]], ""),
        ([[CAP]], [[("CAP", 2, "12.50"), ("CAP", 1, "free")]], ""),
        ([[("CAP", 2)]], [[("CAP", 1)], [("CAP", 1)]], ""),
        ([[("CAP", 2)]], [[("CAP", 2)], [("CAP", 2)], [("CAP", 4)]], "8 CAP in sales_orders, 2 sold"),
        ([[("CAP", 1, "10.00")]], [[("CAP", 2, "7.50")]], "2 CAP in sales_orders, 1 sold"),
        ([[MUG, ("CAP", 0, "12.50")]], [[MUG, CAP]], "1 CAP in sales_orders, 0 sold"),
        ([[MUG, ("CAP", 0)]], [[MUG, ("CAP", 1)]], "1 CAP in sales_orders, 0 sold"),
        ([[("CAP", 1, "0.00")]], [[("CAP", 2, "0.00")]], "2 CAP in sales_orders, 1 sold"),
        ([[CAP]], [], ""),
        ([], [[CAP]], ""),
        ([[CAP]], [[("CAP", "many", "12.50")]], ""),
    ],
)
def test_more_than_was_sold(sold, held, over):
    """Records of the goods that were sold hold no more units of them, unless these are worth no more or nobody can tell."""
    assert hold(sold, *held) == over


@pytest.mark.parametrize("shown", [None, "none", ["CAP"], [{"quantity": 9}]])
def test_a_surplus_that_cannot_be_read(shown):
    """Records whose lines cannot be read hold nothing that anybody could tell."""
    shop = Change(0.5, "storefront", "orders", "1", 1, "created", {"lines": goods(CAP)})
    held = record(1, lines=shown)
    assert describe_surplus(told(shop, held), 1, SALES_ORDER, [held]) == ""


def test_what_others_show_is_not_sold():
    """What was sold is what the storefront shows of that order, and nobody else."""
    other = Change(0.5, "storefront", "orders", "2", 2, "created", {"lines": goods(CAPS)})
    stored = Change(0.5, "wms", "orders", "3", 1, "created", {"lines": goods(CAPS)})
    held = record(1, lines=goods(CAPS))
    assert describe_surplus(told(other, stored, held), 1, SALES_ORDER, [held]) == ""
