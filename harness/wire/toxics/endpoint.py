"""One socket of a proxied connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from harness.wire.sockets import Brake, reset_when_closed
from harness.wire.toxics.stage import Room

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.toxics.link import Link
    from harness.wire.toxics.stage import Chunk


# What Toxiproxy reads at once; toxics see the same chunks.
CHUNK = 32 * 1024


class Endpoint(asyncio.BufferedProtocol):
    """Read one socket into a link and be written to by the other; what arrives before the link is up is kept."""

    def __init__(self, lost: Callable[[Endpoint], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._lost = lost
        self._into: Link | None = None
        self._early: list[bytes] = []
        self._ended = False
        self._brake = Brake()
        self._full = False
        self._resets = False
        self._room = Room()
        self._buffer = memoryview(bytearray(CHUNK))
        self._relieved: Callable[[], None] = lambda: None

    @property
    def full(self) -> bool:
        """Say whether the peer is behind in reading."""
        return self._full and not self.gone

    def push(self, chunk: Chunk) -> None:
        """Write a chunk."""
        self.write(chunk.data)

    def write(self, data: bytes) -> None:
        """Write bytes; a closed socket swallows them."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        """Close the socket in both directions after what was written."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close the socket at once."""
        if self.transport is not None:
            self.transport.abort()

    def reset_on_close(self) -> None:
        """Make the end of this socket a reset."""
        if not self.gone:
            reset_when_closed(self.transport)

    async def room(self) -> None:
        """Wait until the peer may have caught up."""
        await self._room.wait()

    def hold(self, *, held: bool) -> None:
        """Stop or resume reading."""
        if not self.gone:
            self._brake.set(self.transport, held=held)

    def flow_into(self, link: Link) -> None:
        """Hand what came and what will come to a link."""
        self._into = link
        early, self._early = self._early, []
        for data in early:
            link.feed(data)
        if self._ended:
            link.finish()
        else:
            link.relieved()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - one size for all
        """Give the place for what is read next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass bytes on, or keep them until the link is up."""
        data = bytes(self._buffer[:nbytes])
        if self._into is not None:
            self._into.feed(data)
        else:
            self._early.append(data)
            self.hold(held=True)

    def eof_received(self) -> bool:
        """Pass the end on; the socket stays open until the other side has ended."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a reset travels on as an end, as in Toxiproxy
        """Pass the end on."""
        self.gone = True
        self._end()
        self._room.release()
        self._lost(self)

    def pause_writing(self) -> None:
        """Hold the sender back."""
        self._full = True
        self._relieved()

    def resume_writing(self) -> None:
        """Let the sender go on."""
        self._full = False
        self._room.release()
        self._relieved()

    def feeds(self, balance: Callable[[], None]) -> None:
        """Name the call that re-reads `full` on behalf of the link that writes here."""
        self._relieved = balance

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            if self._into is not None:
                self._into.finish()
