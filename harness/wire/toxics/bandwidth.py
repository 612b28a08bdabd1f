"""Limit the rate of one direction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.wire.toxics.stage import Chunk

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage

SLICE_S = 0.1


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Pass `rate` KB (1,000 bytes) a second; 0 lets nothing through."""

    rate: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Send each chunk when its bytes have had their time, large ones in slices of 100 ms."""
        owed_s = 0.0
        while (chunk := await stage.receive()) is not None:
            if self.rate > 0:
                owed_s += len(chunk.data) / (self.rate * 1000)
            rest, owed_s = await self._send_slices(stage, chunk, owed_s)
            started = time.monotonic()
            await stage.pause_with(rest, owed_s)
            # What the timer overslept is taken off the next wait, so the mean rate stays true.
            owed_s -= time.monotonic() - started
            await stage.send(rest)

    async def _send_slices(self, stage: Stage, chunk: Chunk, owed_s: float) -> tuple[Chunk, float]:
        size = max(0, self.rate * 100)
        while len(chunk.data) > size:
            await stage.pause_with(chunk, SLICE_S)
            if size:
                await stage.send(Chunk(chunk.data[:size], chunk.at))
                chunk = Chunk(chunk.data[size:], chunk.at)
                owed_s -= SLICE_S
        return chunk, owed_s
