"""What a fault may do to the connection below HTTP: a uvicorn protocol that hands it to the application."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope

EXTENSION = "handoff.connection"
_LINGER_NOT = struct.pack("ii", 1, 0)


class Connection:
    """The client's connection, as far as the application may touch it."""

    __slots__ = ("_closing", "_held", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = False
        self._closing = False

    def hold(self) -> None:
        """Keep the client waiting for its answer until it leaves or the server stops."""
        self._held = True
        if self._closing:
            self.reset()

    def release(self) -> None:
        """Tell that the client's answer is on its way after all."""
        self._held = False

    def close(self) -> None:
        """Let a client go that is kept waiting: the server stops."""
        self._closing = True
        if self._held:
            self.reset()

    def end(self, data: bytes) -> None:
        """Write bytes past HTTP, then close."""
        self._transport.write(data)
        self._transport.close()

    def reset(self) -> None:
        """Reset the connection (RST), dropping whatever was not sent yet; one that is gone already is left alone."""
        if self._transport.is_closing():
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()


class FakeProtocol(HttpToolsProtocol):
    """HTTP/1.1 with the connection offered to the application as an ASGI extension."""

    bad_request = b'{"errors":"Bad Request"}'

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base class does
        """Take a connection."""
        super().connection_made(transport)
        self.connection = Connection(transport)

    def on_message_begin(self) -> None:
        """Offer the connection with every request."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"connection": self.connection}}

    def shutdown(self) -> None:
        """Finish what is being answered, but wait for nothing that is held back."""
        super().shutdown()
        self.connection.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the vendor's words go out instead
        """Answer what is not HTTP in the vendor's shape."""
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            f"content-length: {len(self.bad_request)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + self.bad_request)
        self.transport.close()


def build_protocol(bad_request: bytes) -> type[FakeProtocol]:
    """Return the protocol class that answers what is not HTTP with this JSON body."""
    return type("VendorProtocol", (FakeProtocol,), {"bad_request": bad_request})


def connection_of(scope: Scope) -> Connection:
    """Return the connection a request came in on; the server must run FakeProtocol."""
    connection: Connection = scope["extensions"][EXTENSION]["connection"]
    return connection


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
