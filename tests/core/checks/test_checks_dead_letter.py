"""Dead letters: kept once with what failed, told at the Nth and not before, replayed once."""

from functools import partial

import pytest
from histories import HANDOFF, alert, call, did, letter, sent, shown, told

from harness.core.checks.dead_letter import (
    check_dead_letter,
    check_escalation,
    check_no_dead_letter,
    check_payload_kept,
    check_replay,
    check_replayed_once,
)
from harness.core.checks.retry import Sent
from harness.core.verdict import Outcome, UnknownKind

SENT = Sent(("sales_order.upsert",), 1)
TWO = (call(0, 503), call(0.3, 503))
UNSEEN = {"observable": frozenset[str]()}

dead_letter = partial(check_dead_letter, sent=SENT, handoff=HANDOFF, horizon_s=5)
no_dead_letter = partial(check_no_dead_letter, handoff=HANDOFF, orders=(1, 2))
payload_kept = partial(check_payload_kept, handoff=HANDOFF, order=1, horizon_s=5)
escalation = partial(check_escalation, handoff=HANDOFF, role="oncall", after=2, horizon_s=5)
replay = partial(check_replay, handoff=HANDOFF, order=1)
replayed_once = partial(check_replayed_once, sent=SENT, handoff=HANDOFF)


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ([letter(attempts=2)], "held"),
        ([letter(attempts="2")], "held"),
        ([letter()], "held"),
        ([letter(entity="51001", attempts=2)], "held"),
        ([letter(attempts=3)], "violated"),
        ([letter(attempts=1)], "violated"),
        ([letter(payload_sha256="other")], "violated"),
        ([letter(payload_sha256=None)], "unknown"),
        ([letter(state="discarded")], "violated"),
        ([letter(id="a"), letter(id="b")], "violated"),
        ([letter(2)], "violated"),
        ([letter(handoff="order-capture")], "violated"),
        ([], "violated"),
    ],
)
def test_dead_letter(letters, outcome):
    """One dead letter waits for the order, with a payload that was sent and the attempts that were made."""
    assert dead_letter(told(*TWO, shown(*letters))).outcome == outcome


def test_a_letter_without_a_state_waits():
    """A plain list of what waits is enough."""
    plain = letter(attempts=2)
    del plain["state"]
    assert dead_letter(told(*TWO, shown(plain))).outcome is Outcome.HELD


def test_claims_below_client_retries():
    """Where a client repeats calls below the policy, the policy's own count is believed."""
    below = Sent(SENT.operations, 1, client_retries=1)
    history = told(*TWO, shown(letter(attempts=1)))
    assert check_dead_letter(history, below, handoff=HANDOFF, horizon_s=5).outcome is Outcome.HELD


@pytest.mark.parametrize("check", [dead_letter, no_dead_letter, payload_kept, replay, replayed_once])
def test_not_observable(check):
    """What needs dead letters is unknown where none are shown, and where they never could be read."""
    for history in (
        told(*TWO, sent(0), did("replay", 1), **UNSEEN),
        told(*TWO, sent(0), did("replay", 1), shown(error="down")),
    ):
        assert check(history).outcome is Outcome.UNKNOWN
    assert check(told(*TWO, sent(0), **UNSEEN)).kind is UnknownKind.NOT_OBSERVABLE


@pytest.mark.parametrize(
    ("letters", "outcome"), [([], "held"), ([letter(3)], "held"), ([letter(2)], "violated"), ([letter(1)], "violated")]
)
def test_no_dead_letter(letters, outcome):
    """None of the orders is put aside, whatever happens to others."""
    assert no_dead_letter(told(shown(*letters))).outcome == outcome


def test_no_dead_letter_at_any_time():
    """One that was put aside and taken back was put aside."""
    assert no_dead_letter(told(shown(letter(1), t=1), shown(t=2))).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ([letter(None, payload_sha256="webhook 1")], "held"),
        ([letter(1, payload_sha256="webhook 1")], "held"),
        ([letter(1, payload_sha256="tidied")], "violated"),
        ([letter(None, payload_sha256="webhook 2")], "violated"),
        ([letter(None, payload_sha256="webhook 1", handoff="other")], "violated"),
        ([letter(None, id=n, payload_sha256="webhook 1") for n in "ab"], "violated"),
        ([], "violated"),
    ],
)
def test_payload_kept(letters, outcome):
    """A webhook that cannot be understood is found by the exact bytes, since it may not say whose it is."""
    assert payload_kept(told(sent(0), shown(*letters))).outcome == outcome


