"""
One scene, two engines: what client and upstream see through the embedded engine and through a real Toxiproxy server.

Both play at the same time and are looked at until they agree and have been quiet for a while, or do not come to agree: a
machine that is busy makes them slow, not different.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from harness.wire.toxiproxy import ToxiproxyServer
from wire.stands import Client, Origin, reset, unused_address

QUIET_S = 0.15
PATIENCE_S = 8.0
DATA = bytes(range(256)) * 20


def send(data):
    """Have the client send."""
    return lambda play: play.send(data)


def half_close():
    """Have the client say that it sends no more."""
    return lambda play: play.half_close()


def got(count):
    """Wait until the client has got so many bytes."""
    return lambda play: play.wait_got(count)


def reached(count):
    """Wait until so many bytes have reached the upstream, and the proxy holds whatever else was sent."""
    return lambda play: play.wait_reached(count)


def call(verb, *arguments, **more):
    """Have the operator call the admin API about the proxy."""
    return lambda play: getattr(play.server, verb)("p", *arguments, **more)


def reset_all():
    """Have the operator enable every proxy and remove every toxic."""
    return lambda play: play.server.reset()


@dataclass
class Seen:
    """What was seen so far: bytes and end at the client and at the upstream; `stuck` is a step that could not be made."""

    client: bytearray = field(default_factory=bytearray)
    client_end: str = "open"
    upstream: bytearray = field(default_factory=bytearray)
    upstream_end: str = "none"
    stuck: str = ""

    def told(self, loose):
        """
        Tell it in comparable form.

        Of the ends named in `loose` only that they came counts: whether a socket that is closed with unread bytes in it
        resets is a race between sender and proxy, with the real server too. A reset may also overtake bytes on their way.
        """
        ends = {"client": self.client_end, "upstream": self.upstream_end}
        for side in loose:
            ends[side] = "ended" if ends[side] in {"closed", "reset"} else ends[side]
        told = {side: (bytes(getattr(self, side)), end) for side, end in ends.items()}
        return {side: (None if end == "reset" else data, end) for side, (data, end) in told.items()}, self.stuck


@dataclass(frozen=True)
class Scene:
    """
    Toxics, what the upstream does with what it gets, and the steps of client and operator.

    `upstream`: `echo`, `silent`, `close` (echo once, then close), `reset`, `refuse`, or bytes it answers the first data with and
    then waits; with `hangs_up` it closes after them.
    """

    toxics: tuple = ()
    upstream: object = "echo"
    steps: tuple = (send(DATA),)
    hangs_up: bool = False
    loose: frozenset = frozenset()


class Play:
    """One scene on one engine."""

    def __init__(self, url, scene, news):
        self.seen = Seen()
        self.server = ToxiproxyServer(url)
        self._scene = scene
        self._news = news
        self._client = None
        self._upstream_writer = None

    @contextlib.asynccontextmanager
    async def set_up(self):
        """Make upstream, proxy and toxics; in the end take all of it away."""
        async with Origin(self._be_upstream) as origin:
            address = unused_address() if self._scene.upstream == "refuse" else origin.address
            proxy = await self.server.create_proxy("p", address)
            try:
                for toxic in self._scene.toxics:
                    await self.server.add_toxic("p", toxic)
                self._address = proxy.listen
                yield
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)
                await self._client.close()
            finally:
                await self.server.delete_proxy("p")

    async def perform(self):
        """Connect and make the steps, one after another; one that takes too long is noted, and ends them."""
        self._client = await Client.connect(self._address)
        self._reading = asyncio.create_task(self._read())
        for number, step in enumerate(self._scene.steps, 1):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await step(self)
            except TimeoutError:
                self.seen.stuck = f"step {number}"
                return

    async def send(self, data):
        """Have the client send."""
        self._client.writer.write(data)

    async def half_close(self):
        """Have the client say that it sends no more."""
        with contextlib.suppress(OSError):  # the connection may have ended already
            self._client.writer.write_eof()

    async def wait_got(self, count):
        """Wait until the client has got so many bytes."""
        while len(self.seen.client) < count:
            await self._next_news()

    async def wait_reached(self, count):
        """Wait until so many bytes have reached the upstream, and whatever was sent has been read by the proxy."""
        while len(self.seen.upstream) < count:
            await self._next_news()
        sockets = [self._client.writer, self._upstream_writer]
        ends = [(each.get_extra_info("sockname")[1], each.get_extra_info("peername")[1]) for each in sockets]
        while any(read_queued(*end) for end in ends):  # noqa: ASYNC110 - the kernel tells nobody; this only spaces the questions
            await asyncio.sleep(0.002)

    async def _next_news(self):
        self._news.clear()
        await self._news.wait()

    async def _read(self):
        try:
            while data := await self._client.reader.read(65536):
                self.seen.client += data
                self._news.set()
            self.seen.client_end = "closed"
        except ConnectionResetError:
            self.seen.client_end = "reset"
        self._news.set()

    async def _be_upstream(self, reader, writer, _):
        self._upstream_writer = writer
        self.seen.upstream_end = "open"
        self._news.set()
        try:
            while data := await reader.read(65536):
                self.seen.upstream += data
                self._news.set()
                if await self._react(writer, data):
                    return
            self.seen.upstream_end = "closed"
        except ConnectionError:
            self.seen.upstream_end = "reset"
        finally:
            self._news.set()

    async def _react(self, writer, data):
        """Do what the upstream does with data; tell whether it hangs up."""
        match self._scene.upstream:
            case "echo" | "close":
                writer.write(data)
            case "reset":
                reset(writer)
            case bytes(answer) if len(self.seen.upstream) == len(data):
                writer.write(answer)
        return self._scene.upstream in {"close", "reset"} or self._scene.hangs_up


async def compare(urls, scene):
    """Play a scene on both engines at once; return what was seen with each, once they agree or will not."""
    news = asyncio.Event()
    async with contextlib.AsyncExitStack() as opened:
        plays = [Play(url, scene, news) for url in urls]
        for play in plays:
            await opened.enter_async_context(play.set_up())
        await asyncio.gather(*(play.perform() for play in plays))
        quiet_s = 0.0
        while quiet_s < PATIENCE_S:
            told = [play.seen.told(scene.loose) for play in plays]
            if quiet_s and told[0] == told[1]:
                break
            news.clear()
            try:
                await asyncio.wait_for(news.wait(), QUIET_S)
                quiet_s = 0.0
            except TimeoutError:
                quiet_s += QUIET_S
        return [play.seen.told(scene.loose) for play in plays]


def read_queued(port, peer):
    """Read how many bytes are queued in the kernel from a loopback socket at `port` to the one at `peer` and not yet read there."""
    queued = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ours, theirs = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
        sending, receiving = (int(size, 16) for size in fields[4].split(":"))
        if (ours, theirs) == (port, peer):
            queued += sending
        elif (ours, theirs) == (peer, port):
            queued += receiving
    return queued
