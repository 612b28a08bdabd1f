"""Stock: the warehouse's numbers add up at every change, and whoever broke them is named."""

import pytest
from histories import told

from harness.core.checks.stock import check_stock, has_stock
from harness.core.history import Change
from harness.core.verdict import Outcome

FULL = {
    "opening": 100,
    "received": 5,
    "adjusted": -3,
    "shipped": 10,
    "on_hand": 92,
    "allocated": 12,
    "available": 80,
}


def stock(t=1.0, *, sku="CAP", location="MAIN", order=None, **changes):
    """Make a change of a stock that adds up, but for what is changed."""
    record = {"sku": sku, "location": location, **FULL, **changes}
    return Change(t, "wms", "stock", f"{sku}@{location}", order, "updated", record, sku)


def booked(t=1.0, order=1, *skus, collection="orders"):
    """Make the change of an order at the warehouse that follows what it took from the shelves."""
    lines = [{"sku": sku, "quantity": 1} for sku in skus or ("CAP",)]
    return Change(t, "wms", collection, f"ord_{order}", order, "updated", {"lines": lines}, f"#100{order}")


def test_numbers_that_add_up_are_held():
    """Whatever came, went and was allocated, on hand and available follow from it."""
    later = stock(2.0, shipped=12, on_hand=90, allocated=10)
    result = check_stock(told(stock(), booked(), later, stock(3.0, location="EAST")))
    assert result.outcome is Outcome.HELD
    assert result.observed == "3 changes of 2 stocks add up"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"on_hand": 93, "available": 81}, "93 on hand, but 92 by what came and went"),
        ({"available": 81}, "81 available, but 80 by what is allocated"),
        ({"allocated": 95, "available": -3}, "-3 available"),
        ({"allocated": -1, "available": 93}, "-1 allocated"),
        ({"shipped": 110, "on_hand": -8, "available": -20}, "-8 on hand"),
    ],
)
def test_numbers_that_do_not_add_up_are_violated(changes, said):
    """What is wrong is said with the numbers, the item and the location."""
    result = check_stock(told(stock(**changes)))
    assert result.outcome is Outcome.VIOLATED
    assert said in result.observed
    assert result.observed.startswith("CAP at MAIN: ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"opening": 101, "on_hand": 93, "available": 81}, "opened with 100, now with 101"),
        ({"shipped": 9, "on_hand": 93, "available": 81}, "shipped fell from 10 to 9"),
        ({"received": 4, "on_hand": 91, "available": 79}, "received fell from 5 to 4"),
    ],
)
def test_what_was_counted_once_stays_counted(changes, said):
    """An opening that changes, or units that come back from a shipment, are no bookkeeping."""
    result = check_stock(told(stock(), stock(2.0, **changes)))
    assert result.outcome is Outcome.VIOLATED
    assert said in result.observed


def test_corrections_may_go_either_way():
    """What was adjusted is the sum of counts, which find less as well as more."""
    result = check_stock(told(stock(), stock(2.0, adjusted=-9, on_hand=86, available=74)))
    assert result.outcome is Outcome.HELD


def test_a_passing_moment_counts():
    """Numbers that were wrong in between are found although they are right in the end."""
    result = check_stock(told(stock(), stock(2.0, available=81), stock(3.0)))
    assert result.outcome is Outcome.VIOLATED
    assert [evidence.t for evidence in result.evidence] == [2.0]


def test_the_first_wrong_change_is_told_and_the_others_counted():
    """The observation names one; the evidence holds all."""
    result = check_stock(told(stock(available=81), stock(2.0, sku="MUG", available=82)))
    assert "CAP at MAIN" in result.observed
    assert result.observed.endswith("(and 1 more)")
    assert len(result.evidence) == 2


def test_the_order_whose_change_broke_it_is_named():
    """A warehouse writes down what an order takes, then the order; other items of it may lie between."""
    taken = stock(2.0, allocated=13, available=80)
    result = check_stock(told(stock(), booked(1.0, 2), taken, stock(2.0, sku="MUG"), booked(2.0, 3, "CAP", "MUG")))
    assert result.outcome is Outcome.VIOLATED
    assert "changed by #1003" in result.observed


@pytest.mark.parametrize(
    ("broken", "following"),
    [
        (stock(2.0, adjusted=-4, on_hand=92), booked(2.0, 3)),
        (stock(2.0, allocated=13), booked(2.0, 3, "MUG")),
        (stock(2.0, allocated=13), booked(2.0, None)),
        (stock(2.0, allocated=13), None),
        (stock(2.0, allocated=13), Change(2.0, "shop", "orders", "1", 3, "created", {"lines": [{"sku": "CAP"}]})),
    ],
    ids=["a count", "another item", "nobody's order", "no order", "another system's order"],
)
def test_nobody_is_blamed_for_what_another_did(broken, following):
    """A count moves nothing of an order's, and an order that does not hold the item did not move it."""
    result = check_stock(told(stock(), broken, *([following] if following else [])))
    assert result.outcome is Outcome.VIOLATED
    assert "changed by no order of this experiment" in result.observed


def test_an_item_of_the_experiment_is_named_itself():
    """Where the ordinals count items, the stock's own item is whose change it was."""
    result = check_stock(told(stock(order=4, available=81)))
    assert "changed by #1004" in result.observed


def test_what_is_not_shown_is_not_asked():
    """A warehouse that shows less is held to what it shows; one without stock has nothing to be held to."""
    shown = {"sku": "CAP", "location": "MAIN", "on_hand": 4, "available": 4}
    change = Change(1.0, "wms", "stock", "CAP@MAIN", None, "created", shown)
    assert check_stock(told(change)).outcome is Outcome.HELD
    assert has_stock(told(change))
    assert not has_stock(told(booked()))
