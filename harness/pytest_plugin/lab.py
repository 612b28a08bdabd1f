"""The lab of one pytest process, in a thread with a loop of its own: pytest runs items one after another, outside of any loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.verdict import UnknownKind
from harness.engine.conduct import conduct
from harness.engine.run import open_bench

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from harness.core.experiments import Experiment
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.engine.bench import Bench
    from harness.engine.run import Options

T = TypeVar("T")


class LabThread:
    """
    Conduct experiments one at a time in one lab, opened at the first.

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

    def close(self) -> None:
        """Take the lab down and end the thread."""
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(self._stop.set)
            future.result()
            raise

    async def _conduct(self, experiment: Experiment) -> Result:
        bench = await self._open()
        result = (await conduct(bench, experiment)).result
        if self._warm and not bench.usable:
            await self._close()
        return result

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
