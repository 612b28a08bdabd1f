"""The ledger: every order in one row."""

import pytest
from histories import HANDOFF, call, did, letter, record, sent, shown, told

from harness.core.checks.ledger import Row, build_ledger, check_ledger
from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.verdict import Outcome, UnknownKind

END = EndState("erp", "sales_order")
RULE = LedgerRule((Station("order-capture", end=END), Station(HANDOFF, after=("order-capture",), end=END)))
PLACED = did("place", 0.0, 1)
CAPTURE = "order-capture"


@pytest.mark.parametrize(
    ("things", "row", "outcome"),
    [
        ([record(1), shown()], "posted", "held"),
        ([shown(letter())], "parked", "held"),
        ([shown(letter(), letter(id="b", handoff=CAPTURE))], "parked", "held"),
        ([record(1), shown(letter())], "posted", "held"),
        ([shown()], "lost", "violated"),
        ([shown(letter(2))], "lost", "violated"),
        ([shown(letter(state="discarded"))], "lost", "violated"),
        ([shown(letter(), t=1), shown()], "lost", "violated"),
        ([shown(letter(handoff="unknown"))], "lost", "violated"),
        ([record(1), record(2, record_id="8"), shown()], "duplicated", "violated"),
        ([shown(letter(id="a"), letter(id="b"))], "duplicated", "violated"),
        ([record(1), shown(letter(id="a"), letter(id="b"))], "duplicated", "violated"),
        ([record(1), record(2, action="deleted"), shown()], "lost", "violated"),
    ],
)
def test_rows(things, row, outcome):
    """An order is posted once, or parked once a handoff; it is lost when it is nowhere and doubled when it is there twice."""
    history = told(PLACED, *things)
    assert [entry.row for entry in build_ledger(history, RULE)] == [row]
    assert check_ledger(history, RULE).outcome == outcome


@pytest.mark.parametrize("readings", [[], [shown(error="down")]])
def test_missing_where_nothing_could_be_read(readings):
    """An order that is not posted may be parked where nobody can look."""
    result = check_ledger(told(PLACED, *readings), RULE)
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.NOT_OBSERVABLE)


def test_doubled_is_seen_without_dead_letters():
    """Two records of one order are a broken promise whatever cannot be read."""
    assert check_ledger(told(PLACED, record(1), record(2, record_id="8")), RULE).outcome is Outcome.VIOLATED


def test_posted_is_enough_without_dead_letters():
    """An order that is posted once needs no sight of the dead letters."""
    assert check_ledger(told(PLACED, record(1), observable=frozenset()), RULE).outcome is Outcome.HELD


def test_doubled_within_one_record():
    """An order whose lines were written twice into one record is doubled, and its story says so."""
    lines = [{"quantity": 2}]
    history = told(PLACED, record(1, lines=lines), record(2, action="updated", lines=lines * 2), shown())
    (entry,) = build_ledger(history, RULE)
    assert (entry.row, entry.story[-1]) == (Row.DUPLICATED, "2 units became 4")
    assert check_ledger(history, RULE).outcome is Outcome.VIOLATED


def test_orders_nobody_placed():
    """Only placed orders are in the ledger; one that is posted without having been placed is invented."""
    assert build_ledger(told(record(1)), RULE) == ()
    assert check_ledger(told(), RULE).outcome is Outcome.HELD
    assert check_ledger(told(record(1)), RULE).observed == "never placed, but #1001 in sales_orders"
    assert check_ledger(told(PLACED, record(1), record(2, order=2, record_id="8")), RULE).outcome is Outcome.VIOLATED


def test_every_placed_order_counts():
    """Orders placed at any time are each in the ledger once, in the order of the plan."""
    history = told(did("place", 1, 3, 1), did("place", 2, 2), did("replay", 3, 4), record(1), shown())
    assert [(entry.order, entry.row) for entry in build_ledger(history, RULE)] == [
        (1, Row.POSTED),
        (2, Row.LOST),
        (3, Row.LOST),
    ]
    assert check_ledger(history, RULE).observed == "lost: #1002, #1003"


def test_the_story_of_an_order():
    """An entry tells what is known of the order in each system."""
    history = told(PLACED, sent(0.1, 500), sent(0.2), call(0.3, 503), call(0.4), record(0.4), shown(letter()))
    (entry,) = build_ledger(history, RULE)
    assert entry.story == (
        "placed at the storefront",
        "2 webhooks, 1 acknowledged",
        "2 calls, the last PUT /salesOrder/eid:SHP-1 → 204",
        "1 in sales_orders",
        "1 dead letters waiting",
    )
