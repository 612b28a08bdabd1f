"""The stall watch: notices when this process was not scheduled."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fakes.kit.journal import Journal

TICK_S = 0.05
LATE_S = 0.25


@asynccontextmanager
async def watch_stalls(journal: Journal) -> AsyncIterator[None]:
    """Write a ``stall`` entry whenever a 50 ms timer comes late by more than 250 ms while the block runs."""
    watch = asyncio.ensure_future(_watch(journal))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def _watch(journal: Journal) -> None:
    while True:
        due = journal.clock.mono() + TICK_S
        await asyncio.sleep(TICK_S)
        late = journal.clock.mono() - due
        if late > LATE_S:
            journal.append("stall", seconds=round(late, 6))
