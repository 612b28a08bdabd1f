"""Reset a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Drop the first data and reset both sides `timeout` ms later, at once if 0; no connection that met it ends otherwise."""

    timeout: int = 0

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Wait for data or the end of the stream, then for the time set."""
        # Toxiproxy 2.12.0 does this only on connections opened after the toxic was added and ends older ones politely; a reset that
        # is none would be a false record, so both are reset here.
        stage.reset_on_close()
        await stage.receive()
        await stage.pause(self.timeout / 1000)
