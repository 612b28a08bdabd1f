"""Retries: their shapes, what each expects, and how long one attempt too many is watched for."""

import pytest
from compiled_stacks import Shape, expected_attempts, steps_of, watched_s
from histories import call, told

from harness.core.compile.frame import HORIZON, LEAST_HORIZON_S
from harness.core.experiments import Await, Place, Watch
from harness.core.verdict import Outcome


def test_shapes_of_a_retry():
    """A retry fails once, to the last but one, and for good; what is too short for a shape leaves it out."""
    found = Shape().experiments
    assert [name.rpartition("/")[2] for name in found if "/429:" in name] == ["once", "last", "exhausted", "herd"]
    last = found["post/429:retry/last"]
    assert last.faults[0].attempts == (1, 2, 3)
    assert found["post/429:retry/exhausted"].faults[0].attempts is None
    queued = Shape(any_path="retry: {attempts: 2, initial: 2s}, then: {queue: {role: oncall}}").experiments
    assert "post/any:retry/last" not in queued
    single = Shape(any_path="retry: {attempts: 1, initial: 2s}").experiments
    shapes = [name.rpartition("/")[2] for name in single if "/any:" in name]
    assert shapes == ["exhausted", "unlisted-code", "connection", "timeout"]
    assert expected_attempts(single["post/any:retry/connection"], 1) is Outcome.HELD


@pytest.mark.parametrize(
    ("then", "declared", "checks"),
    [
        (", then: dead_letter", "dead letter", ["attempts", "backoff", "same_payload", "dead_letter"]),
        (", then: {queue: {role: oncall}}", "a case for oncall", ["attempts", "backoff", "same_payload", "case"]),
        ("", "nothing more", ["attempts", "backoff", "same_payload"]),
    ],
)
def test_the_end_of_a_retry(then, declared, checks):
    """Once every attempt has failed comes what is declared; where nothing is, the number of attempts holds all the same."""
    found = Shape(any_path=f"retry: {{attempts: 2, initial: 2s}}{then}").experiments["post/any:retry/exhausted"]
    assert [check.name for check in found.checks] == checks
    assert expected_attempts(found, 2) is Outcome.HELD
    assert expected_attempts(found, 3) is Outcome.VIOLATED
    (attempts,) = (check for check in found.checks if check.name == "attempts")
    assert attempts.judge(told()).declared == f"2 attempts, then {declared}"


@pytest.mark.parametrize(("shape", "attempts"), [("once", 2), ("last", 4), ("exhausted", 4)])
def test_declared_attempts_are_what_is_checked(shape, attempts):
    """The count that is checked is the declared one, the first send included."""
    experiment = Shape().experiments[f"post/429:retry/{shape}"]
    found = [expected_attempts(experiment, calls) for calls in (attempts - 1, attempts, attempts + 1)]
    assert found == [Outcome.VIOLATED, Outcome.HELD, Outcome.VIOLATED]


def test_gaps_bound_the_watch():
    """An attempt too many is watched for longer than the longest gap, and the breaker's pause where it has opened."""
    assert watched_s(Shape(scale=1).experiments["post/429:retry/exhausted"]) == pytest.approx(16 * HORIZON)
    assert watched_s(Shape(scale=1).experiments["post/session_expired:renew_session/once"]) == pytest.approx(
        2 * HORIZON
    )
    short = Shape(scale=1, failures=3).experiments["post/any:retry/exhausted"]
    assert watched_s(short) == pytest.approx((40 + 8) * HORIZON)
    assert watched_s(Shape(scale=1).experiments["post/any:retry/exhausted"]) == pytest.approx(8 * HORIZON)
    hasty = Shape(any_path="retry: {attempts: 2, initial: 0s}, then: dead_letter")
    assert watched_s(hasty.experiments["post/any:retry/exhausted"]) == LEAST_HORIZON_S


@pytest.mark.parametrize(("failures", "pauses"), [(None, 0), (7, 0), (6, 1), (5, 2), (1, 6)])
def test_pauses_are_waited_for(failures, pauses):
    """An order whose attempts open the breaker waits for a pause before each further one, and the driver waits for that."""
    retry = "retry: {attempts: 7, initial: 2s, factor: 1}, then: dead_letter"
    experiment = Shape(scale=1, failures=failures, any_path=retry).experiments["post/any:retry/exhausted"]
    assert steps_of(experiment, Await)[0].declared_s == pytest.approx(6 * 2 + pauses * 40)


