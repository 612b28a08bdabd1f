"""What the tests of the wire stand on: a tap in this process, upstreams that follow a script, clients that speak bytes."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

import uvloop

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from harness.wire.matching import Route
from harness.wire.tap import Tap
from harness.wire.toxics.proxies import Proxies
from harness.wire.values import Listener

LIMIT_S = 20
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
RST = struct.pack("ii", 1, 0)
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


def run(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene in a loop like the tap's, for a limited time."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scene()

    uvloop.run(limited())


class Origin:
    """An upstream that plays `script(reader, writer, n)` for its nth connection, and keeps what it read in `received`."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.received: list[bytearray] = []
        self._tasks: set[asyncio.Task] = set()
        self._accepted = asyncio.Event()

    async def connected(self) -> None:
        """Wait for the first connection."""
        await self._accepted.wait()

    @property
    def connections(self) -> int:
        """How many connections it has accepted."""
        return len(self.received)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received.append(bytearray())
        self._accepted.set()
        task = asyncio.ensure_future(self._play(Recorder(reader, self.received[-1]), writer, len(self.received)))
        self._tasks.add(task)

    async def _play(self, reader: "Recorder", writer: asyncio.StreamWriter, n: int) -> None:
        try:
            await self.script(reader, writer, n)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class Recorder:
    """A stream reader that keeps what it read."""

    def __init__(self, reader: asyncio.StreamReader, log: bytearray) -> None:
        self._reader, self._log = reader, log

    def __getattr__(self, name: str) -> Callable[..., Awaitable[bytes]]:
        async def reading(*args: object) -> bytes:
            data = await getattr(self._reader, name)(*args)
            self._log.extend(data)
            return data

        return reading


async def read_request(reader: Recorder) -> tuple[bytes, bytes]:
    """Read one request that has a content length or no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head, await reader.readexactly(length)


async def answer_ok(reader: Recorder, writer: asyncio.StreamWriter, _: int) -> None:
    """Answer every request with `ok`."""
    while True:
        await read_request(reader)
        writer.write(OK)


async def echo(reader: Recorder, writer: asyncio.StreamWriter, _: int) -> None:
    """Answer every request with its own body."""
    while True:
        _, body = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def ask_for_body(reader: Recorder, writer: asyncio.StreamWriter, _: int) -> None:
    """Answer a head by asking for its body of 4 bytes, and that with `ok`."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await reader.readexactly(4)
    writer.write(OK)
    await reader.read(1)


async def mirror(reader: Recorder, writer: asyncio.StreamWriter, _: int) -> None:
    """Send every byte back, until the end."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    writer.transport.abort()


class Stand:
    """A tap with one listener, `erp`."""

    def __init__(self, tap: Tap, listener: Listener) -> None:
        self.tap, self.listener = tap, listener

    def entries(self, kind: str = "exchange") -> list[dict]:
        """Return the journal's entries of a type."""
        return [entry for entry in self.tap.journal.entries() if entry["type"] == kind]

    async def exchanges(self, count: int) -> list[dict]:
        """Wait until so many exchanges are written."""
        return await self.written("exchange", count)

    async def written(self, kind: str, count: int) -> list[dict]:
        """Wait until so many entries of a type are written."""
        while len(found := self.entries(kind)) < count:
            await self.tap.journal.read(self.tap.journal.last, 5)
        return found

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator["Client"]:
        """Connect a client."""
        client = await Client.connect(self.listener.address)
        try:
            yield client
        finally:
            await client.close()


class Client:
    """A client of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, address: str) -> "Client":
        """Connect to host:port."""
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def post(self, path: str, body: bytes = b"", headers: bytes = b"") -> None:
        """Send a request."""
        self.writer.write(
            b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), headers, len(body), body)
        )

    async def answer(self) -> tuple[int, bytes]:
        """Read a response with a content length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return int(head.split()[1]), await self.reader.readexactly(length)

    async def ask(self, path: str, body: bytes = b"") -> int:
        """Send a request, return the answer's status."""
        self.post(path, body)
        return (await self.answer())[0]

    async def end(self) -> str:
        """Read to the end and say how it came: `closed` or `reset`, with what was read before it in `rest`."""
        self.rest = b""
        try:
            while data := await self.reader.read(65536):
                self.rest += data
        except ConnectionResetError:
            return "reset"
        return "closed"


@contextlib.asynccontextmanager
async def open_tap(upstream: str, *, routes: tuple[Route, ...] = (), **settings: object) -> AsyncIterator[Stand]:
    """Run a tap with one outbound listener in front of `upstream`."""
    tap = Tap(Journal(SystemClock(), epoch="test"))
    try:
        listener = await tap.add_listener(Listener("erp", "erp", "outbound", upstream, routes=routes, **settings))
        yield Stand(tap, listener)
    finally:
        tap.close()


@contextlib.asynccontextmanager
async def open_proxy(upstream: str) -> AsyncIterator["Engine"]:
    """Run a toxic engine with one proxy, `p`, in front of `upstream`."""
    proxies = Proxies()
    try:
        proxy = await proxies.create(json.dumps({"name": "p", "upstream": upstream}).encode())
        yield Engine(proxies, proxy.listen)
    finally:
        proxies.close()


class Engine:
    """A toxic engine with one proxy."""

    def __init__(self, proxies: Proxies, address: str) -> None:
        self.proxies, self.address = proxies, address

    def add(self, kind: str, stream: str = "downstream", *, toxicity: float = 1, **attributes: int) -> None:
        """Add a toxic named `t`."""
        body = {"name": "t", "type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        self.proxies.add_toxic("p", json.dumps(body).encode())

    def update(self, **attributes: int) -> None:
        """Change the toxic."""
        self.proxies.update_toxic("p", "t", json.dumps({"attributes": attributes}).encode())

    def remove(self) -> None:
        """Remove the toxic."""
        self.proxies.remove_toxic("p", "t")

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect a client through the proxy."""
        client = await Client.connect(self.address)
        try:
            yield client
        finally:
            await client.close()


def unused_address() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return "{}:{}".format(*sock.getsockname())
