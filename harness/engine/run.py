"""Run many experiments in several labs at once."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from harness.core.compile.frame import build_ledger_rule
from harness.core.experiments import Await, Watch
from harness.core.result import Result, Skipped
from harness.core.verdict import UnknownKind
from harness.engine.bench import Bench
from harness.engine.conduct import Conducted, conduct, warm_up
from harness.engine.observer import Observer
from harness.engine.recorder import Recorder
from harness.lab.embedded import open_embedded_lab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from harness.core.experiments import Experiment
    from harness.core.stack import Stack


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: which integration, how many labs at once, under which seed."""

    run_id: str
    seed: int = 0
    labs: int = 1
    stack_path: Path | None = None
    integration_command: str | None = None
    attach_url: str | None = None


class Sink(Protocol):
    """Whoever wants to hear of experiments as they end."""

    def experiment_done(self, conducted: Conducted) -> None:
        """Hear of one that ended."""


@asynccontextmanager
async def open_bench(stack: Stack, options: Options, *, index: int, stop: asyncio.Event) -> AsyncIterator[Bench]:
    """Bring up a lab and everything an experiment needs around it; raises EnvironmentNotReady."""
    async with AsyncExitStack() as opened:
        lab = await opened.enter_async_context(
            open_embedded_lab(
                stack,
                stack_path=options.stack_path,
                run_id=options.run_id,
                index=index,
                integration_command=options.integration_command,
                attach_url=options.attach_url,
            )
        )
        recorder = await opened.enter_async_context(Recorder(lab))
        observer = Observer(stack.integration.observe, lab.integration.url)
        opened.push_async_callback(observer.aclose)
        bench = Bench(stack, lab, recorder, observer, stop, seed=options.seed, index=index)
        await warm_up(bench, build_ledger_rule(stack))
        yield bench


@dataclass(slots=True)
class Runner:
    """
    Runs experiments in labs.

    Labs take the longest experiments first. A verdict of `unknown: interference` is run once more, alone, after all others;
    a violated one never is. `stop` ends everything early, with what is there judged.
    """

    stack: Stack
    options: Options
    sink: Sink
    stop: asyncio.Event
    waiting: deque[Experiment] = field(default_factory=deque)
    done: dict[str, Result] = field(default_factory=dict)

    async def run(self, experiments: Sequence[Experiment]) -> tuple[list[Result], list[Skipped]]:
        """Run the experiments; return their results in the order given, and what was not run."""
        self.waiting = deque(sorted(experiments, key=estimate_s, reverse=True))
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(min(self.options.labs, len(self.waiting))):
                    group.create_task(self._work(index))
        except ExceptionGroup as errors:
            # Labs fail alike: the first one's words are what the user can act on.
            raise errors.exceptions[0] from errors
        disturbed = [result for result in self.done.values() if result.verdict.kind is UnknownKind.INTERFERENCE]
        if disturbed and not self.stop.is_set():
            await self._run_again(disturbed)
        results = [self.done[experiment.id] for experiment in experiments if experiment.id in self.done]
        skipped = [
            Skipped(experiment.id, "interrupted") for experiment in experiments if experiment.id not in self.done
        ]
        return results, skipped

    async def _work(self, index: int) -> None:
        """Run what waits in one lab after another: a lab that is not usable any more is replaced, if it ever was."""
        while self.waiting and not self.stop.is_set():
            async with open_bench(self.stack, self.options, index=index, stop=self.stop) as bench:
                warm = bench.usable
                while self.waiting and not self.stop.is_set():
                    self._note(await conduct(bench, self.waiting.popleft()))
                    if warm and not bench.usable and self.options.attach_url is None:
                        break

    async def _run_again(self, disturbed: Sequence[Result]) -> None:
        async with open_bench(self.stack, self.options, index=0, stop=self.stop) as bench:
            for first in disturbed:
                again = await conduct(bench, first.experiment)
                self._note(replace(again, result=replace(again.result, rerun_of=first)))

    def _note(self, conducted: Conducted) -> None:
        self.done[conducted.result.experiment.id] = conducted.result
        self.sink.experiment_done(conducted)


def estimate_s(experiment: Experiment) -> float:
    """Estimate how long an experiment takes by the waiting it declares, in lab seconds."""
    return sum(
        step.declared_s if isinstance(step, Await) else step.for_s
        for step in experiment.steps
        if isinstance(step, Await | Watch)
    )
