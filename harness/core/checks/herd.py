"""Herd: orders that failed together must not all come back together, where their waits are declared to be spread."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import TYPE_CHECKING

from harness.core.backoff import EARLY_SHARE, build_gap
from harness.core.checks.retry import Sent
from harness.core.checks.waits import list_waits
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.backoff import Gap
    from harness.core.history import History
    from harness.core.jitter import Wait
    from harness.core.outcomes import Retry

# How seldom waits that are spread as declared may look as if they were not.
CHANCE = 1e-5
# So few waits are alike by chance too often to tell.
FEWEST = 10
# One wait in so many may be out of the ordinary, by the machine's doing, without the rest being spread.
STRAY = 8
# How far apart waits may be that are meant to be equal: so many times as far as one is late in the mean, and this part of what
# the lab was held up for, which is at most this part of the width: no machine spreads all of them evenly.
APART, SHARED, BLURRED = 3.0, 1 / 16, 1 / 4


def check_herd(
    history: History, *, operations: tuple[str, ...], orders: tuple[int, ...], retry: Retry, scale: float
) -> CheckResult:
    """
    Judge that orders which failed at once wait for different times before they are sent again.

    Violated where nearly all waits are so alike that declared jitter would hardly ever make them. Held where they are further
    apart than timers and a busy machine alone would bring them, and not all as long as declared: nothing in a lab makes a wait
    shorter. A jitter half as wide as declared is as good.
    """
    first = tuple(wait for order in orders for wait in list_waits(history, Sent(operations, order))[:1])
    gap = build_gap(retry, 1, scale=scale)
    return replace(_judge_waits(first, gap, orders=len(orders), disturbance_s=history.disturbance_s), waits=first)


def _judge_waits(first: Sequence[Wait], gap: Gap, *, orders: int, disturbance_s: float) -> CheckResult:
    width_s = gap.highest_s - gap.lowest_s
    declared = f"the waits of {orders} orders spread over {width_s:.2f} s"
    if len(first) < max(FEWEST, orders - orders // STRAY):
        observed = f"{len(first)} of {orders} orders failed and were sent again"
        return build_unknown("herd", declared, observed, UnknownKind.VACUOUS)
    waits_s = sorted(wait.waited_s for wait in first)
    most = len(waits_s) - len(waits_s) // STRAY
    apart_s = _find_narrowest_s(waits_s, most)
    observed = f"{most} of {len(waits_s)} waits within {apart_s:.3f} s"
    evidence = [Evidence(f"waits of {' '.join(f'{waited_s:.2f}' for waited_s in waits_s)} s")]
    if apart_s <= _find_chance_s(len(waits_s), most, width_s / 2):
        return build_violated("herd", declared, observed, evidence)
    late_s = max(wait.mean_late_s - wait.late_s for wait in first)
    alike = apart_s <= APART * late_s + min(SHARED * disturbance_s, BLURRED * width_s)
    if alike or waits_s[0] >= gap.highest_s * (1 - EARLY_SHARE):
        observed += ": too little to tell jitter from lateness"
        return build_unknown("herd", declared, observed, UnknownKind.INTERFERENCE)
    return build_held("herd", declared, observed, evidence)


def _find_narrowest_s(waits_s: Sequence[float], most: int) -> float:
    """Return how far apart so many of the sorted waits are, taking those that are closest together."""
    return min(waits_s[at + most - 1] - waits_s[at] for at in range(len(waits_s) - most + 1))


def _find_chance_s(waits: int, most: int, width_s: float) -> float:
    """
    Return how close together so many of the waits are by chance alone, about once in a hundred thousand times.

    Waits that are even over a width lie within a share x of it with a chance of at most n · C(n-1, m-1) · x^(m-1).
    """
    share: float = (CHANCE / (waits * comb(waits - 1, most - 1))) ** (1 / (most - 1))
    return width_s * share
