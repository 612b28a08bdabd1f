"""Host and port as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address, written `host:port`, with brackets around a host that has colons."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, default_host: str | None = None) -> Self:
        """Read `host:port`; an empty text or host stands for `default_host`, if there is one. Raise ValueError if it is neither."""
        if not text and default_host is not None:
            return cls(default_host, 0)
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or default_host or ""
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise ValueError(f"address {text}: expected host:port")
        return cls(host, int(port))

    @classmethod
    def of(cls, sock: socket.socket) -> Self:
        """Return where a socket is bound."""
        host, port = sock.getsockname()[:2]
        return cls(host, port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
