"""Resolution: once, in time, in the same state, or not at all."""

import pytest
from histories import alert, call, did, record, sent, told

from harness.core.checks.resolution import (
    check_recovered,
    check_resolved_once,
    check_same_end_state,
    check_untouched,
)
from harness.core.ends import EndState
from harness.core.history import Change
from harness.core.verdict import Outcome, UnknownKind

PLACED = did("place", 1.0, 1, 2)


def judge(*things, orders=(1,), within_s=None, since="place"):
    """Judge whether orders placed at 1 s are resolved once."""
    history = told(PLACED, *things)
    return check_resolved_once(
        history, end=EndState("erp", "sales_order"), orders=orders, within_s=within_s, since=since
    )


@pytest.mark.parametrize(
    ("changes", "observed"),
    [
        ([], "not in sales_orders within 10.0 s: #1001"),
        ([record(2)], "1 order once each in sales_orders"),
        ([record(2), record(3, action="updated")], "1 order once each in sales_orders"),
        ([record(2), record(3, record_id="8")], "doubled: #1001"),
        ([record(2), record(3, action="deleted")], "not in sales_orders within 10.0 s: #1001"),
        ([record(2), record(2.5, action="deleted"), record(3, record_id="8")], "1 order once each in sales_orders"),
        ([record(2, order=2)], "not in sales_orders within 10.0 s: #1001"),
    ],
)
def test_once(changes, observed):
    """An order has one standing record; none and two are broken promises."""
    result = judge(*changes)
    assert result.observed == observed
    assert result.outcome is (Outcome.HELD if "once" in observed else Outcome.VIOLATED)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("voided", "purchased", "held"),
        ("purchased", "Cancelled", "held"),
        ("purchased", "purchased", "violated"),
        ("purchased", "Closed", "violated"),
        ("voided", "canceled", "held"),
        ("failure", None, "held"),
    ],
)
def test_what_was_called_off_is_no_second_one(first, second, outcome):
    """Beside another record one that was voided, cancelled or failed does not count, as in the ledger; one alone does."""
    records = [
        record(t, record_id=str(t), status=status) for t, status in ((2, first), (3, second)) if status is not None
    ]
    assert judge(*records).outcome == outcome


def test_two_that_were_called_off_alike():
    """Where each of two twins has one record, these are compared, whatever became of them."""
    pair = [record(2, status="Cancelled"), record(2, order=2, record_id="8", status="Cancelled")]
    end = EndState("erp", "sales_order")
    assert check_same_end_state(told(PLACED, *pair), end=end, order=1, twin=2).outcome is Outcome.HELD
    again = record(3, record_id="9", status="Pending")
    judged = check_same_end_state(told(PLACED, *pair, again), end=end, order=1, twin=2)
    assert judged.observed == "status: 'Pending' instead of 'Cancelled'"


def test_captures_in_parts_are_one():
    """Captures that were written back in parts are judged by their sum, which is the ledger's."""
    order = Change(0.5, "storefront", "orders", "1", 1, "created", {"total_price": "30.00"})
    parts = [
        Change(t, "storefront", "transactions", str(t), 1, "created", {"kind": "capture", "amount": "15.00"})
        for t in (2, 3)
    ]
    end = EndState("storefront", "transaction", "capture")
    assert check_resolved_once(told(PLACED, order, *parts), end=end, orders=(1,)).outcome is Outcome.HELD
    assert check_resolved_once(told(PLACED, *parts), end=end, orders=(1,)).outcome is Outcome.VIOLATED


def test_every_order_is_asked_for():
    """One missing among several is enough, and a doubled one is told before a missing one."""
    assert judge(record(2), orders=(1, 2)).observed.endswith("#1002")
    assert judge(record(2), record(2, record_id="8"), orders=(1, 2)).observed == "doubled: #1001"


@pytest.mark.parametrize(("t", "outcome"), [(3.0, "held"), (3.001, "violated")])
def test_in_time(t, outcome):
    """The time counts from placing to the first record, and the last moment is still in time."""
    assert judge(record(t), record(t + 5, action="updated"), within_s=2.0).outcome == outcome


def test_lateness_is_measured():
    """A record that came too late says by how much."""
    assert judge(record(3.5), within_s=2.0).margin_s == pytest.approx(0.5)


