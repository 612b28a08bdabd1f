"""What sabotage is done on: labs with a correct integration, and the experiments worth spoiling."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.core.faults import Layer
from harness.engine.conduct import conduct
from harness.engine.run import Options, open_bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from harness.core.experiments import Experiment, Plan
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.engine.bench import Bench

    Work = Callable[[Bench], Coroutine[Any, Any, None]]

WITHIN_S = 60.0


class Unsuitable(Exception):  # noqa: N818 - named for what the stack is
    """The stack has no experiment that this sabotage could spoil."""


@dataclass(slots=True)
class Ground:
    """
    The labs of one saboteur.

    `bench` gives a lab that is shared for as long as it can be used; `open` one of its own, with another integration where a
    `command` is given.
    """

    stack: Stack
    plan: Plan
    options: Options
    stop: asyncio.Event
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    _bench: Bench | None = None

    @asynccontextmanager
    async def open(self, stack: Stack | None = None, command: str | None = None) -> AsyncIterator[Bench]:
        """Open a lab for one sabotage alone."""
        options = self.options if command is None else replace(self.options, integration_command=command)
        async with open_bench(stack or self.stack, options, index=0, stop=self.stop) as bench:
            yield bench

    async def bench(self) -> Bench:
        """Give the shared lab, a new one where the last sabotage left it unusable."""
        if self._bench is None or not self._bench.usable:
            await self.aclose()
            self._bench = await self._opened.enter_async_context(self.open())
        return self._bench

    async def aclose(self) -> None:
        """Take the shared lab down."""
        self._bench = None
        await self._opened.aclose()

    @property
    def clean(self) -> Experiment:
        """One order at the handoff, and no fault."""
        return self._find("one")

    @property
    def retried(self) -> Experiment:
        """The vendor fails the first attempt, the second gets through."""
        return self._find("once", Layer.VENDOR)

    @property
    def retried_long(self) -> Experiment:
        """The vendor fails every attempt but the last one declared."""
        return self._find("last", Layer.VENDOR)

    @property
    def exhausted(self) -> Experiment:
        """The vendor fails every attempt."""
        return self._find("exhausted", Layer.VENDOR)

    @property
    def cut(self) -> Experiment:
        """The wire cuts the connection of the first attempt."""
        return self._find("connection", Layer.WIRE)

    def _find(self, shape: str, layer: Layer | None = None) -> Experiment:
        """Find an experiment of this shape, with one fault of this layer or none, at the first handoff that has all of them."""
        for each in self.plan.experiments:
            layers = [fault.layer for fault in each.faults]
            if each.shape == shape and each.handoff == self._handoff and layers == ([] if layer is None else [layer]):
                return each
        raise Unsuitable(f"no experiment of the shape {shape}")

    @property
    def _handoff(self) -> str:
        needed = {"one", "once", "last", "exhausted", "connection"}
        shapes: dict[str, set[str]] = {}
        for each in self.plan.experiments:
            shapes.setdefault(each.handoff, set()).add(each.shape)
        found = next((handoff for handoff, having in shapes.items() if needed <= having), None)
        if found is None:
            raise Unsuitable(f"no handoff has experiments of all the shapes {', '.join(sorted(needed))}")
        return found


def aim(experiment: Experiment, **changes: Any) -> Experiment:
    """Aim the only fault of an experiment elsewhere."""
    return replace(experiment, faults=(replace(experiment.faults[0], **changes),))


async def until(bench: Bench, entry_type: str, *, operations: Sequence[str] = (), **fields: Any) -> None:
    """Wait until a journal of the lab shows a new entry of this type with these fields, about one of the operations if given."""
    since = time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        while True:
            seen = bench.recorder.version
            fresh = [entry.data for entry in bench.recorder.entries if entry.data["mono"] >= since]
            if any(
                data["type"] == entry_type
                and fields.items() <= data.items()
                and (not operations or data.get("operation") in operations)
                for data in fresh
            ):
                return
            await bench.recorder.wait_news(seen, WITHIN_S)


async def spoil(bench: Bench, experiment: Experiment, work: Work | None = None) -> Result:
    """Conduct an experiment, with somebody at work beside it where given; return the result."""
    if work is None:
        return (await conduct(bench, experiment)).result
    async with asyncio.TaskGroup() as group:
        running = group.create_task(conduct(bench, experiment))
        group.create_task(work(bench))
    return running.result().result
