"""Layers: whose attempt a call is, where a client below the policy repeats calls by itself."""

import pytest
from histories import call, told

from harness.core.checks.layers import split_layers
from harness.core.checks.retry import Sent, check_backoff
from harness.core.outcomes import Retry
from harness.core.verdict import Outcome, UnknownKind

STEADY = Retry(attempts=3, initial_s=4, factor=2)
BELOW = Sent(("sales_order.upsert",), 1, client_retries=2)


def calls_after(*gaps):
    """Return failing calls with these gaps between them."""
    calls = [call(0.0, 503)]
    for gap in gaps:
        calls.append(call(calls[-1].ended + gap, 503))
    return calls


def judge(*gaps, retry=STEADY):
    """Judge the backoff of calls with these gaps, of which a client may have made two in three."""
    return check_backoff(told(*calls_after(*gaps)), BELOW, retry, scale=20.0)


def test_runs_are_told_apart():
    """Two quick repetitions after each attempt are the client's, what lies between is the policy's."""
    result = judge(0.01, 0.03, 0.2, 0.01, 0.03, 0.4, 0.01, 0.03)
    assert (result.outcome, result.observed) == (Outcome.HELD, "9 calls, 3 attempts of the policy")
    assert [item.what for item in result.evidence] == [f"attempt {n}: 3 calls" for n in (1, 2, 3)]


def test_a_client_need_not_repeat():
    """Where the client repeats nothing, every call is an attempt of its own."""
    assert judge(0.2, 0.4).observed == "3 calls, 3 attempts of the policy"


@pytest.mark.parametrize("gaps", [(0.01,) * 8, (0.01, 0.01, 0.01, 0.4), (0.01, 0.03, 0.05, 0.01, 0.03, 0.4)])
def test_a_gap_too_short_for_any_sharing(gaps):
    """What no client that repeats a call twice can have made is the policy's, and too early."""
    result = judge(*gaps)
    assert result.outcome is Outcome.VIOLATED
    assert "however they are shared out" in result.observed


@pytest.mark.parametrize(
    "gaps", [(0.01, 0.03), (0.2, 3.0), (), (0.01, 0.2, 0.3, 0.4), (0.2, 0.35, 0.4), (0.2, 0.2, 0.4)]
)
def test_what_the_client_hides(gaps):
    """One run shows no gap of the policy, and one as long as the shortest of those may be the client's."""
    result = judge(*gaps)
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.NOT_OBSERVABLE)


def test_jitter_down_to_nothing_is_told_by_nobody():
    """A gap that may be as short as none proves nothing about whose it is."""
    result = judge(0.01, 0.1, 0.01, retry=Retry(attempts=3, initial_s=4, factor=2, jitter="full"))
    assert result.kind is UnknownKind.NOT_OBSERVABLE


def test_attempts_too_many_are_not_for_the_gaps():
    """More calls than any sharing allows are counted elsewhere; the gaps between the others are judged."""
    result = judge(0.01, 0.03, 0.2, 0.01, 0.03, 0.4, 0.01, 0.03, 0.01)
    assert result.outcome is Outcome.HELD


def test_no_split_where_none_is_allowed():
    """Calls that cannot be shared out give no runs at all; of several ways one with the most attempts is taken."""
    calls = calls_after(0.1, 0.1)
    assert split_layers(calls, client_retries=0, attempts=2, allows=lambda *_: True) == ()
    assert split_layers(calls, client_retries=0, attempts=3, allows=lambda *_: False) == ()
    assert [len(run) for run in split_layers(calls, client_retries=2, attempts=3, allows=lambda *_: True)] == [1, 1, 1]


def test_no_call_has_no_layers():
    """Where nothing was sent, nothing can be said of the waits."""
    nothing = check_backoff(told(), BELOW, STEADY, scale=20.0)
    assert (nothing.outcome, nothing.kind) == (Outcome.UNKNOWN, UnknownKind.VACUOUS)
