"""Containment: no exception elsewhere, starved or not, and a backlog that drains."""

import pytest
from histories import HANDOFF, alert, call, did, letter, record, shown, told

from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.ends import EndState
from harness.core.history import Observation
from harness.core.verdict import Outcome, UnknownKind

HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
PAY, SHIP = Neighbour("pay", ("payment.capture",)), Neighbour("ship", ("wms_order.create",), starves=True)
END = EndState("erp", "sales_order")


def captured(t=1.0, status=200, **more):
    """Make a call of the neighbour that does not depend on the handoff in trouble."""
    return call(t, status, operation="payment.capture", system="gateway", **more)


def contained(*things, neighbours=(PAY, SHIP), **more):
    """Judge the neighbours over orders 1 and 2."""
    return check_contained(told(*things, **more), neighbours=neighbours, orders=(1, 2))


def test_contained():
    """Trouble of the handoff itself is its own affair, and a neighbour without work is starved, which is named."""
    result = contained(call(1, 503), captured(), shown(letter()), alert())
    assert (result.outcome, result.observed) == (HELD, "none at 2 handoffs; without work: ship")


def test_a_neighbour_that_works_is_not_starved():
    """Only a handoff that comes after the one in trouble and was not called is without work."""
    sent = call(2, 201, operation="wms_order.create", system="wms")
    assert contained(sent, shown()).observed == "none at 2 handoffs"
    assert contained(shown(), neighbours=(PAY,)).observed == "none at 1 handoffs"


def test_a_handoff_that_does_not_wait():
    """Going ahead with an order that has not passed the handoff in trouble breaks what `after` declares."""
    shipped = call(2, 201, operation="wms_order.create", system="wms")
    early = check_contained(told(shipped, shown()), neighbours=(PAY, SHIP), orders=(1, 2), end=END)
    assert early.outcome is VIOLATED
    assert early.observed.startswith("ship did not wait: ")
    passed = check_contained(told(record(1), shipped, shown()), neighbours=(PAY, SHIP), orders=(1, 2), end=END)
    assert passed.outcome is HELD
    beside = check_contained(told(captured(), shown()), neighbours=(PAY, SHIP), orders=(1, 2), end=END)
    assert beside.outcome is HELD


@pytest.mark.parametrize(
    ("things", "observed"),
    [
        ([shown(letter(handoff="pay", code="X"))], "it reached pay: dead letter of #1001: X"),
        ([shown(letter(2, handoff="ship", code="X"))], "it cascaded to ship: dead letter of #1002: X"),
        ([shown(letter(handoff="pay"), t=1), shown(t=2)], "it reached pay: dead letter of #1001: None"),
        ([alert(handoff="ship", code="X"), shown()], "it cascaded to ship: alert to oncall: X None"),
        ([captured(status=409), shown()], "it reached pay: failed call"),
        ([captured(status=None), shown()], "it reached pay: failed call"),
        (
            [Observation(1, "queues", ({"id": "c", "handoff": "pay", "entity": "#1001", "code": "X"},)), shown()],
            "it reached pay: case about #1001: X",
        ),
    ],
)
def test_exceptions_elsewhere(things, observed):
    """A dead letter, a case, an alert or a failed call of a neighbour is an exception, also one that is gone again."""
    result = contained(*things)
    assert (result.outcome, result.observed.startswith(observed)) == (VIOLATED, True)


@pytest.mark.parametrize(
    "things",
    [
        [shown(letter(3, handoff="pay"))],
        [shown(), captured(order=3, status=500)],
        [shown(), captured(order=None, status=500)],
        [shown(), call(1, 500, operation="token.create")],
    ],
)
def test_what_is_no_exception_of_a_neighbour(things):
    """What is about other orders or is nobody's call is not held against a neighbour."""
    assert contained(*things).outcome is HELD


def test_an_alert_that_names_no_handoff():
    """An alert that does not say what it is about may be about a neighbour: nobody can tell, unless another exception does."""
    result = contained(shown(), alert(handoff=None))
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    assert result.observed.startswith("1 alerts name no handoff")
    assert contained(shown(), alert(handoff=None), alert(handoff="pay")).outcome is VIOLATED
    assert contained(shown(), alert(handoff=HANDOFF)).outcome is HELD


@pytest.mark.parametrize("more", [{"observable": frozenset()}, {}])
def test_contained_unseen(more):
    """Without sight of the dead letters containment cannot be told, but an alert is one all the same."""
    readings = [shown()] if more else [shown(error="down")]
    result = contained(captured(), *readings, **more)
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    assert contained(alert(handoff="pay"), *readings, **more).outcome is VIOLATED


