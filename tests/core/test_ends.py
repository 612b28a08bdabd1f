"""End states: which records show that an order or an item is resolved, and since when."""

import pytest
from histories import record, told

from harness.core.ends import EndState, build_end
from harness.core.history import Change
from harness.core.outcomes import ResolvedWhen

SALES_ORDER = EndState("erp", "sales_order")
CAPTURE = EndState("storefront", "transaction", "capture")
LEVELS = EndState("storefront", "inventory_level", "in_sync")


def change(t, system, collection, record_id="1", *, order=1, action="created", **shown):
    """Make a change of any system's record."""
    return Change(t, system, collection, record_id, order, action, shown)


def transaction(t, record_id="1", **shown):
    """Make a transaction of the storefront."""
    return change(t, "storefront", "transactions", record_id, **shown)


def stock(t, location, available, action="updated", order=1):
    """Make the warehouse's stock of an item at a location."""
    return change(t, "wms", "stock", location, order=order, action=action, location=location, available=available)


def level(t, location, available, action="updated", order=1):
    """Make the storefront's level of an item at a location."""
    fields = {"location": location, "available": available}
    return change(t, "storefront", "inventory_levels", location, order=order, action=action, **fields)


@pytest.mark.parametrize("state", ["exists", "exists_once"])
def test_existing(state):
    """A record that stands is enough, whatever it says; one that was deleted, or is another's, is not."""
    end = EndState("erp", "sales_order", state)
    assert [found.record_id for found in end.find(told(record(1, status="Pending")), 1)] == ["7"]
    assert end.find(told(record(1), record(2, action="deleted")), 1) == ()
    assert end.find(told(record(1, order=2)), 1) == ()
    assert end.find(told(change(1, "wms", "sales_orders")), 1) == ()
    assert end.find(told(change(1, "erp", "invoices")), 1) == ()


@pytest.mark.parametrize("field", ["status", "state", "kind", "financial_status", "fulfillment_status"])
def test_a_word_in_a_state_field(field):
    """Any other word is looked for in the fields where vendors write the state of a record, and in no other."""
    assert CAPTURE.find(told(transaction(1, **{field: "capture"})), 1) != ()
    assert CAPTURE.find(told(transaction(1, **{field: "authorization"})), 1) == ()
    assert CAPTURE.find(told(transaction(1, memo="capture")), 1) == ()


def test_only_records_in_the_state_count():
    """Beside the one in the state others may stand; two in the state stand for a doubled effect."""
    authorised = transaction(1, "1", kind="authorization")
    assert [each.record_id for each in CAPTURE.find(told(authorised, transaction(2, "2", kind="capture")), 1)] == ["2"]
    both = [transaction(2, "2", kind="capture"), transaction(3, "3", kind="capture")]
    assert [each.record_id for each in CAPTURE.find(told(authorised, *both), 1)] == ["2", "3"]


def test_a_state_that_was_left_is_no_more():
    """What counts is what a record says now."""
    left = [transaction(1, kind="capture"), transaction(2, action="updated", kind="void")]
    assert CAPTURE.find(told(*left), 1) == ()


def test_since_when():
    """An order is in a state since the first of its records came to it, not since the record was made or last changed."""
    states = [
        transaction(1, kind="authorization"),
        transaction(3, action="updated", kind="capture"),
        transaction(5, action="updated", kind="capture", note="late"),
        transaction(4, "2", kind="capture"),
    ]
    assert CAPTURE.reached_at(told(*states), 1) == 3
    assert SALES_ORDER.reached_at(told(record(2), record(6, action="updated")), 1) == 2


def test_since_when_of_what_was_made_twice():
    """A record that is gone says nothing of when the one that stands came."""
    assert SALES_ORDER.reached_at(told(record(1), record(2, action="deleted"), record(3, record_id="8")), 1) == 3


BEFORE = [stock(0, "MAIN", 100, "created"), stock(0, "EAST", 50, "created")]
LEVEL = [level(0, "MAIN", 100, "created"), level(0, "EAST", 50, "created")]


def test_in_sync_needs_a_change_of_the_warehouse():
    """Levels that are equal from the start show nothing until the warehouse has changed something."""
    assert LEVELS.find(told(*BEFORE, *LEVEL), 1) == ()
    changed = [*BEFORE, *LEVEL, stock(1, "MAIN", 97)]
    assert LEVELS.find(told(*changed), 1) == ()
    assert len(LEVELS.find(told(*changed, level(2, "MAIN", 97)), 1)) == 1


@pytest.mark.parametrize(
    "levels",
    [
        [level(2, "MAIN", 96)],
        [level(2, "EAST", 97)],
        [level(2, "MAIN", 97), level(3, "EAST", 49)],
        [level(2, "MAIN", 97), level(3, "WEST", 0)],
        [level(2, "MAIN", 97), level(3, "MAIN", 100)],
        [level(2, "MAIN", 97, order=2)],
    ],
)
def test_out_of_sync(levels):
    """One wrong level, one level too many, one put back or another item's is enough not to be in sync."""
    assert LEVELS.find(told(*BEFORE, *LEVEL, stock(1, "MAIN", 97), *levels), 1) == ()


def test_in_sync_is_of_each_item():
    """Another item's stock neither makes an item in sync nor keeps it from being so."""
    mine = [*BEFORE, *LEVEL, stock(1, "MAIN", 97), level(2, "MAIN", 97)]
    assert LEVELS.find(told(*mine, stock(3, "MAIN", 5, order=2)), 1) != ()
    assert LEVELS.find(told(*BEFORE, *LEVEL, stock(1, "MAIN", 97, order=2)), 1) == ()


def test_in_sync_without_levels():
    """A storefront that shows no level of an item is not in sync, not even with a warehouse that shows none either."""
    assert LEVELS.find(told(stock(1, "MAIN", 97)), 1) == ()


def test_in_sync_since_the_last_level():
    """An item is in sync since the last of its levels was set."""
    history = told(
        *BEFORE, *LEVEL, stock(1, "MAIN", 97), stock(1, "EAST", 49), level(2, "MAIN", 97), level(4, "EAST", 49)
    )
    assert LEVELS.reached_at(history, 1) == 4


def test_in_words():
    """An end state names where it shows."""
    assert [str(end) for end in (SALES_ORDER, CAPTURE, LEVELS)] == [
        "sales_orders",
        "transactions as capture",
        "inventory levels as in sync",
    ]


def test_built_from_a_stack():
    """What a stack declares is taken as it is; without a word, orders end in a sales order."""
    assert build_end(ResolvedWhen("gateway", "payment_intent", "succeeded")) == EndState(
        "gateway", "payment_intent", "succeeded"
    )
    assert build_end(None) == SALES_ORDER
