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
    watch = _Watch(journal)
    watch.set_timer()
    try:
        yield
    finally:
        watch.timer.cancel()


class _Watch:
    """A timer that is set again and again: twenty times a second in every process of a lab, so it is no more than that."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._loop = asyncio.get_running_loop()

    def set_timer(self) -> None:
        """Set the timer."""
        self._due = self._journal.clock.mono() + TICK_S
        self.timer = self._loop.call_later(TICK_S, self._ring)

    def _ring(self) -> None:
        late = self._journal.clock.mono() - self._due
        if late > LATE_S:
            self._journal.append("stall", seconds=round(late, 6))
        self.set_timer()
