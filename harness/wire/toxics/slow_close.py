"""Keep a connection open for a while after it should have closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class SlowClose:
    """Pass data at once and the end of the stream `delay` ms late."""

    delay: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Pass everything on, then wait before closing."""
        while (chunk := await stage.receive()) is not None:
            await stage.send(chunk)
        await stage.pause(self.delay / 1000)
