"""The tap's connections to upstreams."""

from __future__ import annotations

import asyncio
import select
import time
from typing import TYPE_CHECKING, Protocol, cast

from fakes.kit.reach import own_reach
from harness.wire.sockets import Brake, Poll, reset_when_closed

if TYPE_CHECKING:
    from harness.wire.address import Address

# Common servers close idle connections after two to five seconds; one unused for this long is not trusted with a request, so that
# the race between their closing it and our sending never looks like a fault.
IDLE_LIMIT_S = 1.0
# A client's end queues behind bytes we have not read, so we read well ahead of an upstream that takes nothing: else the hang-up
# of a client that timed out would stay unseen.
READ_AHEAD = 16 * 1024 * 1024

Bytes = bytes | memoryview


class Owner(Protocol):
    """Who hears what an upstream connection brings."""

    def upstream_data(self, upstream: Upstream, data: bytes) -> None:
        """Take bytes."""

    def upstream_refused(self, upstream: Upstream) -> None:
        """Take note that there will be no connection."""

    def upstream_ended(self, upstream: Upstream, error: Exception | None) -> None:
        """Take note of the end, once: None for an orderly one."""

    def upstream_full(self, *, full: bool) -> None:
        """Stop sending, or go on."""


class Upstream(asyncio.Protocol):
    """One connection to an upstream; what is written before it is up is kept until then."""

    def __init__(self, owner: Owner, address: Address) -> None:
        self.address = address
        self.ended = False
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._early: list[Bytes] = []
        self._idle_since = 0.0
        self._poll: Poll | None = None
        self._brake = Brake()
        self._eof = False
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    @property
    def is_fresh(self) -> bool:
        """Say whether an idle connection can be trusted with a request: used a moment ago, open, and with nothing to read."""
        if self._transport is None or self.ended or self._transport.is_closing():
            return False
        if time.monotonic() - self._idle_since > IDLE_LIMIT_S:
            return False
        if self._poll is None:
            self._poll = Poll(self._transport, select.POLLIN | select.POLLRDHUP)
        return not self._poll.shows()

    def rest(self) -> None:
        """Take note that the connection is idle from now on."""
        self._idle_since = time.monotonic()
        if self._brake.held:
            self.hold(held=False)

    def write(self, data: Bytes) -> None:
        """Send bytes; a connection that has ended swallows them."""
        if self._transport is None:
            self._early.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Say that nothing more is sent."""
        self._eof = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def hold(self, *, held: bool) -> None:
        """Stop or resume reading."""
        self._brake.set(self._transport, held=held)

    def close(self, *, reset: bool = False) -> None:
        """Close without telling the owner."""
        self.ended = True
        if self._transport is not None:
            if reset:
                reset_when_closed(self._transport)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what waited; close again if nobody wants the connection any more."""
        self._transport = cast("asyncio.Transport", transport)
        if self.ended:
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=READ_AHEAD)
        early, self._early = self._early, []
        self._transport.writelines(early)
        if self._eof:
            self._transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if not self.ended:
            self._owner.upstream_data(self, data)

    def eof_received(self) -> bool:
        """Tell the owner, who decides when to close."""
        self._end(None)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        self._end(exc)

    def pause_writing(self) -> None:
        """Hold the sender back."""
        self._owner.upstream_full(full=True)

    def resume_writing(self) -> None:
        """Let the sender go on."""
        self._owner.upstream_full(full=False)

    async def _dial(self) -> None:
        try:
            await own_reach().create_connection(lambda: self, self.address.host, self.address.port)
        except OSError:
            if not self.ended:
                self.ended = True
                self._owner.upstream_refused(self)

    def _end(self, error: Exception | None) -> None:
        if not self.ended:
            self.ended = True
            self._owner.upstream_ended(self, error)
