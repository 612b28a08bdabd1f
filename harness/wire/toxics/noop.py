"""Do nothing: what a connection gets that a toxic spares, and a type of its own that Toxiproxy does not tell of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from harness.wire.toxics.stage import Stage


@dataclass(frozen=True, slots=True)
class Noop:
    """Pass everything on as it came."""

    capacity: ClassVar[int] = 1
    closes_when_removed: ClassVar[bool] = False

    async def pipe(self, stage: Stage) -> None:
        """Pass data on."""
        while (chunk := await stage.receive()) is not None:
            await stage.send(chunk)
