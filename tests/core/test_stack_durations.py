"""Durations: what stack.yaml may write and what it means."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.durations import LONGEST_S, format_duration, nearest_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("0s", 0.0), ("4s", 4.0), ("1.5s", 1.5), ("10m", 600.0), ("2h", 7200.0), ("0.5h", 1800.0)],
)
def test_units(text, seconds):
    """A number and one of ms, s, m, h is a duration."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4x", "not a duration"),
        ("", "not a duration"),
        ("s", "not a duration"),
        ("4 s", "not a duration"),
        ("1h30m", "not a duration"),
        ("٤s", "not a duration"),
        ("4s\n", "not a duration"),
        ("4", "no unit"),
        ("-4s", "negative"),
        ("9000h", "longer than a year"),
        ("9" * 400 + "h", "not a duration"),
    ],
)
def test_refused(text, why):
    """Anything else is refused with a sentence that says why."""
    with pytest.raises(ValueError, match=why):
        parse_duration(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("4x", "4s"),
        ("5 min", "5m"),
        ("-5s", "5s"),
        ("100 millis", "100ms"),
        ("15", "15s"),
        ("2 hours", "2h"),
        ("a", ""),
    ],
)
def test_nearest(written, meant):
    """A near miss gets the duration it was meant to be."""
    assert nearest_duration(written) == meant


def test_forever_has_a_name():
    """An unbounded wait is written in words."""
    assert format_duration(math.inf) == "forever"


@given(st.integers(min_value=0, max_value=int(LONGEST_S) * 1000))
def test_format_and_parse_agree(milliseconds):
    """What format_duration writes, parse_duration reads back to the millisecond."""
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)