def test_time_from_another_action():
    """The time can count from the end of another action of the driver."""
    restart = did("restart", 2.0, until=4.0)
    assert judge(restart, record(5.5), within_s=2.0, since="restart").outcome is Outcome.HELD
    assert judge(restart, record(6.5), within_s=2.0, since="restart").outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    "thing",
    [
        call(2, 204),
        call(2, 500, operation=None, method="POST"),
        record(2),
        alert(2, entity="#1001"),
        alert(2, entity="1001"),
    ],
)
def test_touched(thing):
    """A call that could change something, a record or an alert about the order is a trace of it."""
    assert check_untouched(told(thing), orders=(1,), horizon_s=1).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    "thing",
    [
        call(2, order=2),
        call(2, 404, method="GET"),
        call(2, 404, method="HEAD"),
        record(2, order=2),
        alert(2, entity="#10012"),
        alert(2, entity=None),
        Change(2, "storefront", "orders", "1", 1, "created"),
        sent(2, 401),
    ],
)
def test_untouched(thing):
    """Reads, other orders, the storefront's own records and the delivery itself change nothing."""
    assert check_untouched(told(thing), orders=(1,), horizon_s=1).outcome is Outcome.HELD


def same(mine, theirs):
    """Compare what two orders ended as."""
    history = told(record(1, **mine), record(1, order=2, record_id="8", **theirs))
    return check_same_end_state(history, end=EndState("erp", "sales_order"), order=1, twin=2)


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        ({"memo": "a"}, {"memo": "a"}, "held"),
        ({"memo": "a"}, {"memo": "b"}, "violated"),
        ({"memo": "a", "note": "x"}, {"memo": "a"}, "violated"),
        ({"memo": "order #1001"}, {"memo": "order #1002"}, "held"),
        ({"memo": "order 51001"}, {"memo": "order 51002"}, "held"),
        ({"memo": "a", "id": 1, "revision": 2}, {"memo": "a", "id": 2, "revision": 5}, "held"),
        ({"memo": "at 2026-03-01T10:00:00Z"}, {"memo": "at 2026-03-01T10:00:01.5+01:00"}, "held"),
        ({"day": "2026-03-01"}, {"day": "2026-03-02"}, "violated"),
        ({"lines": [{"quantity": 1}]}, {"lines": [{"quantity": 2}]}, "violated"),
        ({"id": 1}, {"id": 2}, "unknown"),
    ],
)
def test_same_end_state(mine, theirs, outcome):
    """Two orders ended alike when everything but names, ids and moments is equal, and there is something left to compare."""
    assert same(mine, theirs).outcome == outcome


def test_end_state_is_the_newest():
    """Only the newest state of a record counts."""
    history = told(
        record(1, memo="old"), record(2, action="updated", memo="new"), record(1, order=2, record_id="8", memo="new")
    )
    assert check_same_end_state(history, end=EndState("erp", "sales_order"), order=1, twin=2).outcome is Outcome.HELD


def test_no_twin_no_comparison():
    """An order that is missing or doubled has not ended in the same state."""
    for history in (told(record(1)), told(record(1), record(1, record_id="8"), record(1, order=2, record_id="9"))):
        assert (
            check_same_end_state(history, end=EndState("erp", "sales_order"), order=1, twin=2).outcome
            is Outcome.VIOLATED
        )


def recovered(*things):
    """Judge recovery within 2 s of a restart that lasted from 3 to 4 s."""
    history = told(PLACED, did("restart", 3.0, until=4.0), *things)
    return check_recovered(history, end=EndState("erp", "sales_order"), within_s=2.0)


@pytest.mark.parametrize(
    ("things", "outcome"),
    [
        ([sent(2), record(5)], "held"),
        ([sent(2), record(2.5)], "held"),
        ([sent(2.999), record(5)], "held"),
        ([sent(2.999)], "violated"),
        ([sent(2), record(6.5)], "violated"),
        ([sent(2)], "violated"),
        ([sent(2), record(5), record(5, record_id="8")], "violated"),
        ([sent(2), record(5), sent(2, None, order=2)], "held"),
        ([sent(2), record(5), sent(5, 200, order=2)], "held"),
        ([sent(2, None)], "unknown"),
        ([sent(2, 500), sent(5, 200)], "unknown"),
    ],
)
def test_recovered(things, outcome):
    """What was acknowledged before the crash is there in time after the restart; what was not comes again by itself."""
    assert recovered(*things).outcome == outcome


def test_recovered_from_nothing():
    """Without a restart there was nothing to recover from."""
    result = check_recovered(told(sent(1), record(2)), end=EndState("erp", "sales_order"), within_s=2)
    assert (result.name, result.kind) == ("recovered", UnknownKind.VACUOUS)
