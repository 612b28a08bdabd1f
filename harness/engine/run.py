"""Run many experiments in several labs at once."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from harness.core.absence import explain_absence, leave_out
from harness.core.compile.frame import build_ledger_rule
from harness.core.experiments import Await, Watch
from harness.core.result import Result, Skipped
from harness.core.verdict import UnknownKind
from harness.engine.attachment import Chances, explain_unfit, is_attached, let_one_pass, open_lab
from harness.engine.bench import Bench
from harness.engine.bystanders import list_known
from harness.engine.conduct import Conducted, conduct, warm_up
from harness.engine.observer import Observer
from harness.engine.recorder import Recorder
from harness.lab.errors import LabError
from harness.lab.toxics import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence
    from pathlib import Path

    from harness.core.experiments import Experiment
    from harness.core.stack import Stack
    from harness.lab.toxics import Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """
    How to run: which integration, how many labs at once, under which seed, with which toxic engine.

    `containers` makes labs of containers, in which the integration's `image` is started. `attached` joins a lab that is up, the one named `lab_id` where several are, and `attach_url` says where the integration
    listens; one not on loopback must be at one of the `allowed_hosts`.
    """

    run_id: str
    seed: int = 0
    labs: int = 1
    stack_path: Path | None = None
    integration_command: str | None = None
    engine: Kind = EMBEDDED
    containers: bool = False
    image: str | None = None
    attach_url: str | None = None
    attached: bool = False
    lab_id: str | None = None
    allowed_hosts: tuple[str, ...] = ()


class Sink(Protocol):
    """Whoever wants to hear of experiments as they end."""

    def experiment_done(self, conducted: Conducted) -> None:
        """Hear of one that ended."""


@asynccontextmanager
async def open_bench(stack: Stack, options: Options, *, index: int, stop: asyncio.Event) -> AsyncIterator[Bench]:
    """
    Bring up a lab, or join one, and everything an experiment needs around it; raises EnvironmentNotReady.

    Where a system of the stack is absent, the bench is one for what is left of the stack.
    """
    async with AsyncExitStack() as opened:
        lab = await opened.enter_async_context(open_lab(stack, options, index=index))
        recorder = await opened.enter_async_context(Recorder(lab, stop))
        observer = Observer(stack.integration.observe, lab.integration.url, recorder.redactor)
        opened.push_async_callback(observer.aclose)
        bench = Bench(
            leave_out(stack, lab.absent),
            lab,
            recorder,
            observer,
            stop,
            seed=options.seed,
            index=index,
            left_out=explain_absence(stack, lab.absent),
        )
        bench.known = await list_known(bench)
        if is_attached(stack, options):
            await let_one_pass(bench)
        else:
            await warm_up(bench, build_ledger_rule(bench.stack))
        yield bench


@dataclass(slots=True)
class Runner:
    """
    Runs experiments in labs.

    Labs take the longest experiments first. A verdict of `unknown: interference` is run once more, alone, after all others,
    unless it is not to be run `again`; a violated one never is. `stop` ends everything early, with what is there judged.
    """

    stack: Stack
    options: Options
    sink: Sink
    stop: asyncio.Event
    again: bool = True
    waiting: deque[Experiment] = field(default_factory=deque)
    done: dict[str, Result] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    failure: LabError | None = None

    async def run(self, experiments: Sequence[Experiment]) -> tuple[list[Result], list[Skipped]]:
        """
        Run the experiments; return their results in the order given, and what was not run.

        Raises LabError when no lab comes up at all. One that fails later ends the run with what there is, and is kept as
        `failure`. An attached lab is one lab, and what cannot be done to an attached integration is left out, as is what
        cannot be driven in a lab that a system is absent from.
        """
        self.unfit = {each.id: why for each in experiments if (why := explain_unfit(each))} if self.attached else {}
        fit = [experiment for experiment in experiments if experiment.id not in self.unfit]
        await self._run(sorted(fit, key=estimate_s, reverse=True), 1 if self.attached else self.options.labs)
        disturbed = [result for result in self.done.values() if result.verdict.kind is UnknownKind.INTERFERENCE]
        if self.again:
            await self._run([result.experiment for result in disturbed], 1)
        results = [self.done[experiment.id] for experiment in experiments if experiment.id in self.done]
        reason = "interrupted" if self.failure is None else f"no lab to run it in: {self.failure}"
        skipped = [
            Skipped(each.id, self.unfit.get(each.id, reason), applicable=each.id not in self.unfit)
            for each in experiments
            if each.id not in self.done
        ]
        return results, skipped

    @property
    def attached(self) -> bool:
        """Tell whether the lab is joined, and so neither ours to replace nor to have more than one of."""
        return is_attached(self.stack, self.options)

    async def _run(self, experiments: Sequence[Experiment], labs: int) -> None:
        self.waiting = deque(experiments)
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(min(labs, len(self.waiting))):
                    group.create_task(self._work(index))
        except ExceptionGroup as errors:
            # Labs fail alike: the first one's words are what the user can act on.
            raise errors.exceptions[0] from errors

    async def _work(self, index: int) -> None:
        """Run what waits in one lab after another: a lab that is not usable any more is replaced, if it ever was."""
        try:
            while self.waiting and not self.stop.is_set():
                await self._work_in_lab(index)
        except LabError as error:
            if not self.done:
                raise
            self.failure = error

    async def _work_in_lab(self, index: int) -> None:
        async with AsyncExitStack() as opened:
            opening = open_bench(self.stack, self.options, index=index, stop=self.stop)
            bench = await _unless_stopped(self.stop, opened.enter_async_context(opening))
            if bench is None:
                return
            self._fit(bench)
            warm = bench.usable
            chances = Chances(bench)
            while self.waiting and not self.stop.is_set():
                if self.attached:
                    await chances.prepare(self.waiting[0])
                    if self.stop.is_set():
                        return
                experiment = self.waiting.popleft()
                self._note(await conduct(bench, experiment))
                chances.note(experiment)
                if bench.recorder.lost if self.attached else warm and not bench.usable:
                    return

    def _fit(self, bench: Bench) -> None:
        """Make what waits fit the lab it will be run in, and take out what cannot."""
        self.unfit |= {each.id: why for each in self.waiting if (why := bench.explain_absence(each))}
        self.waiting = deque(fit for each in self.waiting if (fit := bench.fit(each)))

    def _note(self, conducted: Conducted) -> None:
        first = self.done.get(conducted.result.experiment.id)
        if first is not None:
            conducted = replace(conducted, result=replace(conducted.result, rerun_of=first))
        self.done[conducted.result.experiment.id] = conducted.result
        self.sink.experiment_done(conducted)
        _keep_all()


async def _unless_stopped(stop: asyncio.Event, coming_up: Coroutine[Any, Any, T]) -> T | None:
    """Wait for something that comes up; give it up, as if it had never begun, when the user wants to stop."""
    task = asyncio.create_task(coming_up)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, stopped):
            each.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


def _keep_all() -> None:
    """
    Take what is there out of the garbage collector's sight, after a short look for what is garbage.

    Results are kept until the end of a run. To look through all of them takes half a second, in which every lab stands still.
    """
    gc.collect(1)
    gc.freeze()


def estimate_s(experiment: Experiment) -> float:
    """Estimate how long an experiment takes by the waiting it declares, in lab seconds."""
    return sum(
        step.declared_s if isinstance(step, Await) else step.for_s
        for step in experiment.steps
        if isinstance(step, Await | Watch)
    )
