"""
Kept-alive connections to one server: what of HTTP/1.1 it takes to ask it for something small, and no more.

Whoever follows journals and asks an integration what it shows asks tens of thousands of times a run. A client for everything
spends more than a millisecond of the processor on a call, this one a tenth of that; on a machine with few cores the difference
is the harness's own weight.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

LINE_END, HEAD_END = b"\r\n", b"\r\n\r\n"
QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)
NO_CONTENT = frozenset({204, 304})
PORTS = MappingProxyType({"http": 80, "https": 443})


class Answer(NamedTuple):
    """One answer: its status, its headers by name in lower case, and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Tell whether the status is a 2xx."""
        return 200 <= self.status < 300


class Connections:
    """
    The connections to one server, as many as are in use at once; an idle one serves the next call.

    `headers` go with every call. A call raises OSError, EOFError or ValueError where no answer comes that can be read, and
    TimeoutError, which is an OSError, where it does not come in time.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(base_url)
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or PORTS[parts.scheme]
        self._path = parts.path.rstrip("/")
        fixed = {"Host": parts.netloc, **headers}
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._idle: list[_Connection] = []

    async def call(self, method: str, target: str, body: bytes | None = None, *, within_s: float) -> Answer:
        """
        Make one call.

        A GET whose connection turns out to have been closed since the call before it is made again, on a new one.
        """
        request = self._build(method, target, body)
        async with asyncio.timeout(within_s):
            idle = self._take()
            if idle is not None:
                try:
                    return await self._exchange(idle, request)
                except (ConnectionError, EOFError):
                    if method != "GET" or idle.answered:
                        raise
            return await self._exchange(await self._open(), request)

    async def aclose(self) -> None:
        """Close what is idle; calls under way close theirs when they end."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        await asyncio.gather(*(connection.wait_closed() for connection in idle))

    async def _exchange(self, connection: "_Connection", request: bytes) -> Answer:
        try:
            answer = await connection.exchange(request)
        except BaseException:
            # Also a call that is cancelled leaves its answer on the way: nobody else may read it for their own.
            connection.close()
            raise
        if connection.spent:
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def _build(self, method: str, target: str, body: bytes | None) -> bytes:
        told = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{method} {self._path}{target} HTTP/1.1\r\n{self._fixed}{told}\r\n".encode("latin-1") + (body or b"")

    def _take(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    async def _open(self) -> "_Connection":
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._secure or None)
        return _Connection(reader, writer)


class _Connection:
    """One connection; `answered` once an answer has begun, `spent` once it serves no further call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answered = False
        self.spent = False

    @property
    def usable(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def exchange(self, request: bytes) -> Answer:
        self.answered = False
        self._writer.write(request)
        self._acknowledge_at_once()
        first = await self._reader.readexactly(1)
        self.answered = True
        status, headers = 100, dict[str, str]()
        while status < 200:
            try:
                head = first + await self._reader.readuntil(HEAD_END)
            except asyncio.LimitOverrunError as error:
                raise ValueError("an answer without an end to its headers") from error
            (status, headers), first = _read_head(head), b""
            kept = headers.get("connection", "" if head.startswith(b"HTTP/1.1") else "close")
            self.spent = kept.lower() == "close"
        return Answer(status, headers, await self._read_body(status, headers))

    def _acknowledge_at_once(self) -> None:
        """
        Have the kernel acknowledge what comes without its usual delay, where it can be told (Linux), for this answer.

        A server that sends head and body apart, with Nagle's algorithm on, waits for the one to be acknowledged before it sends
        the other: 40 ms, an answer.
        """
        if QUICK is not None:
            with suppress(OSError):
                self._writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, QUICK, 1)

    async def _read_body(self, status: int, headers: Mapping[str, str]) -> bytes:
        if status in NO_CONTENT:
            return b""
        if "transfer-encoding" in headers:
            return b"".join([chunk async for chunk in self._read_chunks()])
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        self.spent = True
        return await self._reader.read()

    async def _read_chunks(self) -> AsyncIterator[bytes]:
        while size := int((await self._reader.readuntil(LINE_END)).partition(b";")[0], 16):
            yield (await self._reader.readexactly(size + len(LINE_END)))[:size]
        while await self._reader.readuntil(LINE_END) != LINE_END:
            pass  # trailers say nothing of the body

    def close(self) -> None:
        self._writer.close()

    async def wait_closed(self) -> None:
        with suppress(OSError):
            await self._writer.wait_closed()


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    coding = headers.get("transfer-encoding", "chunked")
    if coding.lower() != "chunked":
        raise ValueError(f"an answer in {coding}, which nobody asked for")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"an answer that begins with {first[:40]!r}")
    return int(rest[:3]), headers
