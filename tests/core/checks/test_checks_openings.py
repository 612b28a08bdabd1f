"""The automaton of a breaker over any calls."""

import pytest
from histories import call
from hypothesis import given
from hypothesis import strategies as st

from harness.core.checks.openings import longest_run, trace_openings
from harness.core.stack import Breaker

THREE = Breaker(failures=3, pause_s=2.0, probes=1, alert="oncall")
EPSILON = 1e-6
# The third of three failures ends here.
OPENED = 0.31


def failing(n=3):
    """Make calls that fail one after another."""
    return [call(0.1 * (i + 1), 503, order=i + 1) for i in range(n)]


@pytest.mark.parametrize(
    ("answers", "openings"),
    [
        ([503, 503], 0),
        ([503, 503, 503], 1),
        ([503, 503, 204, 503, 503], 0),
        ([204, 503, 503, 503], 1),
        ([503, 400, 503, 503], 1),
        ([503, 400, 503], 0),
        ([429, 500, None], 1),
        ([499, 404, 401], 0),
    ],
)
def test_what_opens_it(answers, openings):
    """Only 429, 5xx and what was never answered count, only in a row, and only a success starts the count anew."""
    calls = [call(i / 10, status, order=i) for i, status in enumerate(answers)]
    assert len(trace_openings(calls, THREE, scale=1.0)) == openings


def test_it_opens_when_the_last_failure_ends():
    """The pause counts from the end of the failure that opens it, in lab seconds."""
    (opening,) = trace_openings(failing(), Breaker(3, 40.0), scale=20.0)
    assert (opening.opened, opening.until) == pytest.approx((OPENED, OPENED + 2.0))


def test_failures_count_in_the_order_they_end():
    """A failure that began first and ended last is the last one."""
    slow = call(0.0, 503, order=9, took=1.0)
    (opening,) = trace_openings([slow, *failing(2)], THREE, scale=1.0)
    assert opening.opened == pytest.approx(1.0)


def test_a_probe_that_a_breaker_does_not_count():
    """A probe that is refused as wrong neither keeps it open nor opens it again."""
    assert len(trace_openings([*failing(), call(2.4, 400)], THREE, scale=1.0)) == 1


def test_what_was_under_way_does_not_count_on():
    """A failure that was under way when it opened is no failure of the next count."""
    calls = [*failing(), call(2.5), call(3.6, 503), call(3.7, 503)]
    for took in (0.01, 3.0):
        under_way = call(OPENED + 0.05, 503, order=9, took=took)
        assert len(trace_openings([*calls, under_way], THREE, scale=1.0)) == 1


def test_what_was_under_way_when_it_opened_again():
    """Also of a later opening: what was sent before it is no failure of the count after it."""
    again = [call(3.0 + 0.1 * number, 503) for number in range(3)]
    under_way = call(3.15, 503, order=9, took=3.0)
    after = [call(5.4), call(5.6, 503), call(5.7, 503)]
    openings = trace_openings([*failing(), call(2.4), *again, under_way, *after], THREE, scale=1.0)
    assert [opening.opened for opening in openings] == pytest.approx([OPENED, 3.21])


def test_what_is_sent_in_the_pause_does_not_open_it():
    """Calls that go on in the pause are intruders; the count begins anew behind the probe."""
    on = [call(1.0 + 0.1 * number, 503) for number in range(5)]
    (opening,) = trace_openings([*failing(), *on, call(2.4)], THREE, scale=1.0)
    assert len(opening.intruders) == len(on)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.001, 1), st.sampled_from([204, 400, 429, 503, None])), max_size=25)
)
def test_trace_of_any_calls(spans):
    """Whatever the calls: openings follow one another, intruders lie in the silence, and each call is one of both at most."""
    calls = [call(t, status, took=took, order=i) for i, (t, took, status) in enumerate(spans)]
    openings = trace_openings(calls, THREE, scale=2.0)
    assert [opening.opened for opening in openings] == sorted(opening.opened for opening in openings)
    for opening in openings:
        assert all(opening.opened <= call.started < opening.until for call in opening.intruders)
        assert all(call.started >= opening.until - 0.1 - EPSILON for call in opening.probes)
    named = [call.id for opening in openings for call in opening.probes]
    assert len(named) == len(set(named))
    failures = sum(each.counts_for_breaker for each in calls)
    assert sum(not opening.reopened for opening in openings) <= failures // THREE.failures


@pytest.mark.parametrize(
    ("answers", "run"), [([], 0), ([204], 0), ([503, 503], 2), ([503, 204, 503, 429, None], 3), ([503, 400, 503], 2)]
)
def test_longest_run(answers, run):
    """The longest run of failures is broken by a success alone."""
    assert longest_run([call(i / 10, status) for i, status in enumerate(answers)]) == run
