"""Explore: draw schedules until one breaks a promise, shrink it, confirm it, and go on until the budget is spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.core.confidence import bound_below
from harness.core.shrinking import shrink
from harness.explore.drawing import Space, draw_schedules

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.schedule import Schedule

CONFIDENCE = 0.95
# So many draws with nothing new among them, and the space holds nothing more worth waiting for.
STALE = 1000


class Trial(Protocol):
    """Whoever can try a schedule."""

    def __call__(self, schedule: Schedule) -> frozenset[str]:
        """Try a schedule once; return the names of the checks it broke, none where it broke none or nothing can be said."""


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What may be spent: trials, and time, which `left` answers of.

    `asks` is how often a smaller schedule is tried before it counts as harmless; `confirm` how often the smallest one is run again.
    """

    trials: int = 1_000_000
    left: Callable[[], bool] = field(default=lambda: True)
    asks: int = 2
    confirm: int = 10


@dataclass(frozen=True, slots=True)
class Found:
    """
    A schedule that breaks a promise: as small as it could be made, as it was drawn, and which checks it breaks.

    It broke them in `hits` of `runs` further runs; `whole` tells that shrinking came to its end within the budget.
    """

    schedule: Schedule
    drawn: Schedule
    broken: frozenset[str]
    hits: int
    runs: int
    whole: bool

    @property
    def at_least(self) -> float:
        """Return the share of runs that it breaks at least, with the confidence of this module; 0 where it never did again."""
        return bound_below(self.hits, self.runs, confidence=CONFIDENCE) if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration came to: what it found, and how many schedules and trials that took."""

    found: tuple[Found, ...]
    drawn: int
    trials: int


@dataclass(slots=True)
class _Explorer:
    trial: Trial
    budget: Budget
    most_found: int
    found: list[Found] = field(default_factory=list)
    seen: set[Schedule] = field(default_factory=set)
    stale: int = 0
    drawn: int = 0
    trials: int = 0

    def visit(self, schedule: Schedule) -> bool:
        """Take a schedule that was drawn; tell whether another one is wanted."""
        if schedule in self.seen or any(schedule.covers(known.schedule) for known in self.found):
            self.stale += 1
            return self.goes_on and self.stale < STALE  # it would be found again, and nothing beside it
        self.stale = 0
        self.seen.add(schedule)
        self.drawn += 1
        broken = self.try_once(schedule)
        if broken:
            self.found.append(self.look_into(schedule, broken))
        return self.goes_on

    @property
    def goes_on(self) -> bool:
        """Tell whether something is left to spend, and to find."""
        return self.has_budget and len(self.found) < self.most_found

    @property
    def has_budget(self) -> bool:
        """Tell whether one trial more may be made."""
        return self.trials < self.budget.trials and self.budget.left()

    def try_once(self, schedule: Schedule) -> frozenset[str]:
        """Try a schedule and count it."""
        self.trials += 1
        return self.trial(schedule)

    def look_into(self, schedule: Schedule, broken: frozenset[str]) -> Found:
        """Shrink and confirm: what breaks one of the same checks is the same finding."""

        def breaks(candidate: Schedule) -> bool | None:
            return bool(self.try_once(candidate) & broken) if self.has_budget else None

        shrunk = shrink(schedule, breaks, asks=self.budget.asks)
        runs: list[frozenset[str]] = []
        while len(runs) < self.budget.confirm and self.has_budget:
            runs.append(self.try_once(shrunk.schedule) & broken)
        always = frozenset.union(frozenset(), *runs) or broken
        return Found(shrunk.schedule, schedule, always, sum(map(bool, runs)), len(runs), shrunk.done)


def explore(space: Space, trial: Trial, *, seed: int, budget: Budget, most_found: int = 3) -> Report:
    """
    Explore a space of schedules: same seed, same trial, same findings.

    It ends when the budget is spent or so many different things were found; a schedule that covers one of them is not tried.
    """
    explorer = _Explorer(trial, budget, most_found)
    draw_schedules(space, seed, explorer.visit)
    return Report(tuple(explorer.found), explorer.drawn, explorer.trials)
