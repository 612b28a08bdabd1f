"""Declared backoff as intervals: how long an integration may wait before each further attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.outcomes import Retry

# What a busy machine may add to a gap without anybody breaking a promise: part of the gap, and a constant in seconds.
# A tap, two processes and a scheduler stand between the integration's timer and the wire.
LATE_SHARE = 0.25
LATE_S = 0.25
# What one attempt itself may take before the next gap begins, in seconds: work of the integration and its vendor.
HANDLING_S = 0.5
EARLY_SHARE = 0.1
EARLY_S = 0.01


@dataclass(frozen=True, slots=True)
class Gap:
    """The declared interval between the end of one attempt and the start of the next, in lab seconds."""

    lowest_s: float
    highest_s: float

    def is_early(self, observed_s: float) -> bool:
        """Tell whether an observed gap is too short: nothing in a lab makes one shorter."""
        return observed_s < self.lowest_s * (1 - EARLY_SHARE) - EARLY_S

    @property
    def is_tellable(self) -> bool:
        """Tell whether a gap too short could be seen at all: one of a few milliseconds looks like none."""
        return self.lowest_s == 0 or self.is_early(0.0)

    def late_by_s(self, observed_s: float, *, extra_s: float = 0.0) -> float:
        """Say how much longer a gap was than the lab itself explains; 0 when it was not. `extra_s` is added to what may be."""
        return max(0.0, observed_s - self.highest_s * (1 + LATE_SHARE) - LATE_S - extra_s)

    def at_least(self, asked_s: float) -> Gap:
        """
        Return the interval once a vendor has asked to wait that long.

        Whoever does as asked may leave its own backoff out, so only what was asked is too short to be less than.
        """
        return Gap(asked_s, max(self.highest_s, asked_s)) if asked_s else self

    def __str__(self) -> str:
        """Show it with its unit."""
        if self.lowest_s == self.highest_s:
            return f"{self.highest_s:.2f} s"
        return f"{self.lowest_s:.2f} to {self.highest_s:.2f} s"


def build_gap(retry: Retry, ordinal: int, *, scale: float, previous_s: float = 0.0) -> Gap:
    """
    Build the interval before attempt `ordinal + 1` (the first gap has ordinal 1).

    `previous_s` is the observed gap before it, which decorrelated jitter grows from.
    """
    ceiling = retry.max_s if retry.max_s is not None else float("inf")
    nominal = min(ceiling, retry.initial_s * retry.factor ** (ordinal - 1)) / scale
    match retry.jitter:
        case "full":
            return Gap(0.0, nominal)
        case "equal":
            return Gap(nominal / 2, nominal)
        case "decorrelated":
            lowest = min(ceiling, retry.initial_s) / scale
            return Gap(lowest, max(lowest, min(ceiling / scale, 3 * max(previous_s, lowest))))
        case _:
            return Gap(nominal, nominal)


def longest_s(retry: Retry, *, scale: float) -> float:
    """Return the longest gap the retry could still produce, in lab seconds."""
    return max(_longest_gaps(retry, scale), default=0.0)


def total_s(retry: Retry, *, scale: float) -> float:
    """Return the declared waiting of a whole policy run at its longest, in lab seconds."""
    return sum(_longest_gaps(retry, scale))


def _longest_gaps(retry: Retry, scale: float) -> list[float]:
    gaps: list[float] = []
    for ordinal in range(1, retry.attempts):
        gaps.append(build_gap(retry, ordinal, scale=scale, previous_s=gaps[-1] if gaps else 0.0).highest_s)
    return gaps
