"""When what is queued comes up: the durable queue's picture in memory, woken by events and timers, never by polling."""

import asyncio
import time


class Schedule:
    """Keys that are due, in order of becoming due. Each key is in it at most once, which its callers see to."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def put(self, ref: str, due_at: float) -> None:
        """Have `ref` come up at `due_at`, in epoch seconds; at once when that has passed."""
        self._timers.pop(ref, None)
        wait_s = due_at - time.time()
        if wait_s <= 0:
            self._ready.put_nowait(ref)
        else:
            # A timer may fire a little early by the loop's own clock; then it is simply set again.
            self._timers[ref] = asyncio.get_running_loop().call_later(wait_s, self.put, ref, due_at)

    async def take(self) -> str:
        """Wait for the next key that is due and remove it."""
        return await self._ready.get()

    def close(self) -> None:
        """Drop all timers; what they stood for is in the durable queue."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
