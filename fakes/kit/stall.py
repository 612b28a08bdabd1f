"""The stall watch: notices when this process was not scheduled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.kit.journal import Journal

TICK_S = 0.05
LATE_S = 0.25


async def watch_stalls(journal: Journal) -> None:
    """Write a ``stall`` entry whenever a 50 ms timer comes late by more than 250 ms; runs until cancelled."""
    while True:
        due = journal.clock.mono() + TICK_S
        await asyncio.sleep(TICK_S)
        late = journal.clock.mono() - due
        if late > LATE_S:
            journal.append("stall", seconds=round(late, 6))
