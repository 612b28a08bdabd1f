"""Where the time of an experiment went."""

import pytest
from histories import call, told
from hypothesis import given
from hypothesis import strategies as st

from harness.core.timing import Waited, build_timing


def test_parts():
    """Quiet waiting that was declared is inherent, the rest of the waits the integration's, the rest the harness's."""
    timing = build_timing(told(call(1.0, took=0.5)), [Waited(0.5, 3.5, 2.0)], duration_s=4.0)
    assert (timing.inherent_s, timing.integration_s, timing.overhead_s) == pytest.approx((2.0, 1.0, 1.0))


def test_time_on_the_wire_is_not_waiting():
    """While a call is under way nothing is waited for, however many calls there are at once."""
    calls = [call(1.0, took=1.0), call(1.5, took=1.0), call(9.0)]
    timing = build_timing(told(*calls), [Waited(1.0, 3.0, 9.0)], duration_s=2.0)
    assert (timing.inherent_s, timing.integration_s) == pytest.approx((0.5, 1.5))


def test_undeclared_waiting_is_the_integrations():
    """A wait that nothing declared is all the integration's."""
    timing = build_timing(told(), [Waited(0.0, 2.0, 0.0)], duration_s=2.0)
    assert (timing.inherent_s, timing.integration_s, timing.overhead_s) == (0.0, 2.0, 0.0)


waits = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=6)
spans = st.lists(st.tuples(st.floats(-1, 30), st.floats(0.001, 3)), max_size=8)


@given(waits, spans, st.floats(0, 9))
def test_parts_add_up(lengths, calls, outside_s):
    """The parts are never negative and add up to the whole."""
    listed, now = [], 0.0
    for length, declared_s in lengths:
        listed.append(Waited(now, now + length, declared_s))
        now += length
    history = told(*(call(t, took=took) for t, took in calls))
    timing = build_timing(history, listed, duration_s=now + outside_s)
    parts = (timing.inherent_s, timing.integration_s, timing.overhead_s)
    assert min(parts) >= -1e-9
    assert sum(parts) == pytest.approx(timing.duration_s)
    assert timing.inherent_s <= sum(wait.declared_s for wait in listed) + 1e-9


def test_time_is_on_the_wire_once():
    """Calls that meet or overlap are one stretch of time, and those apart are two."""
    calls = [call(0.0, took=4.0), call(5.0, took=1.0), call(5.5, took=1.0), call(6.5, took=0.5), call(8.0, took=1.0)]
    timing = build_timing(told(*calls), [Waited(0.0, 10.0, 10.0)], duration_s=12.0)
    assert (timing.inherent_s, timing.integration_s, timing.overhead_s) == pytest.approx((3.0, 7.0, 2.0))
