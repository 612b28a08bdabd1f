"""Measure a zoo: everybody in it judged as `handoff run` would, and every sabotage done, in several labs at once."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.core.verdict import Outcome, UnknownKind
from harness.engine.run import Options, Runner, estimate_s
from harness.lab.errors import LabError
from harness.zoo.choosing import ELSEWHERE, FAIR, choose
from harness.zoo.given import Given
from harness.zoo.sabotage.ground import Ground, Unsuitable
from harness.zoo.scoring import Row, is_disturbed, score_inhabitant, score_sabotage

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from pathlib import Path
    from typing import Any

    from harness.core.experiments import Experiment
    from harness.core.result import Result
    from harness.engine.conduct import Conducted
    from harness.zoo.inhabitant import Inhabitant
    from harness.zoo.sabotage.sabotage import Sabotage

RUN_ID = "zoo"


@dataclass(slots=True)
class Measuring:
    """
    One measurement.

    `told` hears of every row as it is there. What the machine disturbed is run once more, alone, after everything else, unless
    it does not matter. `left_out` says by name what cannot be measured here, and why. One whose labs do not come up, or not again, is untold.
    `stop` ends everything early: what was under way is no row then.
    """

    seed: int
    labs: int
    stop: asyncio.Event
    told: Callable[[Row], None]
    fair: int = FAIR
    elsewhere: int = ELSEWHERE
    most: int | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    _given: dict[tuple[Path, tuple[str, ...]], Given] = field(default_factory=dict)
    _disturbed: dict[str, tuple[Inhabitant, list[Result]]] = field(default_factory=dict)
    _failures: list[LabError] = field(default_factory=list)
    _in_vain: set[str] = field(default_factory=set)

    async def run(
        self, inhabitants: Sequence[Inhabitant], sabotages: Sequence[Sabotage], *, victim: Inhabitant | None
    ) -> list[Row]:
        """
        Measure these, the sabotages while the `victim` is at work; return a row for each, in the order given.

        Raises LabError when no lab comes up at all.
        """
        # The longest first, so that none is left to be waited for when all others are done.
        longest = sorted(inhabitants, key=lambda each: sum(map(estimate_s, self._choose(each))), reverse=True)
        await self._share(self._measure(each) for each in longest)
        if victim is not None:
            together = deque(each for each in sabotages if not each.alone)
            await self._share(self._sabotage(victim, together) for _ in range(min(self.labs, len(together))))
            await self._sabotage(victim, deque(each for each in sabotages if each.alone))
        for inhabitant, results in [*self._disturbed.values()]:
            await self._measure_again(inhabitant, results)
        if self._failures and not any(row.ran for row in self.rows.values()):
            raise self._failures[0]
        names = [*(each.name for each in inhabitants), *(each.name for each in sabotages)]
        return [self.rows[name] for name in names if name in self.rows]

    def read(self, inhabitant: Inhabitant) -> Given:
        """Read the stack of one of the zoo, each once; raises StackError."""
        key = inhabitant.stack, inhabitant.without
        if key not in self._given:
            self._given[key] = Given.read(*key)
        return self._given[key]

    async def _share(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Do pieces of work in the order given, as many at once as there are to be labs."""
        waiting = deque(work)

        async def take() -> None:
            while waiting:
                await waiting.popleft()

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.labs, len(waiting))):
                    group.create_task(take())
        except ExceptionGroup as errors:
            # Labs fail alike: the first one's words are what the user can act on.
            raise errors.exceptions[0] from errors
        finally:
            for each in waiting:
                each.close()

    def _choose(self, inhabitant: Inhabitant) -> tuple[Experiment, ...]:
        plan = self.read(inhabitant).plan
        return choose(
            plan.experiments,
            inhabitant,
            seed=self.seed,
            elsewhere=self.elsewhere,
            fair=self.fair,
            most=self.most,
        )

    async def _measure(self, inhabitant: Inhabitant) -> None:
        if self.stop.is_set():
            return
        began = time.monotonic()
        results = await self._conduct(inhabitant, self._choose(inhabitant))
        if results is not None:
            self._conclude(inhabitant, results, began=began)

    async def _measure_again(self, inhabitant: Inhabitant, first: Sequence[Result]) -> None:
        """Run again, alone, what the machine disturbed."""
        if self.stop.is_set():
            return
        began = time.monotonic()
        again = [each.experiment for each in first if each.verdict.kind is UnknownKind.INTERFERENCE]
        results = await self._conduct(inhabitant, again)
        if results is not None:
            newer = {each.experiment.id: each for each in results}
            self._conclude(inhabitant, [newer.get(each.experiment.id, each) for each in first], began=began)

    async def _conduct(self, inhabitant: Inhabitant, experiments: Sequence[Experiment]) -> list[Result] | None:
        """Run experiments in a lab; None where they were interrupted, or what tells cannot be run here."""
        sink = _Sparing(inhabitant)
        runner = sink.runner = Runner(
            self.read(inhabitant).stack, self._options(inhabitant), sink, self.stop, again=False
        )
        try:
            results, skipped = await runner.run(experiments)
        except LabError as error:
            self._leave_untold(inhabitant, error)
            return None
        if self.stop.is_set():
            return None
        if runner.failure is not None and not any(map(inhabitant.breaks, _list_violated(results))):
            self._leave_untold(inhabitant, runner.failure)
            return None
        lacking = [each for each in skipped if each.id.startswith(inhabitant.clauses)] if inhabitant.clauses else []
        if lacking and not any(each.experiment.clause in inhabitant.clauses for each in results):
            self.left_out[inhabitant.name] = lacking[0].reason
            return None
        return results

    def _leave_untold(self, inhabitant: Inhabitant, error: LabError) -> None:
        self._fail(
            Row.untold(inhabitant.name, inhabitant.kind, inhabitant.about, str(inhabitant.stack), str(error)), error
        )

    def _conclude(self, inhabitant: Inhabitant, results: Sequence[Result], *, began: float) -> None:
        row = score_inhabitant(
            inhabitant,
            results,
            duration_s=time.monotonic() - began,
            reproduce=_say_run(inhabitant, self.seed, *inhabitant.clauses[:1]),
        )
        if is_disturbed(row) and inhabitant.name not in self._disturbed:
            self._disturbed[inhabitant.name] = (inhabitant, [*results])
            return
        self._note(row)

    async def _sabotage(self, victim: Inhabitant, sabotages: deque[Sabotage]) -> None:
        """Do one sabotage after another in labs of the victim."""
        given = self.read(victim)
        ground = Ground(given.stack, given.plan, self._options(victim), self.stop)
        try:
            while sabotages and not self.stop.is_set():
                each = sabotages.popleft()
                began = time.monotonic()
                try:
                    result = await each.work(ground)
                except Unsuitable as why:
                    self.left_out[each.name] = str(why)
                    continue
                except (LabError, ExceptionGroup) as error:
                    # A group comes of a saboteur who waited in vain for the moment to strike: once more, in another lab.
                    if each.name not in self._in_vain:
                        self._in_vain.add(each.name)
                        sabotages.append(each)
                        await ground.aclose()
                        continue
                    self._fail(
                        Row.untold(each.name, "sabotage", each.about, str(victim.stack), _say_error(error)), error
                    )
                    continue
                row = score_sabotage(
                    each.name,
                    each.about,
                    str(victim.stack),
                    result,
                    duration_s=time.monotonic() - began,
                    reproduce=f"handoff zoo --only {each.name} --seed {self.seed}",
                )
                self._note(row)
        finally:
            await ground.aclose()

    def _fail(self, row: Row, error: Exception) -> None:
        if isinstance(error, LabError):
            self._failures.append(error)
        self._note(row)

    def _note(self, row: Row) -> None:
        self.rows[row.name] = row
        self.told(row)

    def _options(self, inhabitant: Inhabitant) -> Options:
        return Options(
            run_id=RUN_ID,
            seed=self.seed,
            stack_path=inhabitant.stack.resolve(),
            integration_command=inhabitant.command,
        )


