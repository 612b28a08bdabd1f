"""Let nothing through, and hang up after a silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class Timeout:
    """Drop all data; close `timeout` ms after the last of it came, or never if 0. Removing it closes the connection."""

    timeout: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = True

    async def pipe(self, stage: Stage) -> None:
        """Drop what comes until the sender ends or stays silent for too long."""
        within_s = self.timeout / 1000 if self.timeout > 0 else None
        while await stage.receive(within_s=within_s) is not None:
            continue
