"""Waits: which gaps between the attempts of an order a policy alone decided."""

import pytest
from histories import call, did, told

from harness.core.checks.retry import Sent
from harness.core.checks.waits import list_waits

SENT = Sent(("sales_order.upsert",), 1)
# Three attempts that fail and one that gets through.
CALLS = (call(0.0, 503), call(0.2, 503), call(0.6, 503), call(1.4))


def waits(*things, breaker_failures=0, **more):
    """List the waits of order 1, in seconds."""
    return [each.waited_s for each in list_waits(told(*things, **more), SENT, breaker_failures=breaker_failures)]


def test_each_wait_is_from_end_to_start():
    """Waits are numbered, know the one before them, and how late they may be."""
    found = list_waits(told(*CALLS, disturbance_s=0.2), SENT)
    assert [each.ordinal for each in found] == [1, 2, 3]
    assert [each.waited_s for each in found] == pytest.approx([0.19, 0.39, 0.79])
    assert [each.previous_s for each in found] == pytest.approx([0.0, 0.19, 0.39])
    assert [each.late_s for each in found] == [0.05] * 3


@pytest.mark.parametrize("kind", ["replay", "decide", "restart"])
def test_what_the_driver_had_sent_again_waited_for_the_driver(kind):
    """From a replay, a decision or a restart on, the policy decided no wait."""
    assert waits(*CALLS, did(kind, 0.5)) == pytest.approx([0.19])
    assert waits(*CALLS, did(kind, 0.6)) == pytest.approx([0.19])
    assert waits(*CALLS, did(kind, 1.0), did("replay", 1.3)) == pytest.approx([0.19, 0.39])
    assert waits(*CALLS, did("place", 0.1, 1)) == pytest.approx([0.19, 0.39, 0.79])


def test_the_first_prompt_counts():
    """Where there were several, waits end at the first."""
    assert waits(*CALLS, did("decide", 0.5), did("restart", 1.0)) == pytest.approx([0.19])
    assert waits(*CALLS, did("replay", 1.0), did("decide", 0.5)) == pytest.approx([0.19])


def test_behind_a_success_nothing_waits():
    """What is sent once more although it got through was no retry; nor are waits behind it."""
    assert waits(call(0.0, 503), call(0.2), call(0.6, 503), call(1.4)) == pytest.approx([0.19])


def test_attempts_that_overlap_have_no_wait():
    """Where the next was sent before the last had ended, nobody waited for its end."""
    assert waits(call(0.0, 503), call(0.2, 503, took=0.5), call(0.6, 503), call(1.4)) == pytest.approx([0.19])
    assert waits(call(0.0, 503, took=0.25), call(0.25, 503, took=0.25), call(0.5)) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize(("failures", "found"), [(0, 3), (1, 0), (2, 1), (3, 2), (4, 3)])
def test_where_the_breaker_may_have_opened(failures, found):
    """Once the handoff has failed as often in a row as its breaker counts, a wait may be its pause."""
    assert len(waits(*CALLS, breaker_failures=failures)) == found


def test_failures_of_others_open_it_too():
    """Every order's failures count, those that ended before the attempt, and a success starts the count anew."""
    other = call(0.1, 503, order=2)
    assert len(waits(*CALLS, other, breaker_failures=3)) == 1
    assert len(waits(*CALLS, other, call(0.3, order=3), breaker_failures=3)) == 3
    assert len(waits(*CALLS, call(0.1, 503, order=2, took=3.0), breaker_failures=3)) == 2


def test_only_the_orders_own_calls():
    """Other orders and other operations have waits of their own."""
    assert waits(*CALLS, call(0.3, 503, order=2), call(0.35, 503, operation="sales_order.read")) == pytest.approx(
        [0.19, 0.39, 0.79]
    )
