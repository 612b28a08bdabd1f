"""Hang up after so many bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.wire.toxics.stage import Chunk

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class LimitData:
    """Pass `bytes` bytes of a connection, counted since the toxic met it, then close it."""

    bytes: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Pass data until the limit is reached; the count survives updates of the limit."""
        while (chunk := await stage.receive()) is not None:
            part = chunk.data[: max(0, self.bytes - stage.counted)]
            if part:
                await stage.send(Chunk(part, chunk.at))
                stage.counted += len(part)
            if stage.counted >= self.bytes:
                return
