"""Retry: numbers, payloads and gaps, at and beside their bounds."""

import pytest
from histories import call, told

from harness.core.backoff import EARLY_S, EARLY_SHARE, LATE_S, LATE_SHARE
from harness.core.checks.retry import Sent, check_attempts, check_backoff, check_same_payload
from harness.core.outcomes import Retry
from harness.core.verdict import Outcome, UnknownKind

SENT = Sent(("sales_order.upsert", "sales_order.create"), 1)
STEADY = Retry(attempts=4, initial_s=4, factor=2)
EPSILON = 1e-6


def after_gaps(*gaps, status=503, **more):
    """Return calls with these gaps between them; the last one succeeds."""
    calls, t = [call(0.0, status, **more)], 0.0
    for gap in gaps:
        t = calls[-1].ended + gap
        calls.append(call(t, status, **more))
    return [*calls[:-1], call(t, 204, **more)] if gaps else calls


@pytest.mark.parametrize(
    ("calls", "outcome"), [(0, "violated"), (2, "violated"), (3, "held"), (4, "violated"), (5, "violated")]
)
def test_count_of_failing_attempts(calls, outcome):
    """Exactly the declared number of attempts holds; fewer and more do not."""
    history = told(*(call(t / 10, 503) for t in range(calls)))
    assert check_attempts(history, SENT, expected=3, declared="3").outcome == outcome


def test_an_attempt_without_an_end():
    """Who waits for an answer for good has not sent the next attempt, and is told of by what is seen."""
    history = told(holding=frozenset({"f1"}))
    result = check_attempts(history, SENT, expected=2, declared="2")
    assert (result.outcome, result.observed) == (Outcome.VIOLATED, "no attempt, and one that has not ended")


def test_only_calls_of_the_order_count():
    """Calls of other orders and of other operations are no attempts."""
    history = told(call(0, 503), call(0.1, order=2), call(0.2, operation="sales_order.read"), call(0.3))
    assert check_attempts(history, SENT, expected=2, declared="2").observed == "2 attempts at 0.00 0.30 s"


def test_client_retries_widen_the_count():
    """With two retries below the policy three attempts may be up to nine calls, not ten and not two."""
    below = Sent(SENT.operations, 1, client_retries=2)
    found = [
        check_attempts(told(*(call(t / 10, 503) for t in range(n))), below, expected=3, declared="").outcome
        for n in (2, 3, 9, 10)
    ]
    assert found == ["violated", "held", "held", "violated"]


def test_an_attempt_that_met_no_fault():
    """When an attempt got through that was to fail, the harness did not do what it planned."""
    result = check_attempts(told(call(0, 503, faults=("f1",)), call(0.1)), SENT, expected=3, declared="")
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ({"status": 500, "server_status": 500}, "unknown"),
        ({"status": 500, "server_status": 500, "faults": ("f1",)}, "violated"),
        ({"status": 409, "server_status": 409}, "violated"),
        ({"status": 204, "server_status": 204}, "violated"),
    ],
)
def test_an_error_of_the_vendors_own(second, outcome):
    """A third attempt is right where the second was to get through and the vendor failed by itself; elsewhere it is one too many."""
    history = told(call(0, 503, faults=("f1",)), call(0.2, **second), call(0.6))
    assert check_attempts(history, SENT, expected=2, declared="").outcome == outcome


def test_an_answer_that_lied():
    """A 2xx that a fault made up is no success: taking it for one is giving up."""
    lied = call(0, 204, faults=("f1",))
    assert check_attempts(told(lied), SENT, expected=2, declared="").outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ({}, "held"),
        ({"body_sha256": "other"}, "violated"),
        ({"key": "SHP-1-2"}, "violated"),
        ({"path": "/salesOrder", "operation": "sales_order.create"}, "held"),
        ({"path": "/salesOrder", "key": None}, "violated"),
        ({"body_sha256": "other", "key": None}, "violated"),
    ],
)
def test_same_payload(second, outcome):
    """Every attempt carries the same body under the same key; only where a key is missing must the address be the same."""
    history = told(call(0, 503), call(0.3, **second))
    assert check_same_payload(history, SENT, exactly_once=True).outcome == outcome


