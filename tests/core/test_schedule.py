"""Schedules as values: what meets, what covers, what is smaller."""

import pytest

from harness.core.schedule import EVERY, Strike, build_schedule

LATE = Strike(begins=2, fault="timeout", order=1, lasts=2)


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        (Strike(1, "reset", 1, 1), False),
        (Strike(1, "reset", 1, 2), True),
        (Strike(3, "reset", 1, 1), True),
        (Strike(4, "reset", 1, 1), False),
        (Strike(2, "reset", 2, 2), False),
        (Strike(2, "reset", EVERY, 2), True),
    ],
)
def test_meets(other, meets):
    """Two meet when they are armed at one time and can hit one order, whichever is asked."""
    assert (LATE.meets(other), other.meets(LATE)) == (meets, meets)


@pytest.mark.parametrize(
    ("other", "covers"),
    [
        (LATE, True),
        (Strike(3, "timeout", 1, 1), True),
        (Strike(1, "timeout", 1, 3), False),
        (Strike(2, "timeout", 2, 2), False),
        (Strike(2, "reset", 1, 2), False),
    ],
)
def test_covers(other, covers):
    """One covers another of the same fault that is no longer and hits no other order; on every order it covers each."""
    assert LATE.covers(other) is covers
    assert Strike(2, "timeout", EVERY, 2).covers(LATE)
    assert not LATE.covers(Strike(2, "timeout", EVERY, 2))


def test_one_form():
    """However it is put together, what says the same is equal: order, repetition and what lies beyond the end do not count."""
    first = build_schedule([LATE, Strike(1, "reset")], slots=3)
    assert first == build_schedule([Strike(1, "reset"), LATE, LATE, Strike(4, "reset"), Strike(1, "reset", 7)], slots=3)
    assert build_schedule([LATE], slots=2).strikes == (Strike(2, "timeout", 1, 1),)
    assert build_schedule([], slots=0).slots == 1


def test_schedule_covers():
    """A schedule covers another when each of its strikes is covered by one of its own."""
    both = build_schedule([LATE, Strike(1, "reset")], slots=3)
    assert both.covers(build_schedule([LATE], slots=3))
    assert not build_schedule([LATE], slots=3).covers(both)


def test_weight():
    """Fewer strikes weigh less than anything else; then fewer slots, single orders, shorter, earlier."""
    schedules = [
        build_schedule([Strike(1, "reset", 1)], slots=3),
        build_schedule([Strike(1, "reset"), Strike(1, "timeout")], slots=2),
        build_schedule([Strike(1, "reset", 1), Strike(1, "timeout")], slots=3),
        build_schedule([Strike(1, "reset"), Strike(1, "timeout")], slots=3),
        build_schedule([Strike(1, "reset"), Strike(2, "timeout")], slots=3),
        build_schedule([Strike(1, "reset"), Strike(1, "timeout", lasts=2)], slots=3),
    ]
    weights = [schedule.weight for schedule in schedules]
    assert weights == sorted(weights)
    assert len(set(weights)) == len(weights)


def test_said():
    """It is said in words."""
    assert str(build_schedule([LATE, Strike(1, "reset")], slots=3)) == (
        "reset on every order in slot 1; timeout on order 1 in slots 2 to 3"
    )
