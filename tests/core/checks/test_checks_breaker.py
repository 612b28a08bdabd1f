"""Breaker: the automaton, and every promise at and beside its bounds."""

from functools import partial

import pytest
from histories import alert, call, letter, shown, told

from harness.core.backoff import EARLY_SHARE
from harness.core.checks.breaker import (
    SHORTEST_PAUSE_S,
    check_one_alert,
    check_opens,
    check_probes,
    check_reopened,
    check_stays_closed,
)
from harness.core.checks.openings import UNDER_WAY_S, trace_openings
from harness.core.outcomes import DeadLetter
from harness.core.stack import Breaker
from harness.core.verdict import Outcome, UnknownKind

THREE = Breaker(failures=3, pause_s=2.0, probes=1, alert="oncall")
OPERATIONS = ("sales_order.upsert",)
EPSILON = 1e-6
# The third of three failures ends here, and the pause two seconds later.
OPENED = 0.31


def failing(n=3, t=0.1, step=0.1, **more):
    """Make calls that fail one after another, the third one ending at 0.31 s."""
    return [call(t + step * i, more.pop("status", 503), order=i + 1, **more) for i in range(n)]


def judge(check, *things, breaker=THREE, now=10.0, **declared):
    """Run a check over a history."""
    return check(told(*things, now=now), OPERATIONS, breaker, scale=1.0, **declared)


opens = partial(judge, check_opens)
reopened = partial(judge, check_reopened)
probes = partial(judge, check_probes, latest_s=1.0)
stays_closed = partial(judge, check_stays_closed, handoff="order-to-erp")
one_alert = partial(judge, check_one_alert, handoff="order-to-erp")


@pytest.mark.parametrize(
    ("after_s", "intruders"),
    [
        (UNDER_WAY_S - EPSILON, 0),
        (UNDER_WAY_S + EPSILON, 1),
        (1.0, 1),
        (2.0 * (1 - EARLY_SHARE) - EPSILON, 1),
        (2.0 * (1 - EARLY_SHARE) + EPSILON, 0),
        (2.5, 0),
    ],
)
def test_silence(after_s, intruders):
    """A call breaks the silence from when nothing can be under way any more until shortly before the pause is over."""
    result = opens(*failing(), call(OPENED + after_s))
    assert result.outcome is (Outcome.VIOLATED if intruders else Outcome.HELD)


def test_what_a_disturbed_lab_is_weighed_against():
    """Calls within a pause are weighed by how late the last was to be under way, or how early the first was for a probe: the less."""
    late = opens(*failing(), call(OPENED + 0.2), call(OPENED + 0.5))
    assert late.margin_s == pytest.approx(0.5 - UNDER_WAY_S)
    assert late.observed.startswith("2 sent while it must be open, first 0.20 s after")
    early = opens(*failing(), call(OPENED + 1.5))
    assert early.margin_s == pytest.approx(2.0 * (1 - EARLY_SHARE) - 1.5)
    assert probes(*failing(), call(OPENED + 1.5)).margin_s == early.margin_s


def test_a_burst_after_a_single_probe_was_not_under_way():
    """Beside a single probe nothing is let through: what follows its failure at once is no matter of a busy lab."""
    burst = reopened(*failing(), call(OPENED + 2.0, 503), call(OPENED + 2.02, 503))
    assert burst.outcome is Outcome.VIOLATED
    assert burst.margin_s == pytest.approx(2.0 * (1 - EARLY_SHARE) - 0.01)


def test_a_silence_as_long_as_a_pause_in_a_disturbed_lab():
    """Below the number, a silence is weighed by how much longer it was than the shortest pause."""
    silent = stays_closed(*failing(2), call(0.21 + 2.0))
    assert silent.margin_s == pytest.approx(2.0 * EARLY_SHARE)


@pytest.mark.parametrize(
    ("began", "took", "outcome"),
    [
        (OPENED - 0.01, 0.02, "unknown"),
        (OPENED - 0.01, 0.02 + UNDER_WAY_S, "violated"),
        (OPENED + 0.01, 0.02, "violated"),
        (OPENED - 0.05, 0.01, None),
    ],
)
def test_a_success_as_it_opens(began, took, outcome):
    """A call that was under way and succeeds just as it opens may have been counted before; one sent after it was not."""
    contest = call(began, order=9, took=took)
    goes_on = [*failing(), contest, call(OPENED + 0.5, order=8), call(OPENED + 1.0, order=7)]
    kind = {"unknown": "interference"}.get(outcome)
    if outcome is None:
        assert trace_openings(goes_on, THREE, scale=1.0) == ()
        return
    for result in (opens(*goes_on), probes(*goes_on), one_alert(*goes_on)):
        assert (result.outcome, result.kind) == (outcome, kind)


