"""Vendor limits: a leaky bucket, a look-back window, and a cap on concurrent calls."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.kit.clock import Clock


class LeakyBucket:
    """Fill by one a call and leak at a steady rate; a call that does not fit is refused and adds nothing."""

    def __init__(self, clock: Clock, *, size: float, leak_per_s: float) -> None:
        self.size = size
        self.leak_per_s = leak_per_s
        self._clock = clock
        self._level = 0.0
        self._at = clock.mono()

    def level(self) -> float:
        """Return how full the bucket is now."""
        now = self._clock.mono()
        self._level = max(0.0, self._level - (now - self._at) * self.leak_per_s)
        self._at = now
        return self._level

    def take(self, cost: float = 1.0) -> bool:
        """Add a call; False when it would overflow."""
        level = self.level()
        if level + cost > self.size:
            return False
        self._level = level + cost
        return True


class Window:
    """Allow so many calls within the last seconds; a call that is refused does not count."""

    def __init__(self, clock: Clock, *, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._taken: deque[float] = deque()

    def left(self) -> int:
        """Return how many calls fit now."""
        oldest = self._clock.mono() - self.seconds
        while self._taken and self._taken[0] <= oldest:
            self._taken.popleft()
        return self.limit - len(self._taken)

    def take(self) -> bool:
        """Count a call; False when it does not fit."""
        if self.left() <= 0:
            return False
        self._taken.append(self._clock.mono())
        return True

    def wait_s(self) -> float:
        """Return the seconds until a call fits again."""
        if self.left() > 0:
            return 0.0
        return max(0.0, self._taken[0] + self.seconds - self._clock.mono())


class ConcurrencyLimit:
    """Count calls in progress against a limit that may change at any time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Hold a slot while the block runs; yields False, holding none, when all are taken."""
        if self.running >= self.limit:
            yield False
            return
        self.running += 1
        try:
            yield True
        finally:
            self.running -= 1
