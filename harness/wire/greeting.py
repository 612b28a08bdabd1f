"""Whom a connection asks for, from its first bytes: the server name of a TLS ClientHello, the Host of a plain request. No I/O.

Both answer None while more bytes are needed, an empty name where nobody is named, and raise `BadGreetingError` for what is neither.
RFC 8446 4.1.2 (ClientHello), RFC 6066 3 (server_name), RFC 9112 3.2 (Host).
"""

from __future__ import annotations

import re

from harness.wire.heads import REQUEST_LINE

HANDSHAKE = 22
CLIENT_HELLO = 1
SERVER_NAME = 0
HOST_NAME = 0
LONGEST = 64 * 1024
HOST_LINE = re.compile(rb"\r\n[Hh][Oo][Ss][Tt]:[ \t]*([^\r\n]*?)[ \t]*\r\n")
ABSOLUTE = re.compile(rb"[^ ]+ [A-Za-z]+://([^/ ?]+)")
PORT = re.compile(r":[0-9]*$")


class BadGreetingError(ValueError):
    """First bytes that are not what the port is for."""


def read_server_name(data: bytes) -> str | None:
    """Return the host a ClientHello names."""
    hello = _join_records(data)
    if hello is None or len(hello) < 4:
        return None
    if hello[0] != CLIENT_HELLO:
        raise BadGreetingError("no ClientHello")
    end = 4 + int.from_bytes(hello[1:4], "big")
    if end > LONGEST:
        raise BadGreetingError("a ClientHello of more than 64 KiB")
    if len(hello) < end:
        return None
    try:
        return _read_extensions(_Fields(hello[4:end]))
    except IndexError:
        raise BadGreetingError("a broken ClientHello") from None


def read_host(data: bytes) -> str | None:
    """Return the host a plain request is for: by its target where that is absolute, else by its header."""
    line = data.find(b"\r\n")
    if line < 0 and len(data) <= LONGEST and data[:1].isalpha():
        return None
    if line < 0 or REQUEST_LINE.fullmatch(data, 0, line) is None:
        raise BadGreetingError("no HTTP/1 request")
    found = ABSOLUTE.match(data, 0, line) or HOST_LINE.search(data)
    if found is not None:
        return fold_host(found[1].decode("latin-1"))
    if b"\r\n\r\n" in data:
        return ""
    if len(data) > LONGEST:
        raise BadGreetingError("a head of more than 64 KiB")
    return None


def fold_host(host: str) -> str:
    """Return a host as it is compared: lower case, without port and final dot."""
    return PORT.sub("", host.lower()).removesuffix(".")


def _join_records(data: bytes) -> bytes | None:
    """Return what the handshake records hold, as far as they are there; None before the first is known."""
    at, joined = 0, b""
    while at < len(data):
        if data[at] != HANDSHAKE or data[at + 1 : at + 2] not in (b"", b"\x03"):
            if joined:
                break
            raise BadGreetingError("no TLS")
        if len(data) < at + 5:
            break
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        joined += data[at + 5 : end]
        at = end
    return joined or None


class _Fields:
    """Read fields one after another; raise IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return so many bytes."""
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise IndexError(size)
        self._at += size
        return part

    def number(self, size: int) -> int:
        """Return a number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """Return bytes whose count stands before them, in so many bytes."""
        return self.take(self.number(size))

    @property
    def over(self) -> bool:
        """Say whether there is nothing more."""
        return self._at >= len(self._data)


def _read_extensions(hello: _Fields) -> str:
    hello.take(2 + 32)
    hello.block(1)
    hello.block(2)
    hello.block(1)
    if hello.over:
        return ""
    extensions = _Fields(hello.block(2))
    while not extensions.over:
        kind, content = extensions.number(2), extensions.block(2)
        if kind == SERVER_NAME:
            return _read_names(_Fields(_Fields(content).block(2)))
    return ""


def _read_names(names: _Fields) -> str:
    while not names.over:
        kind, name = names.number(1), names.block(2)
        if kind == HOST_NAME:
            return fold_host(name.decode("latin-1"))
    return ""
