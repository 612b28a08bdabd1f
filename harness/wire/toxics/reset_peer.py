"""Reset a connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """
    Drop the first data and end the connection `timeout` ms later, at once if 0.

    A connection made while the toxic is there ends in resets, also one that it spares; one that is open already ends politely.
    """

    timeout: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Wait for data or the end of the stream, then for the time set, whatever becomes of the toxic meanwhile."""
        await stage.receive()
        await asyncio.sleep(self.timeout / 1000)
