"""Cut data into small pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.wire.toxics.stage import Chunk, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class Slicer:
    """Send pieces of about `average_size` bytes, give or take `size_variation`, with `delay` microseconds after each."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Send each chunk piece by piece; an interruption sends the rest of the chunk whole."""
        while (chunk := await stage.receive()) is not None:
            for start, end in self.cuts(0, len(chunk.data), stage.random):
                await stage.send(Chunk(chunk.data[start:end], chunk.at))
                try:
                    await stage.pause(self.delay / 1_000_000)
                except Interrupted:
                    await stage.send(Chunk(chunk.data[end:], chunk.at))
                    raise

    def cuts(self, start: int, end: int, random: Random) -> Iterator[tuple[int, int]]:
        """Yield the pieces of `start` to `end` in order, halving near the middle until a piece is small enough."""
        if end - start <= max(1, self.average_size + self.size_variation):
            yield start, end
            return
        middle = start + (end - start) // 2
        if self.size_variation > 0:
            middle += random.randrange(-self.size_variation, self.size_variation)
        middle = min(max(middle, start + 1), end - 1)
        yield from self.cuts(start, middle, random)
        yield from self.cuts(middle, end, random)
