"""Read HTTP/1 heads as far as framing needs it: first line, body length, what becomes of the connection.

A head that two readers could understand differently (bare line feeds, folded lines, blanks before a colon, two lengths) is refused: the caller
then relays the bytes without claiming to know what they mean. Nothing is rewritten here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?")
HEADER_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"expect"})
DIGITS = re.compile(rb"[0-9]{1,18}")
CHUNKED = -1
REMEMBERED = 1024


class BadHeadError(ValueError):
    """Bytes that are no HTTP/1 head, or an ambiguous one."""


class Framing(NamedTuple):
    """What a head says of its message: the body's size, `CHUNKED`, or None where no header says; and what becomes of the connection."""

    length: int | None
    closes: bool
    expects_continue: bool


class RequestHead(NamedTuple):
    """A request's first line and framing; `framing.closes` says whether the client wants the connection closed afterwards."""

    method: str
    target: str
    framing: Framing


class ResponseHead(NamedTuple):
    """A response's status and framing; `framing.closes` says whether the server closes the connection afterwards."""

    status: int
    framing: Framing


def parse_request_head(head: bytes) -> RequestHead:
    """Read a request's head including its blank line; raise `BadHeadError`."""
    lines = _split(head)
    match = REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise BadHeadError("no request line")
    method, target, minor = match.groups()
    return RequestHead(method.decode("ascii"), target.decode("latin-1"), _parse_headers(lines, minor))


def parse_response_head(head: bytes) -> ResponseHead:
    """Read a response's head including its blank line; raise `BadHeadError`."""
    lines = _split(head)
    status, minor = _read_status_line(lines[0])
    return ResponseHead(status, _parse_headers(lines, minor))


def _split(head: bytes) -> list[bytes]:
    lines = head.split(b"\r\n")
    if not head.count(b"\n") == head.count(b"\r") == len(lines) - 1:
        raise BadHeadError("a line that ends otherwise")
    return lines


@lru_cache(maxsize=REMEMBERED)
def _read_status_line(line: bytes) -> tuple[int, bytes]:
    match = STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadHeadError("no status line")
    return int(match[2]), match[1]


class _Names(dict[bytes, bytes]):
    """What header names mean for framing, by the spelling: the name in lower case, or nothing. Programs spell few names."""

    def __missing__(self, name: bytes) -> bytes:
        if HEADER_NAME.fullmatch(name) is None:
            raise BadHeadError("no header line")
        lower = name.lower()
        meaning = lower if lower in FRAMING else b""
        if len(self) < REMEMBERED:
            self[name] = meaning
        return meaning


_NAMES = _Names()


def _parse_headers(lines: list[bytes], minor: bytes) -> Framing:
    found = []
    for line in lines[1:-2]:
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadHeadError("no header line")
        meaning = _NAMES[name]
        if meaning:
            found.append((meaning, value))
    return _read_framing(minor, tuple(found))


@lru_cache(maxsize=REMEMBERED)
def _read_framing(minor: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> Framing:
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    tokens = _list(found.get(b"connection"))
    return Framing(
        length=_length(found),
        closes=b"close" in tokens or (minor == b"0" and b"keep-alive" not in tokens),
        expects_continue=b"100-continue" in _list(found.get(b"expect")),
    )


def _length(found: dict[bytes, list[bytes]]) -> int | None:
    codings = _list(found.get(b"transfer-encoding"))
    lengths = set(_list(found.get(b"content-length")))
    if codings:
        if lengths or codings[-1] != b"chunked":
            raise BadHeadError("a transfer coding that does not delimit the body")
        return CHUNKED
    if not lengths:
        if b"content-length" in found or b"transfer-encoding" in found:
            raise BadHeadError("a framing header without a value")
        return None
    length = lengths.pop()
    if lengths or DIGITS.fullmatch(length) is None:
        raise BadHeadError("no single content length")
    return int(length)


def _list(values: list[bytes] | None) -> list[bytes]:
    if values is None:
        return []
    return [part.strip(b" \t").lower() for value in values for part in value.split(b",") if part.strip(b" \t")]