def test_keys_may_differ_where_effects_may():
    """At least once allows another key per attempt, never another payload."""
    other_key = told(call(0, 503), call(0.3, key="b"))
    other_body = told(call(0, 503), call(0.3, body_sha256="b"))
    assert check_same_payload(other_key, SENT, exactly_once=False).outcome is Outcome.HELD
    assert check_same_payload(other_body, SENT, exactly_once=False).outcome is Outcome.VIOLATED


def check_gaps(*gaps, retry=STEADY, scale=20.0, **more):
    """Judge calls with these gaps."""
    return check_backoff(told(*after_gaps(*gaps)), SENT, retry, scale=scale, **more)


@pytest.mark.parametrize("ordinal", [0, 1, 2])
@pytest.mark.parametrize("early", [True, False])
def test_each_bound_of_each_gap(ordinal, early):
    """Each gap holds at both of its bounds and is violated just beside either."""
    declared = [0.2, 0.4, 0.8]
    gap = declared[ordinal]
    bound = gap * (1 - EARLY_SHARE) - EARLY_S if early else gap * (1 + LATE_SHARE) + LATE_S
    inside, outside = (EPSILON, -EPSILON) if early else (-EPSILON, EPSILON)
    gaps = list(declared)
    gaps[ordinal] = bound + inside
    assert check_gaps(*gaps).outcome is Outcome.HELD
    gaps[ordinal] = bound + outside
    result = check_gaps(*gaps)
    assert result.outcome is Outcome.VIOLATED
    assert f"gap {ordinal + 1}" in result.observed


def test_lateness_is_measured():
    """A gap too long says by how much beyond all tolerance, a gap too short does not: nothing makes one shorter."""
    late = check_gaps(0.2 * (1 + LATE_SHARE) + LATE_S + 0.3, 0.4)
    assert late.margin_s == pytest.approx(0.3)
    assert check_gaps(0.0, 0.4).margin_s is None


def test_the_worst_gap_is_the_margin():
    """Of several gaps too long the longest excess counts."""
    assert check_gaps(0.2 + 0.3 + 0.1, 0.4 + 0.35 + 0.2).margin_s == pytest.approx(0.2, abs=0.01)


def test_early_beats_late():
    """A gap too short is never excused by another too long."""
    result = check_gaps(5.0, 0.0)
    assert (result.outcome, result.margin_s) == (Outcome.VIOLATED, None)


def test_gap_before_an_attempt_too_many():
    """No gap is declared before an attempt too many, so none is judged."""
    assert check_gaps(0.2, 0.4, 0.8, 0.0).outcome is Outcome.HELD


def test_gap_is_from_end_to_start():
    """A call that takes long does not shorten the gap after it."""
    calls = [call(0.0, 503, took=1.0), call(1.2)]
    assert check_backoff(told(*calls), SENT, STEADY, scale=20).outcome is Outcome.HELD


def test_a_pause_of_the_breaker_lengthens_a_gap():
    """Where the failures before it open the breaker a gap may be longer by the pause, elsewhere not."""
    late = {"pause_s": 2.0, "breaker_failures": 2}
    assert check_gaps(0.2, 2.3, retry=STEADY, **late).outcome is Outcome.HELD
    assert check_gaps(2.3, 0.4, retry=STEADY, **late).outcome is Outcome.VIOLATED
    assert check_gaps(0.2, 3.3, retry=STEADY, **late).outcome is Outcome.VIOLATED


