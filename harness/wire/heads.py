"""Read HTTP/1 heads as far as framing needs it: first line, body length, what becomes of the connection.

A head that two readers could understand differently (bare line feeds, folded lines, blanks before a colon, two lengths) is refused: the caller
then relays the bytes without claiming to know what they mean. Nothing is rewritten here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?")
HEADER_LINES = re.compile(rb"\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n]*\r\n)*\r\n")
FRAMING = re.compile(
    rb"^(content-length|transfer-encoding|connection|expect):[ \t]*([^\r\n]*?)[ \t]*\r$",
    re.IGNORECASE | re.MULTILINE,
)
DIGITS = re.compile(rb"[0-9]{1,18}")
CHUNKED = -1


class BadHeadError(ValueError):
    """Bytes that are no HTTP/1 head, or an ambiguous one."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers that decide framing; `length` is the body's size, `CHUNKED`, or None where no header says."""

    length: int | None
    tokens: frozenset[bytes]
    expects_continue: bool

    def closes(self, minor: int) -> bool:
        """Say whether the sender ends the connection after this message, by HTTP/1.`minor`."""
        return b"close" in self.tokens or (minor == 0 and b"keep-alive" not in self.tokens)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request's first line and framing."""

    method: str
    target: str
    minor: int
    headers: Headers

    @property
    def closes(self) -> bool:
        """Say whether the client wants the connection closed afterwards."""
        return self.headers.closes(self.minor)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A response's status and framing."""

    status: int
    minor: int
    headers: Headers

    @property
    def closes(self) -> bool:
        """Say whether the server closes the connection afterwards."""
        return self.headers.closes(self.minor)


def parse_request_head(head: bytes) -> RequestHead:
    """Read a request's head including its blank line; raise `BadHeadError`."""
    end = head.find(b"\r\n")
    match = REQUEST_LINE.fullmatch(head, 0, end)
    if match is None:
        raise BadHeadError("no request line")
    headers = _parse_headers(head, end)
    return RequestHead(match[1].decode("ascii"), match[2].decode("latin-1"), int(match[3]), headers)


def parse_response_head(head: bytes) -> ResponseHead:
    """Read a response's head including its blank line; raise `BadHeadError`."""
    end = head.find(b"\r\n")
    match = STATUS_LINE.fullmatch(head, 0, end)
    if match is None:
        raise BadHeadError("no status line")
    return ResponseHead(int(match[2]), int(match[1]), _parse_headers(head, end))


def _parse_headers(head: bytes, start: int) -> Headers:
    if HEADER_LINES.fullmatch(head, start) is None:
        raise BadHeadError("no header line")
    return _read_framing(tuple(FRAMING.findall(head, start + 2)))


# Clients send the same framing headers over and over.
@lru_cache(maxsize=1024)
def _read_framing(lines: tuple[tuple[bytes, bytes], ...]) -> Headers:
    found: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        found.setdefault(name.lower(), []).append(value)
    return Headers(
        length=_length(found),
        tokens=frozenset(_list(found.get(b"connection"))),
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
