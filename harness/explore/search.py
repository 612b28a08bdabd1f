"""Explore: draw schedules until one breaks a promise, shrink it, confirm it, and go on until the budget is spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from harness.core.confidence import bound_below
from harness.core.shrinking import shrink
from harness.explore.drawing import Space, draw_schedules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.schedule import Schedule

# Why a schedule is tried: it was drawn, it is smaller than one that breaks a promise, it is the smallest and tried again.
Phase = Literal["drawn", "smaller", "again"]
CONFIDENCE = 0.95
# So many draws with nothing new among them, and the space holds nothing more worth waiting for.
STALE = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """
    What one trial came to: the names of the checks it broke, none where it broke none or nothing can be said.

    `hints` are smaller schedules that may have the same effect, by what the trial showed, the smallest first.
    """

    broken: frozenset[str] = frozenset()
    hints: tuple[Schedule, ...] = ()


class Trial(Protocol):
    """Whoever can try schedules, several at once."""

    def __call__(self, schedules: Sequence[Schedule], phase: Phase) -> Sequence[Tried]:
        """Try each once; return what each came to, in their order."""


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What may be spent: trials, and time, which `left` answers of.

    `asks` is how often a smaller schedule is tried before it counts as harmless; `confirm` how often the smallest one is run
    again; `width` how many are tried at once where none depends on another.
    """

    trials: int = 1_000_000
    left: Callable[[], bool] = field(default=lambda: True)
    asks: int = 2
    confirm: int = 10
    width: int = 1


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
    waiting: list[Schedule] = field(default_factory=list)
    stale: int = 0
    drawn: int = 0
    trials: int = 0

    def visit(self, schedule: Schedule) -> bool:
        """Take a schedule that was drawn; tell whether another one is wanted."""
        if schedule in self.seen or self.is_known(schedule):
            self.stale += 1
            if self.stale >= STALE:
                self.try_waiting()
            return self.goes_on and self.stale < STALE  # it would be found again, and nothing beside it
        self.stale = 0
        self.seen.add(schedule)
        self.waiting.append(schedule)
        if len(self.waiting) >= min(self.budget.width, self.budget.trials - self.trials):
            self.try_waiting()
        return self.goes_on

    @property
    def goes_on(self) -> bool:
        """Tell whether something is left to spend, and to find."""
        return self.has_budget and len(self.found) < self.most_found

    @property
    def has_budget(self) -> bool:
        """Tell whether one trial more may be made."""
        return self.trials < self.budget.trials and self.budget.left()

    def is_known(self, schedule: Schedule) -> bool:
        """Tell whether everything that was found once happens in a schedule as well."""
        return any(schedule.covers(known.schedule) for known in self.found)

    def try_waiting(self) -> None:
        """Try what was drawn, and look into what breaks a promise."""
        if not self.waiting or not self.has_budget:
            return
        schedules, self.waiting = self.waiting, []
        self.drawn += len(schedules)
        for schedule, tried in zip(schedules, self.try_all(schedules, "drawn"), strict=True):
            if tried.broken and len(self.found) < self.most_found and not self.is_known(schedule):
                self.found.append(self.look_into(schedule, tried))

    def try_all(self, schedules: Sequence[Schedule], phase: Phase) -> Sequence[Tried]:
        """Try schedules and count them."""
        self.trials += len(schedules)
        return self.trial(schedules, phase)

    def look_into(self, schedule: Schedule, tried: Tried) -> Found:
        """Shrink and confirm: what breaks one of the same checks is the same finding."""

        def breaks(candidate: Schedule) -> bool | None:
            if not self.has_budget:
                return None
            (smaller,) = self.try_all([candidate], "smaller")
            return bool(smaller.broken & tried.broken)

        shrunk = shrink(schedule, breaks, asks=self.budget.asks, hints=tried.hints)
        runs: list[frozenset[str]] = []
        while len(runs) < self.budget.confirm and self.has_budget:
            room = min(self.budget.width, self.budget.confirm - len(runs), self.budget.trials - self.trials)
            again = self.try_all([shrunk.schedule] * room, "again")
            runs += [each.broken & tried.broken for each in again]
        always = frozenset.union(frozenset(), *runs) or tried.broken
        return Found(shrunk.schedule, schedule, always, sum(map(bool, runs)), len(runs), shrunk.done)


def explore(space: Space, trial: Trial, *, seed: int, budget: Budget, most_found: int = 3) -> Report:
    """
    Explore a space of schedules: same seed, same trial, same findings.

    It ends when the budget is spent or so many different things were found; a schedule that covers one of them is not tried.
    """
    explorer = _Explorer(trial, budget, most_found)
    draw_schedules(space, seed, explorer.visit)
    return Report(tuple(explorer.found), explorer.drawn, explorer.trials)
