"""
From a schedule that breaks a promise to a smallest one that still does.

A trial may cost seconds and need not come out alike twice, so halves are tried before single strikes, nothing is asked twice
that was answered once with yes, and a no is believed only when it was given several times.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from harness.core.schedule import EVERY, LATEST, Schedule, Strike, build_schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # Whether a schedule breaks the promise, tried once; None when no more may be tried.
    Breaks: TypeAlias = Callable[[Schedule], bool | None]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest schedule that was found to break the promise, after so many trials; `done` when none smaller was left to try."""

    schedule: Schedule
    trials: int
    done: bool


class _Spent(Exception):  # noqa: N818 - named for what happened
    pass


@dataclass(slots=True)
class _Shrinker:
    breaks: Breaks
    asks: int
    smallest: Schedule
    trials: int = 0
    refused: dict[Schedule, int] = field(default_factory=dict)

    def try_one(self, candidate: Schedule) -> bool:
        """Ask as often as a no needs to be believed; a yes makes the candidate the smallest."""
        if not candidate.strikes or candidate.weight >= self.smallest.weight:
            return False
        while self.refused.get(candidate, 0) < self.asks:
            answer = self.breaks(candidate)
            if answer is None:
                raise _Spent
            self.trials += 1
            if answer:
                self.smallest = candidate
                return True
            self.refused[candidate] = self.refused.get(candidate, 0) + 1
        return False

    def drop_strikes(self) -> bool:
        """Leave out halves, quarters and so on down to single strikes; tell whether anything could be left out."""
        dropped = False
        size = max(1, len(self.smallest) // 2)
        while size:
            start = 0
            while start < len(self.smallest):
                strikes = self.smallest.strikes
                kept = strikes[:start] + strikes[start + size :]
                if self.try_one(build_schedule(kept, slots=self.smallest.slots)):
                    dropped = True
                else:
                    start += size
            size //= 2
        return dropped

    def simplify(self) -> bool:
        """Make what is left simpler, step by step; tell whether anything could be."""
        simpler = False
        while any(self.try_one(candidate) for candidate in _list_simpler(self.smallest)):
            simpler = True
        return simpler


def shrink(schedule: Schedule, breaks: Breaks, *, asks: int = 2, hints: Sequence[Schedule] = ()) -> Shrunk:
    """
    Shrink a schedule that breaks a promise as far as it goes.

    Strikes are left out while that is possible, then the rest is made simpler: fewer slots, shorter, one order for all of them.
    A no is asked `asks` times, since what depends on timing does not show each time. What is returned has broken the promise.
    `hints` are tried before anything else, the first that breaks it counts: what may be left of the schedule, by what the trial showed.
    """
    shrinker = _Shrinker(breaks, asks, schedule)
    try:
        any(shrinker.try_one(hint) for hint in hints)
        while shrinker.drop_strikes() | shrinker.simplify():
            continue
    except _Spent:
        return Shrunk(shrinker.smallest, shrinker.trials, done=False)
    return Shrunk(shrinker.smallest, shrinker.trials, done=True)


def _list_simpler(schedule: Schedule) -> Iterator[Schedule]:
    """List what is a little simpler, the greatest steps first."""
    slots = schedule.slots
    used = max(max(strike.ends - 1, strike.order) for strike in schedule.strikes)
    for fewer in dict.fromkeys((used, slots // 2, slots - 1)):
        if 0 < fewer < slots:
            yield build_schedule(schedule.strikes, slots=fewer)
    if all(strike.begins > 1 for strike in schedule.strikes):
        # Together: one alone would part what has to meet.
        yield build_schedule([replace(each, begins=each.begins - 1) for each in schedule.strikes], slots=slots)
    if all(strike.order > 1 for strike in schedule.strikes):
        yield build_schedule([replace(each, order=each.order - 1) for each in schedule.strikes], slots=slots)
    for place, strike in enumerate(schedule.strikes):
        for simpler in _simplify(strike, slots):
            others: Sequence[Strike] = schedule.strikes[:place] + schedule.strikes[place + 1 :]
            yield build_schedule((*others, simpler), slots=slots)


def _simplify(strike: Strike, slots: int) -> Iterator[Strike]:
    if strike.order == EVERY:
        yield from (replace(strike, order=order) for order in range(1, slots + 1))
    for lasts in dict.fromkeys((1, strike.lasts // 2, strike.lasts - 1)):
        if 0 < lasts < strike.lasts:
            yield replace(strike, lasts=lasts)
            yield replace(strike, begins=strike.ends - lasts, lasts=lasts)
    if strike.attempt == EVERY:
        yield from (replace(strike, attempt=attempt) for attempt in range(1, LATEST + 1))
    if strike.begins > 1:
        yield replace(strike, begins=strike.begins - 1)
    if strike.order > 1:
        yield replace(strike, order=strike.order - 1)
    if strike.attempt > 1:
        yield replace(strike, attempt=strike.attempt - 1)
