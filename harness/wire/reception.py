"""Receive connections that must say first whom they are for, and lead each to its entrance.

    accepted ─► its first bytes are looked at, not taken ─► the entrance of that host ─► TLS, where the port ends it ─► Conversation
                                                        └─► no certificate for it: on to `passthrough` as it is, or closed

What becomes of a connection that gets no further is written down with the reason: its program often shows none.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from harness.wire.certificates import Certificates, find_host
from harness.wire.connection import ClientConnection, SecureConnection
from harness.wire.greeting import LONGEST, BadGreetingError, read_host, read_server_name
from harness.wire.sockets import NO_LINGER, readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.entrance import Entrance
    from harness.wire.values import Listener

GREETING_WITHIN_S = 60.0
GOODBYE_WITHIN_S = 5.0
# RFC 8446 6.2: a fatal alert of the kind unrecognized_name.
UNRECOGNIZED_NAME = b"\x15\x03\x03\x00\x02\x02\x70"
SILENT = (
    "it left after the handshake without a request, as programs do that check the certificate only then and refuse it"
)
LEFT = "it left during the handshake without saying why, as programs do that do not trust the certificate"
ALERTS = {
    "UNKNOWN_CA": "it does not trust the authority that issued the certificate",
    "BAD_CERTIFICATE": "it does not accept the certificate: another host's, or not trusted",
    "CERTIFICATE_UNKNOWN": "it does not accept the certificate: another host's, or not trusted",
}


class Refusal(Exception):  # noqa: N818 - nothing went wrong here: it is how a connection ends
    """A connection gets no further: how it ends, and why."""

    def __init__(self, end: str, why: str) -> None:
        super().__init__(why)
        self.end = end


class Way(NamedTuple):
    """Where a connection is led, and the TLS it meets before, if any."""

    entrance: Entrance
    context: ssl.SSLContext | None


class Reception:
    """Receive the connections of a listener with `tls` or `hosts`. Raise `BadCertificateError`.

    `find` gives the entrance of a listener's name, `passthrough` the one for what is led on unopened.
    """

    def __init__(
        self, entrance: Entrance, listener: Listener, find: Callable[[str], Entrance | None], passthrough: Entrance
    ) -> None:
        self._entrance = entrance
        self._find = find
        self._hosts = {host.lower(): name for host, name in listener.hosts.items()}
        self._certificates = None if listener.tls is None else Certificates(listener.tls.certificates)
        self._passthrough = passthrough if listener.tls is not None and listener.tls.passthrough else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._led: WeakSet[ClientConnection] = WeakSet()

    def receive(self, sock: socket.socket) -> None:
        """Receive a socket that was accepted."""
        task = asyncio.get_running_loop().create_task(self._receive(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Drop the connections that came this way."""
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._led):
            connection.drop()

    async def _receive(self, sock: socket.socket) -> None:
        name, host = self._entrance.name_connection(), None
        with sock:
            try:
                async with asyncio.timeout(GREETING_WITHIN_S):
                    host = await self._greet(sock)
                if host is not None:
                    way = self._choose(host)
                    await self._hand_over(socket.socket(fileno=sock.detach()), way, name, host)
            except TimeoutError:
                self._record(name, host, "closed", f"it asked for nothing within {GREETING_WITHIN_S:g} s")
            except Refusal as refusal:
                self._record(name, host, refusal.end, str(refusal))
                self._say_goodbye(sock, refusal.end, host)

    async def _greet(self, sock: socket.socket) -> str | None:
        """Return the host asked for, empty where it asks for none; None if the client leaves before it does."""
        read, seen = (read_host if self._certificates is None else read_server_name), 0
        while True:
            await readable(sock)
            try:
                data = sock.recv(LONGEST + 1, socket.MSG_PEEK)
                host = read(data)
            except BadGreetingError as error:
                raise Refusal("closed", f"it sent {error}") from None
            except OSError:
                return None
            if host is not None or len(data) == seen:
                return host
            # It is readable again only once there is more than what was seen.
            seen = len(data)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)

    def _choose(self, host: str) -> Way:
        context = None if self._certificates is None else self._certificates.find(host)
        if self._certificates is not None and context is None:
            if self._passthrough is not None:
                return Way(self._passthrough, None)
            raise Refusal("closed", f"there is no certificate for {host!r}")
        entrance = self._entrance
        if self._hosts:
            name = find_host(self._hosts, host)
            found = self._find(name) if name is not None else None
            if found is None:
                raise Refusal("closed", f"no listener serves {host!r}" if host else "it asks for no host")
            entrance = found
        if not entrance.is_open:
            raise Refusal("refused", f"listener {entrance.name!r} accepts no connections now")
        return Way(entrance, context)

    async def _hand_over(self, sock: socket.socket, way: Way, name: str, host: str) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        loop = asyncio.get_running_loop()

        def build() -> ClientConnection:
            if way.context is None:
                led = ClientConnection(way.entrance, name)
            else:
                led = SecureConnection(way.entrance, name, lambda: self._record(name, host, "client_closed", SILENT))
            self._led.add(led)
            return led

        limits = {"ssl_handshake_timeout": GREETING_WITHIN_S, "ssl_shutdown_timeout": GOODBYE_WITHIN_S}
        try:
            await loop.connect_accepted_socket(build, sock, ssl=way.context, **(limits if way.context else {}))
        except OSError as error:
            self._record(name, host, "handshake_failed", _explain(error))

    def _say_goodbye(self, sock: socket.socket, end: str, host: str | None) -> None:
        """Close as politely as the end allows: what was not read would make it a reset."""
        try:
            if end == "refused":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                return
            sock.recv(LONGEST + 1)
            if self._certificates is not None and host is not None:
                sock.send(UNRECOGNIZED_NAME)
        except OSError:
            return

    def _record(self, name: str, host: str | None, end: str, reason: str) -> None:
        self._entrance.record_unreceived(name, host, end, reason)


def _explain(error: OSError) -> str:
    """Say why a handshake failed; an alert is the client's own reason."""
    reason = getattr(error, "reason", None) or ""
    for alert, why in ALERTS.items():
        if reason.endswith(f"ALERT_{alert}"):
            return f"{why} (it sent the alert {alert.lower().replace('_', ' ')})"
    if isinstance(error, ssl.SSLEOFError | ConnectionError) and not isinstance(error, ConnectionAbortedError):
        return LEFT
    return str(reason).lower().replace("_", " ") or str(error).lower() or LEFT
