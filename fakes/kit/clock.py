"""The two clocks everything in a fake reads: wall time for people and payloads, monotonic time for gaps."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Tell the time, both in seconds."""

    def wall(self) -> float:
        """Return the epoch seconds."""

    def mono(self) -> float:
        """Return ``CLOCK_MONOTONIC``, one clock for all processes of a machine."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clocks."""

    def wall(self) -> float:
        """Return the epoch seconds."""
        return time.time()

    def mono(self) -> float:
        """Return the monotonic seconds."""
        return time.monotonic()


async def sleep(clock: Clock, seconds: float) -> None:
    """Sleep at least so long by the monotonic clock; the loop's own timers may come a millisecond early."""
    deadline = clock.mono() + seconds
    while (left := deadline - clock.mono()) > 0:  # noqa: ASYNC110 - there is no event: time itself is waited for
        await asyncio.sleep(left)