@dataclass(slots=True)
class _Sparing:
    """
    A sink that has the runner spare what tells no more, and takes longest: what is violated waits to the end.

    Once an inhabitant is caught, nothing else that it may break is asked; nor is a clause that was found broken.
    """

    inhabitant: Inhabitant
    runner: Runner | None = None

    def experiment_done(self, conducted: Conducted) -> None:
        """Take away what waits and has become pointless."""
        verdict, clause = conducted.result.verdict, conducted.result.experiment.clause
        if self.runner is not None and verdict.outcome is Outcome.VIOLATED:
            caught = self.inhabitant.breaks(clause)
            self.runner.waiting = deque(
                each
                for each in self.runner.waiting
                if each.clause != clause and not (caught and self.inhabitant.may_break(each.clause))
            )


def _list_violated(results: Iterable[Result]) -> list[str]:
    return [each.experiment.clause for each in results if each.verdict.outcome is Outcome.VIOLATED]


def _say_error(error: Exception) -> str:
    return "; ".join(map(str, error.exceptions)) if isinstance(error, ExceptionGroup) else str(error)


def _say_run(inhabitant: Inhabitant, seed: int, *names: str) -> str:
    words = ["handoff", "run", str(inhabitant.stack), "--integration", inhabitant.command, "--seed", str(seed)]
    return shlex.join([*words, *(word for name in names for word in ("-k", name))])
