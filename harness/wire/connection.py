"""The socket of one client of a listener."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, cast

from harness.wire.conversation import Conversation
from harness.wire.sockets import Brake, Poll, reset_when_closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.entrance import Entrance
    from harness.wire.rules import Rule

HANG_UP_CHECK_S = 0.1


class ClientConnection(asyncio.Protocol):
    """Carry a client's bytes to and from its `Conversation`, and tell it when the client leaves.

    A client that ends its direction has left, as far as HTTP goes: that is what a timeout looks like from here. Only an opaque relay
    goes on one way.
    """

    def __init__(self, entrance: Entrance, name: str) -> None:
        self._entrance = entrance
        self._transport: asyncio.Transport | None = None
        self._conversation = Conversation(entrance, self, name)
        self._brake = Brake()

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes to the client; one that has gone swallows them."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Say that nothing more is sent; where only both directions can end, as with TLS, they do."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    @property
    def held(self) -> bool:
        """Say whether reading is stopped."""
        return self._brake.held

    def hold(self, *, held: bool) -> None:
        """Stop or resume reading; a client that hangs up meanwhile is noticed all the same."""
        if self._brake.set(self._transport, held=held) and held:
            self._watch_hang_up()

    def close(self) -> None:
        """Close after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Close at once with a reset."""
        reset_when_closed(self._transport)
        self.abort()

    def is_led_by(self, rule: Rule) -> bool:
        """Say whether what is under way goes where this rule leads."""
        return self._conversation.is_led_by(rule)

    def drop(self) -> None:
        """Break off, as the listener goes."""
        self._conversation.drop()
        self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._entrance.connections.add(self)
        self._conversation.start()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._conversation.from_client(data)

    def eof_received(self) -> bool:
        """Pass the client's end on; True keeps the socket open."""
        return self._conversation.client_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the conversation that the socket has gone."""
        self._entrance.connections.discard(self)
        self._conversation.client_lost(exc)

    def pause_writing(self) -> None:
        """Hold the upstream back."""
        self._conversation.client_full(full=True)

    def resume_writing(self) -> None:
        """Let the upstream go on."""
        self._conversation.client_full(full=False)

    def _watch_hang_up(self) -> None:
        """Look for the client's end, which stays behind unread bytes while reading is paused."""
        if not self._brake.held or self._transport is None or self._transport.is_closing():
            return
        if Poll(self._transport, select.POLLRDHUP).shows():
            self._conversation.client_lost(None)
            self.abort()
            return
        asyncio.get_running_loop().call_later(HANG_UP_CHECK_S, self._watch_hang_up)


class SecureConnection(ClientConnection):
    """The socket of a client that speaks TLS; `silent` is called if it leaves without having said anything inside."""

    def __init__(self, entrance: Entrance, name: str, silent: Callable[[], None]) -> None:
        super().__init__(entrance, name)
        self._silent: Callable[[], None] | None = silent

    def drop(self) -> None:
        """Break off, as the listener goes."""
        self._silent = None
        super().drop()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._silent = None
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the conversation that the socket has gone."""
        if self._silent is not None:
            self._silent()
        super().connection_lost(exc)
