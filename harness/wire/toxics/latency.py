"""Delay everything that passes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.wire.toxics.stage import Chunk

if TYPE_CHECKING:
    from random import Random

    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class Latency:
    """Pass each chunk on `latency` ms after it arrived, give or take up to `jitter` ms; order is kept."""

    latency: int = 0
    jitter: int = 0

    capacity: ClassVar[int] = 1024
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Hold each chunk until its time; time it waited behind an earlier chunk counts."""
        while (chunk := await stage.receive()) is not None:
            wait_s = self._delay_s(stage.random) - (time.monotonic() - chunk.at)
            await stage.pause_with(chunk, wait_s)
            await stage.send(Chunk(chunk.data, chunk.at + wait_s))

    def _delay_s(self, random: Random) -> float:
        spread = random.randrange(-self.jitter, self.jitter) if self.jitter > 0 else 0
        return (self.latency + spread) / 1000
