"""Run one toxic on one direction of one connection.

A stage is the per-connection half of a toxic: its queue, its state, its task. The other half, the configuration, is a frozen value
(`harness.wire.toxics.latency` and its neighbours) that any number of stages share. Stages form a chain; each hands its chunks to an
`Outlet`, the next stage or the socket at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes on their way, and the CLOCK_MONOTONIC second their delay is counted from."""

    data: bytes
    at: float


class Interrupted(Exception):  # noqa: N818 - a signal to the toxic, not an error
    """Tell a toxic that its configuration is about to change; it passes on what it holds and re-raises."""


class Outlet(Protocol):
    """Where a stage hands its chunks: the next stage, or the socket at the end of the chain."""

    @property
    def full(self) -> bool:
        """Say whether a further chunk should wait."""

    def push(self, chunk: Chunk) -> None:
        """Take a chunk; one too many is kept, none is refused."""

    def finish(self) -> None:
        """Take note that nothing more comes."""

    async def room(self) -> None:
        """Wait until the answer of `full` may have changed."""


class Toxic(Protocol):
    """The configuration of a toxic and what it does to a stream of chunks."""

    @property
    def capacity(self) -> int:
        """Chunks that may wait in front of this toxic before the sender is held back."""

    @property
    def closes_when_removed(self) -> bool:
        """Say whether removing the toxic closes the connections it acted on."""

    async def pipe(self, stage: Stage) -> None:
        """Move chunks from `stage.receive` to `stage.send`; returning closes the connection."""


class Host(Protocol):
    """What a stage needs of the connection it works on."""

    def relieved(self) -> None:
        """Take note that a stage has space again."""


class Room:
    """Wake those who wait for space."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done at the next `release`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def release(self) -> None:
        """Wake everyone who waits now."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Stage:
    """One toxic at work on one direction of one connection."""

    def __init__(self, toxic: Toxic, outlet: Outlet, host: Host, *, random: Random) -> None:
        self.outlet = outlet
        self.random = random
        self.counted = 0  # what a toxic counts from one configuration to the next
        self._toxic = toxic
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Chunk] = deque()
        self._ended = False
        self._closed = False
        self._interrupted = False
        self._removed: Callable[[], None] | None = None
        self._closes_when_removed = False
        self._next_outlet: Outlet | None = None
        self._sleeper: asyncio.Future[bool] | None = None
        self._room = Room()
        self._task = self._loop.create_task(self._run())

    @property
    def full(self) -> bool:
        """Say whether a further chunk should wait."""
        return not self._closed and len(self._queue) >= self._toxic.capacity

    def push(self, chunk: Chunk) -> None:
        """Take a chunk; what reaches a stage that has closed is dropped."""
        if not self._closed:
            self._queue.append(chunk)
            self._wake()

    def finish(self) -> None:
        """Take note that nothing more comes from the sender."""
        self._ended = True
        self._wake()

    async def room(self) -> None:
        """Wait until there may be space in the queue."""
        await self._room.wait()

    async def receive(self, *, within_s: float | None = None) -> Chunk | None:
        """Return the next chunk, or None at the end of the stream or when `within_s` passes without one."""
        while not self._queue:
            self._check_interrupted()
            if self._ended or not await self._sleep(within_s):
                return None
        self._check_interrupted()
        chunk = self._queue.popleft()
        self._made_room()
        return chunk

    async def pause(self, seconds: float) -> None:
        """Wait so long, not at all if negative; raise `Interrupted` when the toxic is updated or removed meanwhile."""
        self._check_interrupted()
        until = time.monotonic() + seconds
        if seconds <= 0:
            await asyncio.sleep(0)
        while (left := until - time.monotonic()) > 0:
            await self._sleep(left)
            self._check_interrupted()

    async def pause_with(self, chunk: Chunk, seconds: float) -> None:
        """Pause with a chunk in hand, which an interruption sends at once."""
        try:
            await self.pause(seconds)
        except Interrupted:
            await self.send(chunk)
            raise

    async def send(self, chunk: Chunk) -> None:
        """Hand a chunk on as soon as there is room for it."""
        while self.outlet.full:
            await self.outlet.room()
        self.outlet.push(chunk)

    def update(self, toxic: Toxic, *, outlet: Outlet | None = None) -> None:
        """
        Go on under another configuration, keeping the state and what is queued.

        With an `outlet`, what comes goes there from then on; what the toxic holds goes where it would have gone.
        """
        self._toxic = toxic
        self._next_outlet = outlet or self._next_outlet
        self._interrupt()

    def remove(self, unlink: Callable[[], None], *, closes: bool) -> None:
        """Pass on what is queued, then call `unlink` once nothing is left to pass on; or close the connection, if it `closes`."""
        self._removed = unlink
        self._closes_when_removed = closes
        self._interrupt()

    def skip(self, gone: Stage) -> None:
        """Hand on past a stage that is taken out."""
        if self._next_outlet is gone:
            self._next_outlet = gone.outlet
        if self.outlet is gone:
            self.outlet = gone.outlet

    def cancel(self) -> None:
        """Stop at once, dropping what is queued."""
        self._closed = True
        self._task.cancel()
        self._room.release()

    def _interrupt(self) -> None:
        self._interrupted = True
        self._wake()

    def _check_interrupted(self) -> None:
        if self._interrupted:
            raise Interrupted

    def _wake(self) -> None:
        self._rouse(woken=True)

    def _rouse(self, *, woken: bool) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(woken)

    async def _sleep(self, seconds: float | None) -> bool:
        """Wait for a wake-up; return False if `seconds` passed first."""
        self._sleeper = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, partial(self._rouse, woken=False))
        try:
            return await self._sleeper
        finally:
            self._sleeper = None
            if timer is not None:
                timer.cancel()

    def _made_room(self) -> None:
        self._room.release()
        self._host.relieved()

    async def _run(self) -> None:
        while self._removed is None:
            self._interrupted = False
            self._turn()
            try:
                await self._toxic.pipe(self)
            except Interrupted:
                continue
            self._close()
            return
        await self._retire(self._removed)

    def _turn(self) -> None:
        if self._next_outlet is not None:
            self.outlet, self._next_outlet = self._next_outlet, None

    async def _retire(self, unlink: Callable[[], None]) -> None:
        self._turn()
        if self._closes_when_removed:
            self._close()
            return
        while self._queue:
            await self.send(self._queue.popleft())
        # No await between the empty queue and the new chain, so nothing can slip in between.
        self._closed = True
        unlink()
        self._room.release()
        if self._ended:
            self.outlet.finish()

    def _close(self) -> None:
        self._closed = True
        self._queue.clear()
        self.outlet.finish()
        self._made_room()
