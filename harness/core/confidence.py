"""How sure some trials make of a share: the bounds of Clopper and Pearson, which hold for any number of trials."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STEPS = 60


def bound_below(hits: int, trials: int, *, confidence: float = 0.95) -> float:
    """
    Return the share that is exceeded with this confidence, one-sided, when so many of the trials hit.

    It is the p at which as many hits or more would be as unlikely as 1 - confidence.
    """
    if hits == 0:
        return 0.0
    return _solve(lambda share: tail(hits, trials, share), 1 - confidence)


def bound_above(hits: int, trials: int, *, confidence: float = 0.95) -> float:
    """Return the share that is not reached with this confidence, one-sided, when so many of the trials hit."""
    return 1.0 - bound_below(trials - hits, trials, confidence=confidence)


def tail(hits: int, trials: int, share: float) -> float:
    """Return how likely so many hits or more are where each trial hits with this share."""
    return sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits, trials + 1))


def _solve(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2