def breakers(*states, error=None, handoff=HANDOFF):
    """Make a reading of the breakers."""
    return Observation(9.0, "breakers", tuple({"handoff": handoff, "state": state} for state in states), error)


def drained(*things, breaks=True, within_s=4.0, orders=(1, 2)):
    """Judge the recovery after the trouble was lifted at 2 s."""
    history = told(did("lift", 2.0), *things)
    return check_drained(history, handoff=HANDOFF, end=END, orders=orders, breaks=breaks, within_s=within_s)


BOTH = [record(3), record(5, order=2, record_id="8")]


@pytest.mark.parametrize(
    ("things", "outcome", "said"),
    [
        ([*BOTH, shown(), breakers("closed")], HELD, "2 resolved 3.00 s after, 0 put aside"),
        (
            [record(1), record(1.5, order=2, record_id="8"), shown(), breakers("closed")],
            HELD,
            "2 resolved 0.00 s after",
        ),
        ([record(3), shown(letter(2)), breakers("closed")], HELD, "1 resolved 1.00 s after, 1 put aside"),
        ([shown(letter(), letter(2)), breakers("closed")], HELD, "0 resolved 0.00 s after, 2 put aside"),
        ([*BOTH, shown(), breakers()], HELD, "2 resolved"),
        ([*BOTH, shown(), breakers("open", handoff="another")], HELD, "2 resolved"),
        ([*BOTH, shown(), breakers("open")], VIOLATED, "its breaker is open"),
        ([*BOTH, shown(), breakers("half_open")], VIOLATED, "its breaker is half_open"),
        ([*BOTH, shown(), breakers("closed", "open")], VIOLATED, "its breaker is closed, open"),
        ([record(3), shown(), breakers("closed")], VIOLATED, "neither resolved nor put aside: #1002"),
        ([record(3), shown(letter(2, state="discarded"))], VIOLATED, "neither resolved nor put aside: #1002"),
        ([record(3), shown(letter(2, handoff="another"))], VIOLATED, "neither resolved nor put aside: #1002"),
        ([*BOTH, shown(), breakers(error="down")], UNKNOWN, "whether its breaker is closed cannot be seen"),
        ([*BOTH, shown()], UNKNOWN, "whether its breaker is closed cannot be seen"),
        ([record(3), shown(error="down")], UNKNOWN, "not resolved, and the dead letters could not be read: #1002"),
    ],
)
def test_drained(things, outcome, said):
    """After the trouble every order is resolved or waits in the dead letters, and the breaker is closed."""
    result = drained(*things)
    assert (result.outcome, result.observed.startswith(said)) == (outcome, True)


@pytest.mark.parametrize(
    ("queues", "asks", "outcome"),
    [
        ([{"id": "c", "handoff": HANDOFF, "entity": "#1002"}], True, HELD),
        ([{"id": "c", "handoff": HANDOFF, "entity": "#1002", "state": "decided"}], True, VIOLATED),
        ([{"id": "c", "handoff": "another", "entity": "#1002"}], True, VIOLATED),
        (None, True, UNKNOWN),
        (None, False, VIOLATED),
    ],
)
def test_drained_into_a_role_queue(queues, asks, outcome):
    """An order that waits for a role's decision is put aside; where nobody can read the queues of one that asks, nobody can tell."""
    readings = [] if queues is None else [Observation(9.0, "queues", tuple(queues))]
    history = told(did("lift", 2.0), record(3), shown(), breakers("closed"), *readings)
    judge = {"handoff": HANDOFF, "end": END, "orders": (1, 2), "breaks": True, "within_s": 4.0}
    assert check_drained(history, **judge, asks=asks).outcome is outcome


def test_drained_late():
    """The last order tells how long it took; late by a margin that a busy lab may explain."""
    assert drained(*BOTH, shown(), breakers("closed"), within_s=3.0).outcome is HELD
    result = drained(*BOTH, shown(), breakers("closed"), within_s=2.9)
    assert (result.outcome, result.observed) == (VIOLATED, "only after 3.00 s")
    assert result.margin_s == pytest.approx(0.1)


def test_drained_without_a_breaker():
    """A handoff without a breaker is not asked for one."""
    assert drained(*BOTH, shown(), breaks=False).outcome is HELD
    assert drained(*BOTH, shown(), breakers("open"), breaks=False).outcome is HELD


def test_trouble_that_was_never_lifted():
    """Without an end of the trouble there is no recovery to judge."""
    history = told(*BOTH, shown(), breakers("closed"))
    result = check_drained(history, handoff=HANDOFF, end=END, orders=(1, 2), breaks=True, within_s=4.0)
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.VACUOUS)
