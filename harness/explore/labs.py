"""Labs that stay up for one trial after the other, and are replaced when a trial leaves one unsettled."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.engine.attachment import is_attached, let_one_pass
from harness.engine.conduct import Conducted, conduct
from harness.engine.run import open_bench
from harness.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.core.experiments import Experiment
    from harness.core.stack import Stack
    from harness.engine.bench import Bench
    from harness.engine.run import Options

Job = tuple["Experiment", "asyncio.Future[Conducted | None]"]


@dataclass(slots=True)
class Labs:
    """
    So many labs of one stack at once, each conducting what is handed over next.

    `stack` is what of the stack can be driven in them. `stop` ends everything, with what is under way judged; `failure` says why
    no lab is left, where none could be brought up any more.
    """

    stack: Stack
    options: Options
    stop: asyncio.Event
    failure: LabError | None = None
    _jobs: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _left: int = 0

    async def conduct(self, experiment: Experiment) -> Conducted | None:
        """Conduct an experiment in the lab that is free next; None where it was stopped before, or no lab is left."""
        if self.stop.is_set() or self.failure is not None:
            return None
        done: asyncio.Future[Conducted | None] = asyncio.get_running_loop().create_future()
        await self._jobs.put((experiment, done))
        return await done

    async def work(self, index: int) -> None:
        """Keep one lab up and work in it; the last one that fails for good is kept as `failure`."""
        try:
            while not self.stop.is_set():
                async with open_bench(self.stack, self.options, index=index, stop=self.stop) as bench:
                    self.stack = bench.stack
                    self._up.set()
                    await self._work_in(bench)
        except LabError as error:
            self._left -= 1
            if not self._left:
                self.failure = error
                self._up.set()
                self._give_up()

    async def _work_in(self, bench: Bench) -> None:
        attached = is_attached(self.stack, self.options)
        while True:
            experiment, done = await self._jobs.get()
            try:
                if attached and bench.unsettled:
                    await let_one_pass(bench)
                conducted = await conduct(bench, experiment)
            except BaseException:
                # Also when cancelled: who asked would wait for ever.
                _answer(done, None)
                raise
            _answer(done, conducted)
            if bench.recorder.lost if attached else not bench.usable:
                return

    def _give_up(self) -> None:
        while not self._jobs.empty():
            _answer(self._jobs.get_nowait()[1], None)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Bring the labs up and wait for the first; raises LabError where none comes up. Afterwards none is left."""
        self._left = self.options.labs
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self.work(index)) for index in range(self.options.labs)]
                try:
                    await self._wait_up()
                    yield
                finally:
                    for worker in workers:
                        worker.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            self._give_up()

    async def _wait_up(self) -> None:
        waits = [asyncio.create_task(self._up.wait()), asyncio.create_task(self.stop.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        if self.failure is not None:
            raise self.failure


def _answer(done: asyncio.Future[Conducted | None], conducted: Conducted | None) -> None:
    if not done.done():
        done.set_result(conducted)
