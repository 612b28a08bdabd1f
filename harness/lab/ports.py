"""
Loopback addresses.

Where we serve, we bind a socket on a port the kernel picks and hand it over, so nobody can take it in between. The
integration binds for itself: it gets a port below the kernel's ephemeral range, where no outgoing connection lands.
"""

import re
import secrets
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
LOWEST_PORT = 20_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_EPHEMERAL_START = 32_768
_ABOVE = range(61_000, 65_500)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Address":
        """Read host and port from a URL."""
        parts = urlsplit(url)
        return cls(parts.hostname or LOOPBACK, parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def url(self) -> str:
        """The address as an http URL without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Listener:
    """
    A loopback address that stays ours over restarts of the process that serves it.

    The socket listens from the moment it is made, so clients may connect before the process is up: they wait in the
    backlog. `hand_over` gives the socket away; asked again, it binds the same port anew.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = _bind(0)
        self.address = Address(LOOPBACK, self._socket.getsockname()[1])

    def hand_over(self) -> socket.socket:
        """Give the listening socket; the receiver closes it. Raises OSError when somebody took the port meanwhile."""
        given, self._socket = self._socket or _bind(self.address.port), None
        return given

    def close(self) -> None:
        """Close the socket where it was not handed over."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def find_free_port(taken: Collection[int]) -> int:
    """
    Find a port outside the ephemeral range that is neither in `taken` nor bound by anyone.

    The caller holds the lock under which `taken` was read and records its choice before letting go. Raises OSError
    when there is none.
    """
    for port in _candidates():
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port from {LOWEST_PORT} up")


def is_free(port: int) -> bool:
    """Tell whether a port on loopback can be bound now."""
    try:
        _bind(port).close()
    except OSError:
        return False
    return True


def _candidates() -> Iterator[int]:
    """Give every port of the range, from a random one on: other users keep registers that we cannot see."""
    start = _ephemeral_start()
    ports = range(LOWEST_PORT, start) if start > LOWEST_PORT + 1_000 else _ABOVE
    first = secrets.randbelow(len(ports))
    yield from ports[first:]
    yield from ports[:first]


def _ephemeral_start() -> int:
    try:
        found = re.match(r"\d+", _EPHEMERAL.read_text())
    except OSError:
        found = None
    return int(found.group()) if found else _USUAL_EPHEMERAL_START


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