def test_jitter_is_waited_for():
    """Decorrelated jitter may wait thrice as long as the declared beginning the first time."""
    retry = "retry: {attempts: 3, initial: 2s, max: 100s, jitter: decorrelated}, then: dead_letter"
    experiment = Shape(scale=1, any_path=retry).experiments["post/any:retry/exhausted"]
    assert steps_of(experiment, Await)[0].declared_s == pytest.approx(6 + 18)
    assert watched_s(experiment) == pytest.approx(18 * HORIZON)


@pytest.mark.parametrize(("observed", "gap_s"), [(True, 0.4), (False, 0.8)])
def test_an_attempt_too_many_is_watched_for_as_long_as_it_may_take(observed, gap_s):
    """Where no dead letter tells that an order was given up, the gap that would come next must pass in silence too."""
    plan = Shape(observed=observed).plan
    experiment = next(each for each in plan.experiments if each.id.endswith("any:retry/exhausted"))
    watched = [step.for_s for step in experiment.steps if isinstance(step, Watch)]

    assert watched == [pytest.approx(HORIZON * gap_s)]


ASKING = "post/rate_limited:retry/"


@pytest.mark.parametrize(
    ("shape", "asked_s", "failures"),
    [("retry-after", 8.0, 1), ("once", 2.0, 1), ("last", 2.0, 2), ("exhausted", 2.0, 3)],
)
def test_asked_to_wait(shape, asked_s, failures):
    """Once the vendor asks for four times the first gap, elsewhere for no more than the policy waits, in production seconds."""
    experiment = Shape(api_paths=("rate_limited",)).experiments[ASKING + shape]
    (fault,) = experiment.faults
    assert (fault.kind, fault.params, fault.expected) == ("rate_limited", {"retry_after_s": asked_s}, failures)


@pytest.mark.parametrize(
    ("gap_s", "outcome"), [(0.1, "violated"), (0.34, "violated"), (0.4, "held"), (0.8, "violated")]
)
def test_the_gap_that_was_asked_for(gap_s, outcome):
    """In the lab the gap may be no shorter than what was asked for by the scale, and hardly longer."""
    experiment = Shape(api_paths=("rate_limited",)).experiments[f"{ASKING}retry-after"]
    backoff = next(check for check in experiment.checks if check.name == "backoff")
    calls = [call(0, 429, operation="sales_order.upsert"), call(0.01 + gap_s)]
    assert backoff.judge(told(*calls)).outcome == outcome


def test_the_wait_that_was_asked_for_is_awaited():
    """What the vendor asks for is added to the time the driver waits."""
    found = Shape(scale=1, api_paths=("rate_limited",)).experiments
    declared = {shape: steps_of(found[ASKING + shape], Await)[0].declared_s for shape in ("retry-after", "last")}
    assert declared == {"retry-after": pytest.approx(2 + 4 + 8), "last": pytest.approx(2 + 4 + 2 * 2)}


def test_nobody_is_asked_to_wait_who_does_not_listen():
    """Where the path does not honour it the vendor says nothing of when to come again."""
    found = Shape(api_paths=("{status: 429}",)).experiments
    assert [dict(each.faults[0].params) for name, each in found.items() if "/429:retry/" in name] == [{}] * 4
    assert "post/429:retry/retry-after" not in found


def test_a_herd_is_smaller_than_the_breaker_lets_pass():
    """Orders with jitter fail in groups that do not open the breaker, each once, sixteen of them in all."""
    herd = Shape().experiments["post/429:retry/herd"]
    groups = [step.orders for step in herd.steps if isinstance(step, Place)]
    assert (herd.orders, {len(group) for group in groups}) == (16, {4})
    assert herd.faults[0].attempts == (1,)
    assert [check.name for check in herd.checks][:2] == ["herd", "resolved_once"]


def test_where_nothing_is_spread_there_is_no_herd():
    """Without jitter no herd is compiled."""
    assert [name for name in Shape().experiments if name.endswith("/any:retry/herd")] == []
