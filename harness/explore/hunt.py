"""
The search in labs: schedules become experiments, experiments run in labs, violated verdicts become findings.

Only a violated verdict counts. One that is unknown, for whatever reason, breaks nothing.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Protocol

from harness.core.checks.ledger import Row
from harness.core.compile.combined import Combiner, build_combiner
from harness.core.compile.menu import list_pools
from harness.core.regression import Regression
from harness.core.schedule import EVERY, Schedule, build_schedule
from harness.core.verdict import Outcome
from harness.explore.drawing import Space
from harness.explore.labs import Labs
from harness.explore.search import Budget, Found, Phase, Report, Tried, explore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.experiments import Experiment
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.engine.conduct import Conducted
    from harness.engine.run import Options
    from harness.lab.errors import LabError

# Fewer strikes seldom meet; more keep orders from getting far enough for anything to go wrong with them.
LEAST_STRIKES, MOST_STRIKES, MOST_SLOTS = 6, 16, 4
# A thread that waits for a lab looks up this often, in case nobody will answer it any more.
LOOK_UP_S = 0.5
# How many schedules a lab are drawn ahead where there are several, so that none waits for the slowest.
AHEAD = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What a search may spend: seconds once labs are up, trials, findings; `confirm` is how often one is run again."""

    seconds: float
    trials: int = 1_000_000
    most_found: int = 3
    confirm: int = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """One trial that ended: its number, why it was made, the schedule, and what the experiment came to."""

    number: int
    phase: Phase
    schedule: Schedule
    experiment: Experiment
    conducted: Conducted


class Sink(Protocol):
    """Whoever wants to hear of trials as they end."""

    def began(self, combiner: Combiner, labs: int) -> None:
        """Hear that labs are up, and what the search can draw from."""

    def trial_ended(self, ended: Ended) -> None:
        """Hear of one that ended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: the schedule and how sure it is, what it is stored as, and the result of a run that it broke."""

    found: Found
    regression: Regression
    result: Result


@dataclass(frozen=True, slots=True)
class Hunted:
    """What a search came to: its findings and counts; `failure` is why no lab was left, where it ended by that."""

    findings: tuple[Finding, ...]
    report: Report
    failure: LabError | None


class _Closed(BaseException):
    """Nobody will try anything any more. No Exception: that would be a failure Hypothesis looks into."""


@dataclass(slots=True)
class _Hunter:
    """The bridge between the search, which waits in a thread of its own, and the labs, which live on the event loop."""

    combiner: Combiner
    labs: Labs
    sink: Sink
    loop: asyncio.AbstractEventLoop
    goes_on: Callable[[], bool]
    closed: Event = field(default_factory=Event)
    numbers: int = 0
    proofs: dict[Schedule, Result] = field(default_factory=dict)

    def __call__(self, schedules: Sequence[Schedule], phase: Phase) -> Sequence[Tried]:
        """Try schedules, as many at once as there are labs; called in the thread of the search."""
        waiting = asyncio.run_coroutine_threadsafe(self._try_all(schedules, phase), self.loop)
        while True:
            try:
                return waiting.result(LOOK_UP_S)
            except NotYet:
                if self.closed.is_set():
                    raise _Closed from None

    async def _try_all(self, schedules: Sequence[Schedule], phase: Phase) -> list[Tried]:
        free = asyncio.Semaphore(self.labs.options.labs)

        async def try_one(schedule: Schedule) -> Tried:
            async with free:
                return await self._try(schedule, phase)

        return list(await asyncio.gather(*map(try_one, schedules)))

    async def _try(self, schedule: Schedule, phase: Phase) -> Tried:
        if not self.goes_on():
            return Tried()
        # What is confirmed is what will be stored.
        experiment = self.combiner.build(schedule, proven=phase == "again")
        self.numbers += 1
        number = self.numbers
        conducted = await self.labs.conduct(experiment)
        if conducted is None:
            return Tried()
        self.sink.trial_ended(Ended(number, phase, schedule, experiment, conducted))
        verdict = conducted.result.verdict
        if verdict.outcome is not Outcome.VIOLATED:
            return Tried()
        self.proofs[schedule] = conducted.result
        broken = frozenset(check.name for check in verdict.checks if check.outcome is Outcome.VIOLATED)
        return Tried(broken, list_hints(schedule, conducted.result))


def list_hints(schedule: Schedule, result: Result) -> tuple[Schedule, ...]:
    """
    List what is left of a schedule by what its trial showed: what met traffic and can hit the order that is not where it may be.

    First with that order alone, then among the others.
    """
    met = [
        strike
        for fault, strike in zip(result.experiment.faults, schedule.strikes, strict=True)
        if result.history.hits(fault.id)
    ]
    stray = next((entry.order for entry in result.ledger if entry.row in {Row.LOST, Row.DUPLICATED}), None)
    hints = [build_schedule(met, slots=schedule.slots)]
    if stray is not None:
        hit = [replace(each, order=stray) for each in met if each.order in {EVERY, stray}]
        alone = [replace(each, begins=1, order=1, lasts=1) for each in hit if each.begins <= stray < each.ends]
        hints = [build_schedule(alone, slots=1), build_schedule(hit, slots=schedule.slots), *hints]
    return tuple(each for each in dict.fromkeys(hints) if each.strikes and each != schedule)


async def hunt(stack: Stack, options: Options, limits: Limits, sink: Sink, stop: asyncio.Event) -> Hunted:
    """
    Search the schedules of a stack for one that breaks a promise, until the limits are reached or the user stops.

    Same seed, same schedules drawn. Raises LabError when no lab comes up at all.
    """
    labs = Labs(stack, options, stop)
    async with labs.opened():
        combiner = build_combiner(labs.stack)
        sink.began(combiner, options.labs)
        until = time.monotonic() + limits.seconds

        def goes_on() -> bool:
            return time.monotonic() < until and not stop.is_set() and labs.failure is None

        hunter = _Hunter(combiner, labs, sink, asyncio.get_running_loop(), goes_on)
        width = options.labs * AHEAD if options.labs > 1 else 1
        budget = Budget(limits.trials, goes_on, confirm=limits.confirm, width=width)
        space = Space(list_pools(combiner.menu), MOST_STRIKES, MOST_SLOTS, least=LEAST_STRIKES)
        try:
            report = await asyncio.to_thread(
                explore, space, hunter, seed=options.seed, budget=budget, most_found=limits.most_found
            )
        finally:
            hunter.closed.set()
    findings = tuple(_build_finding(stack, options.seed, found, hunter) for found in report.found)
    return Hunted(findings, report, labs.failure)


def _build_finding(stack: Stack, seed: int, found: Found, hunter: _Hunter) -> Finding:
    result = hunter.proofs[found.schedule]
    regression = Regression(
        stack=stack.name,
        seed=seed,
        schedule=found.schedule,
        broken=tuple(sorted(found.broken)),
        reason=result.verdict.reason,
        hits=found.hits,
        runs=found.runs,
        at_least=round(found.at_least, 4),
    )
    return Finding(found, regression, result)
