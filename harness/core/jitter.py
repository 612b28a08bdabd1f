"""
The families of jitter: how likely a wait is under each, whoever knows what the wait would have been without any.

A wait is never shorter than intended, but for the grain of a clock, and may be longer: by little as a rule, by much now and
then, which the machine is to blame for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# How late a timer of an idle machine is in the mean: some milliseconds, and some hundredths of the wait.
LATE_S, LATE_SHARE = 0.008, 0.02
EARLY_S = 0.002
# How many times as late as in the mean a wait may be: where nothing but lateness makes it longer, and where jitter does too.
RARELY, SELDOM = 8.0, 2.0


@dataclass(frozen=True, slots=True)
class Wait:
    """
    One wait between two attempts, in seconds.

    The first after a failure has ordinal 1; `previous_s` is the one before it, 0 where there is none. `late_s` is how late
    it may be in the mean, beside what an idle machine adds.
    """

    ordinal: int
    waited_s: float
    previous_s: float = 0.0
    late_s: float = 0.0

    @property
    def mean_late_s(self) -> float:
        """How much later than intended it may be in the mean."""
        return LATE_S + LATE_SHARE * self.waited_s + self.late_s


@dataclass(frozen=True, slots=True)
class Family:
    """
    One family: how likely a wait is, and between which values it would lie without jitter, by the wait alone.

    `weigh` takes the wait and what it would be without jitter, and returns a density; `bound` returns the interval outside
    of which that is next to nothing. A family that `grows` multiplies by a factor each time.
    """

    weigh: Callable[[Wait, float], float]
    bound: Callable[[Wait], tuple[float, float]]
    grows: bool = True


def _weigh_none(wait: Wait, nominal_s: float) -> float:
    late_s, mean_s = wait.waited_s - nominal_s, wait.mean_late_s
    return 0.0 if late_s < -EARLY_S else 2 / mean_s * (1 + max(0.0, late_s) / mean_s) ** -3


def _bound_none(wait: Wait) -> tuple[float, float]:
    return max(0.0, wait.waited_s - RARELY * wait.mean_late_s), wait.waited_s + EARLY_S


def _weigh_full(wait: Wait, nominal_s: float) -> float:
    late_s = SELDOM * wait.mean_late_s
    return 1 / (nominal_s + late_s) if wait.waited_s <= nominal_s + late_s else 0.0


def _bound_full(wait: Wait) -> tuple[float, float]:
    return max(0.0, wait.waited_s - SELDOM * wait.mean_late_s), inf


def _weigh_equal(wait: Wait, nominal_s: float) -> float:
    late_s = SELDOM * wait.mean_late_s
    inside = nominal_s / 2 - EARLY_S <= wait.waited_s <= nominal_s + late_s
    return 1 / (nominal_s / 2 + late_s) if inside else 0.0


def _bound_equal(wait: Wait) -> tuple[float, float]:
    return max(0.0, wait.waited_s - SELDOM * wait.mean_late_s), 2 * (wait.waited_s + EARLY_S)


def _weigh_decorrelated(wait: Wait, base_s: float) -> float:
    longest_s, late_s = 3 * max(wait.previous_s, base_s), SELDOM * wait.mean_late_s
    inside = base_s - EARLY_S <= wait.waited_s <= longest_s + late_s
    return 1 / (longest_s - base_s + late_s) if inside else 0.0


def _bound_decorrelated(wait: Wait) -> tuple[float, float]:
    least_s = (wait.waited_s - SELDOM * wait.mean_late_s) / 3
    return (least_s if least_s > wait.previous_s else 0.0), wait.waited_s + EARLY_S


def cap_decorrelated(cap_s: float) -> Family:
    """Build the family whose waits are cut at a cap: every wait that would be longer is as long as the cap."""

    def weigh(wait: Wait, base_s: float) -> float:
        if wait.waited_s < cap_s - EARLY_S:
            return _weigh_decorrelated(wait, base_s)
        longest_s = 3 * max(wait.previous_s, base_s)
        cut = max(0.0, longest_s - cap_s) / (longest_s - base_s)
        return cut * _weigh_none(wait, cap_s)

    return Family(weigh, _bound_decorrelated, grows=False)


FAMILIES: Mapping[str, Family] = {
    "none": Family(_weigh_none, _bound_none),
    "full": Family(_weigh_full, _bound_full),
    "equal": Family(_weigh_equal, _bound_equal),
    "decorrelated": Family(_weigh_decorrelated, _bound_decorrelated, grows=False),
}
