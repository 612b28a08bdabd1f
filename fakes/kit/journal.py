"""
The append-only journal of a fake or of the tap (docs/contract.md §1).

An entry is redacted and serialised when it is appended: what it shows cannot change afterwards, and what it must not show was
never in it. Nothing here knows of any vendor.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import dump_json
from fakes.kit.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.clock import Clock

BATCH = 5_000
KEEP = 50_000
DEFERRED = 128
# A reader that got so many entries at once is answered this much more slowly the next time.
CROWD, PATIENCE = 25, 10


class EvictedError(LookupError):
    """The entries asked for are gone; ``oldest`` is the first seq still held."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"entries before {oldest} were evicted")
        self.oldest = oldest


class Journal:
    """
    Hold entries in order of arrival and hand them to readers that poll long.

    ``redactor`` is one of its own until another is set: journals of one lab share a key, so that they can be compared.
    A reader that would wait is answered ``gather_s`` after there is an entry, ten times that where many came last time, so
    that a busy writer serves it in batches.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        epoch: str | None = None,
        keep: int = KEEP,
        encode: Callable[[Mapping[str, Any]], bytes] = dump_json,
        gather_s: float = 0.0,
    ) -> None:
        self.clock = clock
        self.redactor = Redactor()
        self.epoch = epoch or secrets.token_hex(4)
        self._keep = keep
        self._encode = encode
        self._gather_s = gather_s
        self._crowded = False
        self._closed = False
        self._arrival: asyncio.Future[None] | None = None
        self._clear()

    def _clear(self) -> None:
        self._lines: list[bytes] = []
        self._deferred: list[tuple[float, float, str, Callable[[], Mapping[str, Any]]]] = []
        self._first = 1
        self._drained = 0

    @property
    def last(self) -> int:
        """The seq of the newest entry, 0 when there is none."""
        return self._first + len(self) - 1

    def __len__(self) -> int:
        return len(self._lines) + len(self._deferred)

    def append(self, type: str, **fields: Any) -> int:  # noqa: A002 - the contract calls it type
        """Redact and write one entry now and return its seq; ``fields`` must be JSON values."""
        return self.write(type, self.redactor.redact_entry(fields))

    def write(self, type: str, fields: Mapping[str, Any]) -> int:  # noqa: A002 - as above
        """Write one entry that holds nothing to redact, and return its seq."""
        self._settle()
        self._write(self.clock.wall(), self.clock.mono(), type, fields)
        self._evict()
        self._wake()
        return self.last

    def defer(self, type: str, build: Callable[[], Mapping[str, Any]]) -> None:  # noqa: A002 - as above
        """Write an entry as `write` does, but have its fields built when somebody reads it, or a few more have come."""
        self._deferred.append((self.clock.wall(), self.clock.mono(), type, build))
        if len(self._deferred) >= DEFERRED:
            self._settle()
        self._wake()

    def _write(self, at: float, mono: float, type: str, fields: Mapping[str, Any]) -> None:  # noqa: A002 - as above
        entry = {"seq": self._first + len(self._lines), "at": at, "mono": mono, "type": type}
        entry |= fields
        self._lines.append(self._encode(entry))

    def _settle(self) -> None:
        deferred, self._deferred = self._deferred, []
        for at, mono, type_, build in deferred:
            self._write(at, mono, type_, build())
        self._evict()

    async def read(self, after: int, wait: float = 0.0) -> list[bytes]:
        """
        Return the NDJSON lines (without newline) of entries above ``after``, at most 5,000.

        Waits up to ``wait`` seconds for the first one. Raises EvictedError when some of them are gone.
        """
        if after + 1 < self._first:
            raise EvictedError(self._first)
        self._drained = max(self._drained, min(after, self.last))
        if wait > 0 and not self._closed:
            await self._wait_for_arrival(after, wait)
            if self._gather_s and len(self) and not self._closed:
                # An answer an entry would cost a busy vendor more than its calls: it is late by this much instead.
                await asyncio.sleep(self._gather_s * (PATIENCE if self._crowded else 1))
        self._settle()
        start = max(0, after + 1 - self._first)
        lines = self._lines[start : start + BATCH]
        self._crowded = len(lines) >= CROWD
        return lines

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """Return all held entries above ``after``, decoded, without draining them."""
        self._settle()
        return [json.loads(line) for line in self._lines[max(0, after + 1 - self._first) :]]

    def reset(self) -> None:
        """Forget everything and begin at seq 1 again, under the same epoch; waiting readers get an empty answer."""
        self._clear()
        self._wake()

    def close(self) -> None:
        """Let waiting and later readers go at once, so that a server can stop."""
        self._closed = True
        self._wake()

    async def _wait_for_arrival(self, after: int, wait: float) -> None:
        deadline = self.clock.mono() + wait
        while self.last <= after and not self._closed:
            left = deadline - self.clock.mono()
            if left <= 0:
                return
            if self._arrival is None:
                self._arrival = asyncio.get_running_loop().create_future()
            cleared = self._lines
            await asyncio.wait([self._arrival], timeout=left)
            if self._lines is not cleared:
                return

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        self._arrival = None

    def _evict(self) -> None:
        if len(self._lines) > self._keep and self._drained >= self._first:
            gone = self._drained - self._first + 1
            self._first += gone
            del self._lines[:gone]
