"""Medians of what was measured side by side, and how far a ratio of two of them can be trusted."""

from __future__ import annotations

import random
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two medians, and the interval that holds 95 in 100 of those redrawn from the same rounds."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def compare(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Compare what two took, round by round: rounds are redrawn in pairs, as both met the same disturbances."""
    chance = random.Random(1)  # noqa: S311 - the same draws from the same figures
    pairs = list(zip(ours, theirs, strict=True))
    drawn = sorted(_ratio(chance.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
    return Ratio(_ratio(pairs), drawn[DRAWS // 40], drawn[-DRAWS // 40])


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return median(ours for ours, _ in pairs) / median(theirs for _, theirs in pairs)