def test_a_contested_opening_that_was_kept():
    """Where the silence was kept and told all the same, nothing is in doubt."""
    kept = [*failing(), call(OPENED - 0.01, order=9, took=0.02), call(2.5)]
    for result in (opens(*kept), probes(*kept), one_alert(*kept, alert(0.4))):
        assert result.outcome is Outcome.HELD


def test_silence_in_the_second_opening():
    """The silence after a later outage counts as much as after the first."""
    again = [call(4.0 + i / 10, 503, order=i) for i in range(3)]
    quiet = [*failing(), call(2.5), *again]
    assert opens(*quiet).outcome is Outcome.HELD
    assert opens(*quiet, call(5.0)).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(("now", "outcome"), [(2.3, "unknown"), (2.32, "held")])
def test_the_pause_is_watched_to_its_end(now, outcome):
    """Silence proves nothing before the pause is over."""
    assert opens(*failing(), now=now).outcome == outcome


def test_nothing_had_to_open():
    """With one failure fewer every check of an opening is vacuous."""
    few = failing(2)
    for result in (opens(*few), probes(*few), one_alert(*few), reopened(*few)):
        assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.VACUOUS)


def test_enough_failures_but_not_in_a_row():
    """Where a call slipped in between failures that would have been enough, the lab's timing is to blame."""
    split = [*failing(2), call(0.3), *(call(0.4 + n / 10, 503, order=n) for n in range(2))]
    for result in (opens(*split), probes(*split), one_alert(*split)):
        assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)


@pytest.mark.parametrize(("pause_s", "kind"), [(SHORTEST_PAUSE_S - EPSILON, "interference"), (SHORTEST_PAUSE_S, None)])
def test_a_pause_too_short_to_tell(pause_s, kind):
    """A pause that leaves nothing to watch is judged by no check of silence."""
    short = Breaker(3, pause_s, alert="oncall")
    calls = [*failing(), call(OPENED + 1.0, 503), call(9)]
    below = [*failing(2), call(0.3, order=9)]
    results = [opens(*calls, breaker=short), reopened(*calls, breaker=short), stays_closed(*below, breaker=short)]
    assert [result.kind for result in results] == [kind] * 3


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ([call(2.4)], "held"),
        ([call(2.4, took=0.2), call(2.5, order=2)], "violated"),
        ([call(2.4), call(2.42, order=2)], "held"),
        ([call(OPENED + 2.0 + 1.0 - EPSILON)], "held"),
        ([call(OPENED + 2.0 + 1.0 + EPSILON)], "violated"),
        ([], "violated"),
        ([call(1.0)], "violated"),
    ],
)
def test_probes(more, outcome):
    """After the pause one call is tried and the others wait for how it ends; none, or a late one, is a broken promise."""
    assert probes(*failing(), *more).outcome == outcome


def test_as_many_probes_as_declared():
    """Two declared probes may be under way at once, three may not."""
    two = Breaker(3, 2.0, probes=2, alert="oncall")
    at_once = [call(2.4 + i / 100, order=i, took=0.5) for i in range(1, 4)]
    assert probes(*failing(), *at_once[:2], breaker=two).outcome is Outcome.HELD
    assert probes(*failing(), *at_once, breaker=two).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(("now", "outcome"), [(OPENED + 3.0 - 0.01, "unknown"), (OPENED + 3.0 + 0.01, "violated")])
def test_a_probe_is_awaited(now, outcome):
    """That no probe comes is judged once it is too late for one."""
    assert probes(*failing(), now=now).outcome == outcome


def test_reopens():
    """After a failed probe there is silence for another pause, until another probe."""
    (first, second) = trace_openings([*failing(), call(2.4, 503), call(4.5)], THREE, scale=1.0)
    assert (first.reopened, second.reopened) == (False, True)
    assert second.opened == pytest.approx(2.41)
    assert reopened(*failing(), call(2.4, 503), call(4.5)).outcome is Outcome.HELD
    assert reopened(*failing(), call(2.4), call(4.5)).kind is UnknownKind.VACUOUS
    assert reopened(*failing(), call(2.4, 503), now=4.0).kind is UnknownKind.VACUOUS


@pytest.mark.parametrize("after_s", [0.001, UNDER_WAY_S, 1.0])
def test_nothing_is_under_way_beside_a_single_probe(after_s):
    """Whatever begins after the one probe failed breaks the silence, however soon."""
    probe = call(2.4, 503)
    assert reopened(*failing(), probe, call(probe.ended + after_s, order=2)).outcome is Outcome.VIOLATED


