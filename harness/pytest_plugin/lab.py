"""The lab of one pytest process, in a thread with a loop of its own: pytest runs items one after another, outside of any loop."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.verdict import UnknownKind
from harness.engine.conduct import conduct
from harness.engine.driver import Interrupted
from harness.engine.run import Options, open_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    import pytest

    from harness.core.experiments import Experiment
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.engine.bench import Bench
T = TypeVar("T")


class LabThread:
    """
    Conduct experiments, or stories, one at a time in one lab, opened at the first.

    It is replaced when it is not usable any more, if it ever was.
    """

    def __init__(self, stack: Stack, options: Options) -> None:
        self.stack = stack
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._opened: AsyncExitStack | None = None
        self._bench: Bench | None = None
        self._warm = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="handoff-lab", daemon=True)
        self._thread.start()

    def conduct(self, experiment: Experiment) -> Result:
        """Run one experiment; one that the harness itself disturbed is run once more, and both are kept."""
        first = self._wait(self._conduct(experiment))
        if first.verdict.kind is not UnknownKind.INTERFERENCE:
            return first
        return replace(self._wait(self._conduct(experiment)), rerun_of=first)

    def explain_absence(self, experiment: Experiment) -> str:
        """Say why an experiment cannot be run in the lab, as where a system is absent from it; empty where it can."""
        return self._wait(self._perform(partial(_explain_absence, experiment=experiment), last=False))

    def perform(self, work: Callable[[Bench], Coroutine[Any, Any, T]], *, last: bool = False) -> T:
        """
        Do something with the open lab and return what came of it; raises LabError where it does not come up.

        After what is `last` of a story, a lab that is not usable any more is taken down, for the next one to have a new one.
        """
        return self._wait(self._perform(work, last=last))

    def take_down(self) -> None:
        """Take the lab down; it is opened anew when it is needed again."""
        self._wait(self._close())

    def close(self) -> None:
        """Take the lab down and end the thread."""
        if self._loop.is_closed():
            return
        self.take_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(self._stop.set)
            with suppress(Interrupted):
                future.result()
            raise

    async def _conduct(self, experiment: Experiment) -> Result:
        return await self._perform(lambda bench: _conduct(bench, experiment), last=True)

    async def _perform(self, work: Callable[[Bench], Coroutine[Any, Any, T]], *, last: bool) -> T:
        bench = await self._open()
        try:
            return await work(bench)
        finally:
            if last and self._warm and not bench.usable:
                await self._close()

    async def _open(self) -> Bench:
        if self._bench is None:
            self._opened = AsyncExitStack()
            opening = open_bench(self.stack, self._options, index=0, stop=self._stop)
            self._bench = await self._opened.enter_async_context(opening)
            self._warm = self._bench.usable
        return self._bench

    async def _close(self) -> None:
        opened, self._opened, self._bench = self._opened, None, None
        if opened is not None:
            await opened.aclose()


def read_options(config: pytest.Config, stack_path: Path) -> Options:
    """Read how to run from pytest's own options."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return Options(
        run_id=f"pytest-{worker}",
        seed=config.getoption("--handoff-seed"),
        stack_path=stack_path,
        engine=config.getoption("--handoff-engine"),
        integration_command=config.getoption("--handoff-integration"),
        attach_url=config.getoption("--handoff-attach"),
    )


async def _conduct(bench: Bench, experiment: Experiment) -> Result:
    return (await conduct(bench, bench.fit(experiment) or experiment)).result


async def _explain_absence(bench: Bench, *, experiment: Experiment) -> str:
    return bench.explain_absence(experiment)
