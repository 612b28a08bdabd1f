"""One call to WireMock on a connection of its own, and what came back: an answer, or whatever it did instead of one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.kit.answers import Header

CHUNK = 65_536
# What belongs to one connection (RFC 9110 §7.6.1), and the length, which is set anew.
HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
    ]
)


@dataclass(slots=True)
class Heard:
    """
    What WireMock sent.

    ``whole``: it is an HTTP answer, complete; otherwise ``raw`` is what came until the connection ended, by ``reset`` or
    by being closed.
    """

    raw: bytes = b""
    reset: bool = False
    whole: bool = False
    status: int | None = None
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Server:
    """Where WireMock listens."""

    host: str
    port: int

    async def ask(self, method: str, target: str, headers: Iterable[Header], body: bytes) -> Heard:
        """Send a call and hear it out; raises OSError where nobody listens."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
            writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body)
            return await _hear(reader, method)
        finally:
            writer.transport.abort()

    async def ensure_up(self) -> None:
        """Raise OSError where nobody listens any more: then what came instead of an answer was no fault of a mapping."""
        _, writer = await asyncio.open_connection(self.host, self.port)
        writer.transport.abort()


class _Reading:
    """Collects what the parser finds."""

    def __init__(self, method: str) -> None:
        self.heard = Heard()
        self._bodiless = method == "HEAD"
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.heard.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.heard.status = self.parser.get_status_code()
        self.heard.whole = self._bodiless

    def on_body(self, chunk: bytes) -> None:
        self.heard.body += chunk

    def on_message_complete(self) -> None:
        self.heard.whole = True


async def _hear(reader: asyncio.StreamReader, method: str) -> Heard:
    reading = _Reading(method)
    heard, parsing = reading.heard, True
    while not heard.whole:
        try:
            chunk = await reader.read(CHUNK)
        except ConnectionError:
            heard.reset = True
            return heard
        if not chunk:
            heard.whole = parsing and _ends_with_connection(heard)
            return heard
        heard.raw += chunk
        try:
            if parsing:
                reading.parser.feed_data(chunk)
        except httptools.HttpParserError:
            parsing = False
    return heard


def _ends_with_connection(heard: Heard) -> bool:
    """Tell whether the end of the connection is the end of the answer: it named no length (RFC 9112 §6.3)."""
    framed = heard.header("content-length") or heard.header("transfer-encoding")
    return heard.status is not None and framed is None
