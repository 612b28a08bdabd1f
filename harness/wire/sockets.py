"""What the event loop does not offer about sockets: resets, hang-ups behind unread data, a brake, ports that close and come back."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NO_LINGER = struct.pack("ii", 1, 0)
BACKLOG = 1024


def reset_when_closed(transport: asyncio.BaseTransport | None) -> None:
    """Make closing this socket send a reset: the kernel does so when lingering is on with a time of zero."""
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)


class Poll:
    """Ask the kernel, without waiting, whether a socket shows one of these poll events; errors always show."""

    def __init__(self, transport: asyncio.BaseTransport, events: int) -> None:
        sock = transport.get_extra_info("socket")
        self._poll = select.poll()
        if sock is not None and sock.fileno() >= 0:
            self._poll.register(sock.fileno(), events)

    def shows(self) -> bool:
        """Return the answer as of now; only while the transport is open."""
        return bool(self._poll.poll(0))


class Brake:
    """Stop and resume reading from a socket; `held` says which it is. One that is not open yet, or closing, is left alone."""

    def __init__(self) -> None:
        self.held = False

    def set(self, transport: asyncio.Transport | None, *, held: bool) -> bool:
        """Stop or resume; return whether that changed anything."""
        if held is self.held or transport is None or transport.is_closing():
            return False
        self.held = held
        if held:
            transport.pause_reading()
        else:
            transport.resume_reading()
        return True


async def readable(sock: socket.socket) -> None:
    """Wait until there is something to read, or the peer has ended."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


class Acceptor:
    """Accept connections without reading from them; each socket is handed to `taken`."""

    def __init__(self, sock: socket.socket, taken: Callable[[socket.socket], None]) -> None:
        self._sock = sock
        self._taken = taken
        sock.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(sock, self._accept)

    def close(self) -> None:
        """Stop accepting."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        try:
            taken, _ = self._sock.accept()
        except OSError:  # it has gone already, or no descriptor is left for it
            return
        taken.setblocking(False)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._taken(taken)


class Port:
    """A listening port that can be closed, so that connecting is refused, and opened again under the same number.

    While it is closed the number stays bound and nobody else can take it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._server: asyncio.Server | Acceptor | None = None

    @classmethod
    def bind(cls, host: str, port: int) -> Port:
        """Bind a fresh socket; raise OSError when the address cannot be had."""
        return cls(_bind(host, port))

    @classmethod
    def inherit(cls, fd: int) -> Port:
        """Take over a bound TCP socket; raise OSError if the descriptor is none."""
        sock = socket.socket(fileno=fd)
        if sock.type != socket.SOCK_STREAM or sock.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) not in (
            socket.AF_INET,
            socket.AF_INET6,
        ):
            sock.detach()
            raise OSError(f"descriptor {fd} is not a TCP socket")
        sock.setblocking(False)
        return cls(sock)

    @property
    def is_open(self) -> bool:
        """Say whether connecting succeeds."""
        return self._server is not None

    @property
    def sock(self) -> socket.socket:
        """Return the bound socket."""
        return self._sock

    async def open(self, accept: Callable[[], asyncio.Protocol]) -> None:
        """Accept connections."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(accept, sock=self._sock.dup(), backlog=BACKLOG)

    def open_unread(self, taken: Callable[[socket.socket], None]) -> None:
        """Accept connections whose first bytes somebody else reads."""
        if self._server is None:
            self._server = Acceptor(self._sock.dup(), taken)

    def close(self) -> None:
        """Refuse connections, also where another process holds the same socket."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        host, port = self._sock.getsockname()[:2]
        # Closing our copy would leave a socket listening that was inherited and is still held elsewhere.
        self._sock.shutdown(socket.SHUT_RDWR)
        # Where the number cannot be bound anew the old socket still holds it, and can listen again.
        with contextlib.suppress(OSError):
            fresh = _bind(host, port)
            self._sock.close()
            self._sock = fresh

    def release(self) -> None:
        """Give the number back."""
        self.close()
        self._sock.close()


def _bind(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
