"""Draw schedules with Hypothesis: it spreads over sizes and times, does not repeat itself, and is bound to a seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st

from harness.core.faults import draw
from harness.core.schedule import EVERY, LATEST, Schedule, Strike, build_schedule

if TYPE_CHECKING:
    from collections.abc import Callable

# Hypothesis begins each round with some that are as small as can be.
ROUND = 100
LEAST_STRIKES, LEAST_SLOTS = 2, 2
# How many strikes are drawn for each fault at most.
MOST_FOR_EACH = 3
# How many strikes hit every order for one that hits a single one.
EVERY_FOR_ONE = 2
# Which call of an order a strike hits: the first ones more often, since many orders never come to a third.
ATTEMPTS = (1, 1, 2, *range(1, LATEST + 1), EVERY)


@dataclass(frozen=True, slots=True)
class Space:
    """
    What may be drawn: `least` to so many strikes, in at most so many slots, each on one of these `attempts` of an order.

    The faults of a schedule are all of one of the `pools`: what is not worth drawing together is in no pool together.
    """

    pools: tuple[tuple[str, ...], ...]
    strikes: int = 20
    slots: int = 6
    attempts: tuple[int, ...] = ATTEMPTS
    least: int = LEAST_STRIKES


class _Enough(BaseException):
    """No schedule more is wanted. No Exception: that would be a failure Hypothesis looks into."""


def draw_schedules(space: Space, seed: int, visit: Callable[[Schedule], bool]) -> None:
    """Draw one schedule after the other and hand it over, as long as the visitor answers that it wants more."""
    strategy = list_schedules(space)
    try:
        for number in count():
            _draw_round(strategy, draw(seed, "explore", number), visit)
    except _Enough:
        return


def _draw_round(strategy: st.SearchStrategy[Schedule], seed: float, visit: Callable[[Schedule], bool]) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=ROUND,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(strategy)
    def take(schedule: Schedule) -> None:
        if not visit(schedule):
            raise _Enough

    take()


@cache
def list_schedules(space: Space) -> st.SearchStrategy[Schedule]:
    """
    Build the strategy: a pool and a size first, so that crowded schedules are as usual as sparse ones.

    Each strategy is built once: Hypothesis looks a new one over before it draws from it, which takes longer than drawing.
    """
    return st.sampled_from(space.pools).flatmap(lambda pool: _list_of_pool(space, pool))


@cache
def _list_of_pool(space: Space, pool: tuple[str, ...]) -> st.SearchStrategy[Schedule]:
    most = max(LEAST_STRIKES, min(space.strikes, MOST_FOR_EACH * len(pool)))
    sizes = st.tuples(st.integers(LEAST_SLOTS, space.slots), st.integers(min(space.least, most), most))
    return sizes.flatmap(lambda size: _list_of_size(pool, space.attempts, *size))


@cache
def _list_of_size(
    pool: tuple[str, ...], attempts: tuple[int, ...], slots: int, size: int
) -> st.SearchStrategy[Schedule]:
    strike = st.tuples(st.sampled_from(pool), st.sampled_from(_list_aims(slots)), st.sampled_from(attempts))
    strikes = st.lists(strike, min_size=size, max_size=size)
    return strikes.map(
        lambda drawn: build_schedule(
            (Strike(begins, fault, order, lasts, attempt) for fault, (begins, order, lasts), attempt in drawn),
            slots=slots,
        )
    )


@cache
def _list_aims(slots: int) -> tuple[tuple[int, int, int], ...]:
    """
    List when a strike begins, which order it hits and how long it lasts, what is to be drawn more often more than once.

    Faults that only do harm together have to meet: a strike on one order is armed when that order is set in motion, most hit every
    order, and long ones are drawn more often.
    """
    spans = [(begins, lasts) for begins in range(1, slots + 1) for lasts in range(1, slots + 2 - begins)]
    return tuple(
        (begins, order, lasts)
        for begins, lasts in spans
        for order in (*range(begins, begins + lasts), *(EVERY,) * lasts * EVERY_FOR_ONE)
    )