def test_a_second_probe_may_be_under_way():
    """Where two probes are declared the second may reach the wire just after the first failed."""
    two = Breaker(3, 2.0, probes=2, alert="oncall")
    calls = [*failing(), call(2.4, 503), call(2.42, 503, order=2), call(4.6)]
    assert reopened(*calls, breaker=two).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("things", "outcome"),
    [
        ([call(0.3, order=9)], "held"),
        ([call(0.21 + 2.0 * (1 - EARLY_SHARE) - EPSILON)], "held"),
        ([call(0.21 + 2.0 * (1 - EARLY_SHARE) + EPSILON)], "violated"),
        ([], "violated"),
        ([call(0.3, order=9), alert()], "violated"),
        ([call(0.3, order=9), alert(handoff="order-capture")], "held"),
        ([call(0.25, 503, order=9), call(0.3)], "unknown"),
    ],
)
def test_stays_closed(things, outcome):
    """Below the number it neither pauses nor tells anybody; with the number reached nothing is proven."""
    assert stays_closed(*failing(2), *things).outcome == outcome


def test_too_few_failures_prove_nothing():
    """That it stays closed after one failure says nothing about two."""
    assert stays_closed(*failing(1), call(0.3)).kind is UnknownKind.VACUOUS


def test_closed_between_two_runs():
    """The silence is looked for after the last failure, not after the first run of them."""
    calls = [*failing(2), call(0.3), *failing(2, t=0.4)]
    assert stays_closed(*calls, call(0.6, order=9)).outcome is Outcome.HELD
    assert stays_closed(*calls, call(3.6, order=9)).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("alerts", "outcome"),
    [
        ([alert(0.4)], "held"),
        ([], "violated"),
        ([alert(0.4), alert(0.5)], "violated"),
        ([alert(0.4, role="desk")], "violated"),
        ([alert(0.4, role=None)], "violated"),
        ([alert(0.4, handoff="order-capture")], "violated"),
        ([alert(0.4, handoff=None)], "unknown"),
        ([alert(0.1)], "violated"),
    ],
)
def test_one_alert(alerts, outcome):
    """Each opening is told once, to the declared role, and not before it opens."""
    assert one_alert(*failing(), call(2.5), *alerts).outcome == outcome


def test_a_reopening_may_be_told_or_not():
    """An opening after a failed probe may be told as part of the same outage or as one of its own, not twice."""
    calls = [*failing(), call(2.4, 503), call(4.5)]
    found = [one_alert(*calls, *(alert(0.4 + n) for n in range(count))).outcome for count in (0, 1, 2, 3)]
    assert found == ["violated", "held", "held", "violated"]


def test_alerts_of_dead_letters():
    """An alert that dead letters account for is not the breaker's, neither one too many nor the one that is due."""
    rules = (DeadLetter(2, "desk"), DeadLetter(5, "desk"), DeadLetter())
    letters = shown(letter(1), letter(2), letter(3))
    beside = partial(one_alert, *failing(), call(2.5), letters, rules=rules)
    assert beside(alert(0.4), alert(0.2, role="desk")).outcome is Outcome.HELD
    assert beside(alert(0.2, role="desk")).outcome is Outcome.VIOLATED
    assert beside(alert(0.4), alert(0.4, role="desk"), alert(0.5, role="desk")).outcome is Outcome.VIOLATED
    few = shown(letter(1))
    assert one_alert(*failing(), call(2.5), few, alert(0.4), alert(0.5), rules=rules).outcome is Outcome.VIOLATED
    closed = partial(stays_closed, *failing(2), call(0.3), rules=rules)
    assert closed(letters, alert(0.2, role="desk")).outcome is Outcome.HELD
    assert closed(letters, alert(0.2), alert(0.3)).outcome is Outcome.VIOLATED
    assert closed(shown(letter(1)), alert(0.2)).outcome is Outcome.VIOLATED


def test_alerts_beside_dead_letters_nobody_shows():
    """Where dead letters are not shown, an order that was given up may account for an alert; while all go on none does."""
    rules = (DeadLetter(1, "desk"),)
    given_up = [*failing(), call(2.5, order=9), alert(0.4), alert(0.5)]
    assert one_alert(*given_up, rules=rules).outcome is Outcome.HELD
    resolved = [call(2.6 + n / 10, order=n) for n in (1, 2, 3)]
    assert one_alert(*given_up, *resolved, rules=rules).outcome is Outcome.VIOLATED
