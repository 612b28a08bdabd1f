"""Leaky bucket, look-back window, concurrency."""

from __future__ import annotations

from dataclasses import dataclass

from fakes.kit.limits import ConcurrencyLimit, LeakyBucket, Window


@dataclass
class HandClock:
    """A clock set by hand."""

    now: float = 100.0

    def wall(self) -> float:
        """Return the epoch seconds."""
        return self.now

    def mono(self) -> float:
        """Return the monotonic seconds."""
        return self.now


def test_a_bucket_refuses_what_does_not_fit_and_leaks() -> None:
    """A full bucket refuses, without counting the refused call, until enough has leaked."""
    clock = HandClock()
    bucket = LeakyBucket(clock, size=3, leak_per_s=2)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 0.25
    assert not bucket.take()
    clock.now += 0.25
    assert bucket.take()
    clock.now += 60
    assert bucket.level() == 0


def test_a_window_looks_back() -> None:
    """A window counts calls of the last seconds and tells when the next one fits."""
    clock = HandClock()
    window = Window(clock, limit=2, seconds=60)
    assert window.take()
    clock.now += 10
    assert window.take()
    assert not window.take()
    assert window.wait_s() == 50
    clock.now += 50
    assert window.left() == 1
    assert window.take()


def test_a_concurrency_limit_counts_who_is_inside() -> None:
    """A slot is free again once its block ended, and a refused call holds none."""
    limit = ConcurrencyLimit(1)
    with limit.enter() as first, limit.enter() as second:
        assert (first, second) == (True, False)
    with limit.enter() as third:
        assert third
    assert limit.running == 0
