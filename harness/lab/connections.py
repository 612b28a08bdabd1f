"""
Kept-alive connections to one control plane: HTTP/1.1 as our own servers answer it, and no more of it.

Whoever follows journals asks tens of thousands of times a run. A client for any server spends more than a millisecond of the
processor on a call, this one a tenth of that; on a machine with few cores the difference is the harness's own weight.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
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
        if answer.headers.get("connection", "").lower() == "close":
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
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answered = False

    @property
    def usable(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def exchange(self, request: bytes) -> Answer:
        self.answered = False
        self._writer.write(request)
        first = await self._reader.readexactly(1)
        self.answered = True
        try:
            head = first + await self._reader.readuntil(HEAD_END)
        except asyncio.LimitOverrunError as error:
            raise ValueError("an answer without an end to its headers") from error
        status, headers = _read_head(head)
        length = int(headers["content-length"]) if "content-length" in headers else 0
        return Answer(status, headers, await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()

    async def wait_closed(self) -> None:
        with suppress(OSError):
            await self._writer.wait_closed()


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "transfer-encoding" in headers:
        raise ValueError(f"an answer in {headers['transfer-encoding']}, which no control plane sends")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"an answer that begins with {first[:40]!r}")
    return int(rest[:3]), headers
