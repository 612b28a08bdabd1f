"""Backoff: declared gaps as intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.backoff import EARLY_S, EARLY_SHARE, LATE_S, LATE_SHARE, Gap, build_gap, longest_s, total_s
from harness.core.outcomes import Retry

JITTERS = ("none", "full", "equal", "decorrelated")
retries = st.builds(
    Retry,
    attempts=st.integers(1, 9),
    initial_s=st.floats(0, 100),
    factor=st.floats(1, 4),
    max_s=st.none() | st.floats(0.1, 200),
    jitter=st.sampled_from(JITTERS),
)


@pytest.mark.parametrize(
    ("jitter", "ordinal", "lowest_s", "highest_s"),
    [
        ("none", 1, 0.2, 0.2),
        ("none", 3, 0.8, 0.8),
        ("none", 9, 5.0, 5.0),
        ("full", 1, 0.0, 0.2),
        ("full", 9, 0.0, 5.0),
        ("equal", 2, 0.2, 0.4),
        ("equal", 9, 2.5, 5.0),
        ("decorrelated", 1, 0.2, 0.6),
        ("decorrelated", 4, 0.2, 0.6),
    ],
)
def test_declared_gaps(jitter, ordinal, lowest_s, highest_s):
    """Each jitter has its interval, in lab seconds, never above the declared maximum."""
    retry = Retry(attempts=9, initial_s=4, factor=2, max_s=100, jitter=jitter)
    gap = build_gap(retry, ordinal, scale=20)
    assert (gap.lowest_s, gap.highest_s) == pytest.approx((lowest_s, highest_s))


@pytest.mark.parametrize(("previous_s", "highest_s"), [(0.0, 0.6), (0.1, 0.6), (1.0, 3.0), (4.0, 5.0)])
def test_decorrelated_jitter_grows_from_what_was_seen(previous_s, highest_s):
    """Decorrelated jitter may wait up to thrice the gap before, never beyond the maximum."""
    retry = Retry(attempts=9, initial_s=4, max_s=100, jitter="decorrelated")
    assert build_gap(retry, 2, scale=20, previous_s=previous_s).highest_s == pytest.approx(highest_s)


@given(st.floats(0, 50), st.floats(0, 50))
def test_bounds(lowest_s, more_s):
    """A gap is early below its lower bound, late above its upper one, and lateness grows second by second."""
    gap = Gap(lowest_s, lowest_s + more_s)
    earliest = gap.lowest_s * (1 - EARLY_SHARE) - EARLY_S
    latest = gap.highest_s * (1 + LATE_SHARE) + LATE_S
    assert not gap.is_early(earliest)
    assert gap.is_early(earliest - 0.001)
    assert gap.late_by_s(latest) == pytest.approx(0, abs=1e-9)
    assert gap.late_by_s(latest + 2.0) == pytest.approx(2.0)
    assert gap.late_by_s(latest + 2.0, extra_s=1.5) == pytest.approx(0.5)
    assert not gap.is_early(latest)
    assert gap.late_by_s(earliest) == 0


@pytest.mark.parametrize(
    ("lowest_s", "tellable"), [(0.0, True), (0.001, False), (0.011, False), (0.012, True), (1, True)]
)
def test_what_can_be_told(lowest_s, tellable):
    """A gap of a few milliseconds cannot be told from none; none that is declared needs no telling."""
    assert Gap(lowest_s, lowest_s).is_tellable is tellable


@given(retries, st.sampled_from([1.0, 20.0]))
def test_budgets_bound_every_gap(retry, scale):
    """No gap is declared longer than the longest, even if each before it was, and all of them together are the total."""
    gaps: list[Gap] = []
    for ordinal in range(1, retry.attempts):
        previous_s = gaps[-1].highest_s if gaps else 0.0
        gaps.append(build_gap(retry, ordinal, scale=scale, previous_s=previous_s))
    assert all(0 <= gap.lowest_s <= gap.highest_s <= longest_s(retry, scale=scale) for gap in gaps)
    assert sum(gap.highest_s for gap in gaps) == pytest.approx(total_s(retry, scale=scale))
    if not gaps:
        assert longest_s(retry, scale=scale) == total_s(retry, scale=scale) == 0


@given(retries)
def test_scaled_alike(retry):
    """Time scales every gap alike."""
    assert total_s(retry, scale=20) == pytest.approx(total_s(retry, scale=1) / 20)


def test_words():
    """A gap is written with its unit, as one number where it has one."""
    assert (str(Gap(0.2, 0.2)), str(Gap(0, 0.2))) == ("0.20 s", "0.00 to 0.20 s")