def test_failures_of_other_orders_open_the_breaker_too():
    """The breaker counts failures at the handoff, whatever the order, and a success in between starts anew."""
    mine = [call(0.0, 503), call(2.3)]
    others = [call(-0.2, 503, order=2), call(-0.1, 503, order=3)]
    late = {"pause_s": 2.0, "breaker_failures": 3, "scale": 20}
    assert check_backoff(told(*others, *mine), SENT, STEADY, **late).outcome is Outcome.HELD
    saved = [others[0], call(-0.15, 204, order=4), others[1]]
    assert check_backoff(told(*saved, *mine), SENT, STEADY, **late).outcome is Outcome.VIOLATED


def test_client_retries_hide_gaps():
    """Where there is nothing but what a client below may have repeated, no gap of the policy shows."""
    below = Sent(SENT.operations, 1, client_retries=1)
    assert check_backoff(told(*after_gaps(0.02)), below, STEADY, scale=20).kind is UnknownKind.NOT_OBSERVABLE


def test_a_retry_after_may_lengthen_a_gap():
    """Where Retry-After is honoured a gap too long may have been asked for; one too short may not."""
    polite = Retry(attempts=3, initial_s=4, honour_retry_after=True)
    assert check_gaps(3.0, 0.4, retry=polite).kind is UnknownKind.NOT_OBSERVABLE
    assert check_gaps(0.0, 0.4, retry=polite).outcome is Outcome.VIOLATED


def test_a_gap_too_short_to_tell():
    """Gaps of a few milliseconds prove nothing, unless some gap is long enough or none is declared."""
    assert check_gaps(0.004, retry=Retry(2, initial_s=4), scale=1000).kind is UnknownKind.INTERFERENCE
    assert check_gaps(0.004, 0.4, retry=Retry(3, initial_s=4, factor=100), scale=1000).outcome is Outcome.HELD
    assert check_gaps(0.0, retry=Retry(2, initial_s=0)).outcome is Outcome.HELD


def test_jitter_grows_from_the_observed_gap():
    """Decorrelated jitter may wait up to thrice what it waited before, and never less than at first."""
    retry = Retry(attempts=4, initial_s=4, jitter="decorrelated")
    assert check_gaps(0.5, 1.5, retry=retry).outcome is Outcome.HELD
    assert check_gaps(0.2, 1.5, retry=retry).outcome is Outcome.VIOLATED
    assert check_gaps(0.2, 0.1, retry=retry).outcome is Outcome.VIOLATED


def test_evidence_shows_every_gap():
    """Each gap stands in the evidence beside what was declared for it."""
    evidence = check_gaps(0.2, 0.4).evidence
    assert [item.what for item in evidence] == ["gap 1: 0.20 s, declared 0.20 s", "gap 2: 0.40 s, declared 0.40 s"]


def test_a_payload_that_was_cut_off_is_none():
    """An attempt whose request never was whole says nothing about what it would have carried."""
    history = told(call(0, None, end="reset", body_sha256=""), call(0.2))
    assert check_same_payload(history, SENT, exactly_once=True).outcome is Outcome.HELD


@pytest.mark.parametrize(("asked_s", "waits"), [(0.0, 3), (0.2, 3), (0.21, 0), (5.0, 0)])
def test_waits_the_vendor_asked_for(asked_s, waits):
    """Waits are the policy's own where the vendor asked for no more than the first of them."""
    result = check_gaps(0.2, 0.4, 0.8, retry_after_s=asked_s)
    assert (len(result.waits), any(item.what.startswith("observed: ") for item in result.evidence)) == (
        waits,
        waits > 0,
    )


@pytest.mark.parametrize(("gaps", "estimated"), [((0.2,), False), ((0.2, 0.4), False), ((0.2, 0.4, 0.8), True)])
def test_what_is_enough_to_estimate(gaps, estimated):
    """What the backoff looks like is told from three waits on."""
    evidence = check_gaps(*gaps).evidence
    assert any(item.what.startswith("observed: ") for item in evidence) is estimated
