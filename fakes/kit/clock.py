"""The two clocks everything in a fake reads: wall time for people and payloads, monotonic time for gaps."""

from __future__ import annotations

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
