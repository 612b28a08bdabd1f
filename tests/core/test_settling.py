"""What holds whatever goes wrong: orders settle, and roles are told."""

import pytest
from histories import HANDOFF, alert, call, did, letter, record, shown, told

from harness.core.ends import EndState
from harness.core.experiments import LedgerRule, Station
from harness.core.history import Observation
from harness.core.settling import Quiet, Settled, Told, check_settled, check_told
from harness.core.verdict import Outcome

RULE = LedgerRule((Station(HANDOFF, end=EndState("erp", "sales_order")),))
PLACED = did("place", 0.0, 1, 2)
ROLE = Told(HANDOFF, "oncall", after=2)
LETTERS = [letter(1), letter(2)]


def settle(*things):
    """Judge whether the orders settled."""
    return check_settled(told(PLACED, *things), rule=RULE, within_s=1.0, patience_s=5.0)


@pytest.mark.parametrize(
    ("things", "outcome"),
    [
        ([record(1), shown(letter(2))], "held"),
        ([record(1), record(2, order=2, record_id="8"), shown()], "held"),
        ([record(1), shown()], "violated"),
        ([shown()], "violated"),
        ([record(1)], "unknown"),
        ([record(1), shown(error="down")], "unknown"),
    ],
)
def test_settled(things, outcome):
    """Each order is resolved or put aside; where nobody can look, nothing is said."""
    assert settle(*things).outcome == outcome
    assert Settled(RULE).is_met(told(PLACED, *things), 0.0) == (outcome == "held")


def test_only_some_are_awaited():
    """The wait for one order does not ask for the others."""
    history = told(PLACED, record(1), shown())
    assert Settled(RULE, (1,)).is_met(history, 0.0)
    assert not Settled(RULE, (2,)).is_met(history, 0.0)


def test_doubled_is_settled():
    """What is there twice is the ledger's to judge; no waiting changes it."""
    assert settle(record(1), record(2, record_id="9"), record(2, order=2, record_id="8"), shown()).outcome == "held"


def test_a_stuck_order_is_named():
    """The order that is stuck is named, with its story; a lab held up for longer than the patience would explain it."""
    result = settle(record(1), shown())
    assert "#1002" in result.observed
    assert "#1002" in result.evidence[0].what
    assert result.margin_s == 5.0


@pytest.mark.parametrize(
    ("things", "outcome"),
    [
        ([shown(letter(1))], "held"),
        ([shown(*LETTERS), alert()], "held"),
        ([shown(*LETTERS)], "violated"),
        ([shown(*LETTERS), alert(role="others")], "violated"),
        ([shown(*LETTERS), alert(handoff="elsewhere")], "violated"),
        ([shown(*LETTERS), alert(handoff=None)], "unknown"),
        ([shown(*LETTERS, letter(None, id="old", payload_sha256="older"))], "held"),
        ([], "unknown"),
    ],
)
def test_told(things, outcome):
    """The role is told once enough wait; where older ones wait as well it was told before."""
    history = told(*things)
    assert check_told(history, told=ROLE, patience_s=5.0).outcome == outcome
    assert ROLE.is_met(history, 0.0) == (outcome == Outcome.HELD or not things)


CALLS = (HANDOFF, ("sales_order.upsert",))


@pytest.mark.parametrize(
    ("things", "quiet"),
    [
        ([], True),
        ([call(1), shown()], True),
        ([call(1, 503), shown()], False),
        ([call(1, 503), call(2), shown()], True),
        ([call(1), call(2, None), shown()], False),
        ([call(1, 503), shown(letter())], True),
        ([call(1), call(1, 503, order=2), shown()], False),
        ([call(1, 503), Observation(9.0, "queues", ({"id": "c", "handoff": HANDOFF, "entity": "#1001"},))], True),
    ],
)
def test_quiet(things, quiet):
    """Nothing is to be sent again once the last call of every order got through, or the order was put aside."""
    assert Quiet((CALLS,)).is_met(told(*things), 0.0) == quiet
