"""One HTTP POST on a connection of its own, header names as written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httptools

from fakes.kit.reach import NotAllowedError, own_reach

if TYPE_CHECKING:
    from collections.abc import Iterable

CHUNK = 65_536
NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post, and how long connecting and the whole may take, in seconds."""

    url: str
    connect_timeout_s: float
    total_timeout_s: float


class _Reading:
    """Collects what the parser finds in an answer."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.complete = False
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status >= 200:
            self.status = status

    def on_message_complete(self) -> None:
        self.complete = self.status is not None


async def post(target: Target, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int | None, str | None]:
    """
    Post and return ``(status, None)``, or ``(None, error)`` with error ``connect``, ``timeout``, ``reset`` or ``not_allowed``.

    Nothing is posted to a host off this machine and the lab's network that nobody allowed. An answer counts once it is whole; one that breaks off is a reset.
    """
    try:
        async with asyncio.timeout(target.total_timeout_s):
            return await _post(target, headers, body)
    except TimeoutError:
        return None, "timeout"


async def _post(target: Target, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int | None, str | None]:
    try:
        url = urlsplit(target.url)
        secure = url.scheme == "https"
        async with asyncio.timeout(target.connect_timeout_s):
            port = url.port or (443 if secure else 80)
            reader, writer = await own_reach().open_connection(url.hostname or "", port, secure=secure)
    except NotAllowedError:
        return None, NOT_ALLOWED
    except (OSError, ValueError):
        return None, "connect"
    try:
        writer.write(_build_head(target.url, headers, body) + body)
        status = await _read_status(reader)
    except (OSError, httptools.HttpParserError):
        status = None
    finally:
        # Closing politely would wait for a receiver that does not read.
        writer.transport.abort()
    return (status, None) if status is not None else (None, "reset")


def _build_head(url: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _read_status(reader: asyncio.StreamReader) -> int | None:
    reading = _Reading()
    while not reading.complete:
        chunk = await reader.read(CHUNK)
        if not chunk:
            # Without a length the end of the connection is the end of the answer.
            framed = reading.status is not None and reading.parser.should_keep_alive()
            return None if framed else reading.status
        reading.parser.feed_data(chunk)
    return reading.status