@pytest.mark.parametrize(
    ("alerts", "expected", "outcome"),
    [
        ([alert()], 1, "held"),
        ([], 1, "violated"),
        ([alert(), alert()], 1, "violated"),
        ([alert(role="desk")], 1, "violated"),
        ([alert(role=None)], 1, "violated"),
        ([alert(handoff="order-capture")], 1, "violated"),
        ([alert(handoff=None)], 1, "unknown"),
        ([alert(), alert(handoff=None)], 1, "unknown"),
        ([alert(role="desk"), alert(handoff=None)], 1, "violated"),
        ([], 0, "held"),
        ([alert()], 0, "violated"),
        ([alert(handoff="order-capture")], 0, "held"),
        ([alert(handoff=None)], 0, "unknown"),
    ],
)
def test_escalation(alerts, expected, outcome):
    """As many alerts as expected go to the declared role; one that names no handoff may be any."""
    assert escalation(told(*alerts, shown(letter(1), letter(2))), expected=expected).outcome == outcome


@pytest.mark.parametrize(
    ("letters", "expected", "kind"),
    [(2, 1, None), (1, 1, "vacuous"), (0, 1, "vacuous"), (2, 0, None), (1, 0, "vacuous"), (None, 0, "not_observable")],
)
def test_silence_needs_dead_letters(letters, expected, kind):
    """That nobody was told proves something only when as many dead letters were held as it takes."""
    read = [] if letters is None else [shown(*(letter(n) for n in range(1, letters + 1)))]
    result = escalation(told(*read), expected=expected, waiting=2)
    assert result.kind == kind
    if kind is None:
        assert result.outcome is (Outcome.VIOLATED if expected else Outcome.HELD)


@pytest.mark.parametrize(
    ("alerts", "expected", "outcome"),
    [(1, 1, "held"), (0, 1, "unknown"), (2, 1, "violated"), (1, 0, "unknown"), (0, 0, "unknown")],
)
def test_escalation_without_sight_of_dead_letters(alerts, expected, outcome):
    """One alert that is due is proof by itself and two never are right; what else was held or left over nobody can tell."""
    history = told(*(alert(n) for n in range(alerts)))
    assert escalation(history, expected=expected, waiting=2).outcome == outcome


@pytest.mark.parametrize(
    ("old", "new", "alerts", "outcome"),
    [
        (1, 1, 1, "held"),
        (1, 1, 0, "violated"),
        (1, 0, 0, "unknown"),
        (2, 1, 1, "held"),
        (2, 1, 0, "held"),
        (2, 1, 2, "violated"),
        (0, 1, 1, "violated"),
    ],
)
def test_escalation_beside_what_was_left_over(old, new, alerts, outcome):
    """Dead letters of earlier experiments complete the number; where they are enough, the role was told then."""
    before = [letter(None, id=f"old {n}", entity=f"old {n}", payload_sha256=f"old {n}") for n in range(old)]
    history = told(*(alert(n) for n in range(alerts)), shown(*before, *(letter(n) for n in range(1, new + 1))))
    assert escalation(history, expected=0, waiting=1).outcome == outcome


@pytest.mark.parametrize(
    ("readings", "outcome"),
    [
        ([shown(letter())], "violated"),
        ([shown(letter(), t=1), shown(letter(state="replayed"))], "held"),
        ([shown(letter(), t=1), shown()], "held"),
        ([shown(letter(), t=1), shown(letter(state="replayed"), letter(id="b"))], "violated"),
        ([shown(letter(), t=1), shown(t=2, error="down")], "violated"),
        ([shown(letter(2))], "unknown"),
        ([shown()], "unknown"),
    ],
)
def test_replay(readings, outcome):
    """A replayed dead letter waits no more, whether it is still shown or not; by the newest reading there is."""
    assert replay(told(*readings)).outcome == outcome


@pytest.mark.parametrize(("sends", "outcome"), [(0, "violated"), (1, "held"), (2, "violated")])
@pytest.mark.parametrize("before", [1, 2, 5])
def test_replayed_once(before, sends, outcome):
    """After the replay the order is sent once, however often it was before."""
    calls = [call(n / 10, 503) for n in range(before)] + [call(2 + n) for n in range(sends)]
    assert replayed_once(told(*calls, did("replay", 1.0, 1), shown(letter()))).outcome == outcome


def test_a_replay_may_meet_an_expired_session():
    """A call that was only told to renew its session is no send of the replay; any other refusal is."""
    replayed = [did("replay", 1.0, 1), shown(letter())]
    assert replayed_once(told(call(2, 401), call(2.1), *replayed)).outcome is Outcome.HELD
    assert replayed_once(told(call(2, 400), call(2.1), *replayed)).outcome is Outcome.VIOLATED
    assert replayed_once(told(call(2, 401), *replayed)).outcome is Outcome.VIOLATED


def test_nothing_to_replay():
    """Without a dead letter, or a replay, nothing can be said of replays."""
    for things in ([did("replay", 1.0, 1), shown()], [shown(letter())]):
        assert replayed_once(told(call(0), *things)).kind is UnknownKind.VACUOUS


def test_a_replay_may_find_its_session_expired():
    """A call that was refused for its session is sent again with a new one: that is still one replay."""
    history = told(*TWO, did("replay", 1), call(2, 401), call(2.2, 204), shown(letter(state="replayed")))
    assert replayed_once(history).outcome is Outcome.HELD
