"""Each toxic: what it does to the bytes, and to connections that are open when it comes, changes or goes."""

import asyncio
import time
from random import Random

import pytest

from harness.wire.toxics.slicer import Slicer
from wire.stands import Client, Origin, mirror, open_proxy, read_request, reset, run, unused_address

STREAMS = ["upstream", "downstream"]
BIG = bytes(range(256)) * 400


async def through(engine, data=b"hello", *, within_s=5.0):
    """Send bytes over a fresh connection and return what comes back before the end or the time is up, and the end."""
    async with engine.client() as client:
        client.writer.write(data)
        got = b""
        try:
            async with asyncio.timeout(within_s):
                while len(got) < len(data):
                    piece = await client.reader.read(65536)
                    if not piece:
                        return got, "closed"
                    got += piece
        except ConnectionResetError:
            return got, "reset"
        except TimeoutError:
            return got, "silence"
        return got, "whole"


def played(scene, script=mirror):
    """Play a scene with an engine in front of an upstream."""

    async def whole():
        async with Origin(script) as origin, open_proxy(origin.address) as engine:
            await scene(engine, origin)

    run(whole)


@pytest.mark.parametrize("stream", STREAMS)
def test_latency_delays_and_keeps_order(stream):
    """Bytes come whole, in order, no earlier than the latency."""

    async def scene(engine, _):
        engine.add("latency", stream, latency=60)
        began = time.monotonic()
        assert await through(engine, BIG) == (BIG, "whole")
        assert time.monotonic() - began >= 0.06

    played(scene)


def test_latency_with_jitter_keeps_order():
    """Chunks delayed by different times do not overtake one another."""

    async def scene(engine, _):
        engine.add("latency", latency=5, jitter=5)
        async with engine.client() as client:
            for n in range(50):
                client.writer.write(b"%02d" % n)
                await asyncio.sleep(0)
            assert await client.reader.readexactly(100) == b"".join(b"%02d" % n for n in range(50))

    played(scene)


def test_latency_counts_from_arrival_not_from_its_turn():
    """Chunks that arrive together are all due together, not one after another."""

    async def scene(engine, _):
        engine.add("latency", latency=50)
        async with engine.client() as client:
            began = time.monotonic()
            for _ in range(100):
                client.writer.write(b"x")
                await asyncio.sleep(0.0001)
            await client.reader.readexactly(100)
            assert time.monotonic() - began < 100 * 0.05

    played(scene)


@pytest.mark.parametrize("stream", STREAMS)
def test_bandwidth_takes_its_time(stream):
    """A rate of R KB a second needs the size by R ms, and loses nothing."""

    async def scene(engine, _):
        engine.add("bandwidth", stream, rate=500)
        began = time.monotonic()
        assert await through(engine, BIG) == (BIG, "whole")
        assert time.monotonic() - began >= len(BIG) / 500_000 * 0.95

    played(scene)


def test_a_bandwidth_of_zero_lets_nothing_through_until_it_changes():
    """The held bytes come when the rate is raised on the open connection."""

    async def scene(engine, _):
        engine.add("bandwidth", rate=0)
        async with engine.client() as client:
            client.writer.write(b"hello")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.read(1), 0.05)
            engine.update(rate=1000)
            assert await client.reader.readexactly(5) == b"hello"

    played(scene)


@pytest.mark.parametrize("stream", STREAMS)
def test_slow_close_passes_data_at_once_and_the_end_late(stream):
    """The connection stays open for the delay after its end."""

    async def scene(engine, _):
        engine.add("slow_close", stream, delay=80)
        async with engine.client() as client:
            client.writer.write(b"bye")
            assert await client.reader.readexactly(3) == b"bye"
            began = time.monotonic()
            client.writer.write_eof()
            assert await client.end() == "closed"
            assert time.monotonic() - began >= 0.08

    played(scene)


@pytest.mark.parametrize("stream", STREAMS)
def test_timeout_swallows_data_and_closes(stream):
    """Nothing comes back, and after the time the connection closes."""

    async def scene(engine, _):
        engine.add("timeout", stream, timeout=60)
        began = time.monotonic()
        assert await through(engine) == (b"", "closed")
        assert time.monotonic() - began >= 0.06

    played(scene)


def test_a_timeout_of_zero_stays_silent_and_its_removal_closes():
    """The connection hangs until the toxic goes, then it is closed."""

    async def scene(engine, _):
        engine.add("timeout", timeout=0)
        async with engine.client() as client:
            client.writer.write(b"hello")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.read(1), 0.1)
            engine.remove()
            assert await client.end() == "closed"

    played(scene)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("timeout", [0, 40])
def test_reset_peer_resets_both_sides(stream, timeout):
    """Client and upstream see a real reset."""
    seen = asyncio.Event()

    async def watching(reader, writer, n):
        try:
            await mirror(reader, writer, n)
        except ConnectionResetError:
            seen.set()
            raise

    async def scene(engine, _):
        engine.add("reset_peer", stream, timeout=timeout)
        assert await through(engine) == (b"", "reset")
        await seen.wait()

    played(scene, watching)


def test_reset_peer_ends_politely_what_was_open_already():
    """As with Toxiproxy, only connections made while the toxic is there end in resets."""

    async def scene(engine, _):
        async with engine.client() as client:
            client.writer.write(b"a")
            await client.reader.readexactly(1)
            engine.add("reset_peer")
            client.writer.write(b"b")
            assert await client.end() == "closed"

    played(scene)


@pytest.mark.parametrize("stream", STREAMS)
def test_slicer_cuts_and_loses_nothing(stream):
    """The bytes come whole and in order, in more pieces."""
    pieces = []

    async def counting(reader, writer, _):
        while data := await reader.read(65536):
            pieces.append(data)
            writer.write(data)

    async def scene(engine, _):
        engine.add("slicer", stream, average_size=10, size_variation=3, delay=200)
        data = BIG[:300]
        assert await through(engine, data) == (data, "whole")
        if stream == "upstream":
            assert len(pieces) > 5

    played(scene, counting)


@pytest.mark.parametrize(("average", "variation"), [(1, 0), (0, 0), (10, 3), (10, 50), (1000, 10)])
def test_slices_cover_the_data_exactly(average, variation):
    """Pieces follow one another without gap, none larger than average and variation allow."""
    random = Random(7)  # noqa: S311 - sizes only
    pieces = list(Slicer(average, variation).cuts(0, 500, random))
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
    assert pieces[-1][1] == 500
    assert all(0 < end - start <= max(1, average + variation) for start, end in pieces)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("limit", [0, 3, 5])
def test_limit_data_closes_after_so_many_bytes(stream, limit):
    """Exactly the first bytes pass, then the connection closes."""

    async def scene(engine, origin):
        engine.add("limit_data", stream, bytes=limit)
        got, end = await through(engine, b"hello world")
        assert end in ("closed", "reset")
        if stream == "downstream":
            assert (got, end) == (b"hello"[:limit], "closed")
        else:
            assert bytes(origin.received[0]) == b"hello"[:limit]

    played(scene)


def test_limit_data_counts_on_when_the_limit_changes():
    """A raised limit counts what had passed before."""

    async def scene(engine, _):
        engine.add("limit_data", bytes=100)
        async with engine.client() as client:
            client.writer.write(b"x" * 60)
            await client.reader.readexactly(60)
            engine.update(bytes=70)
            client.writer.write(b"y" * 60)
            assert await client.end() == "closed"
            assert client.rest == b"y" * 10

    played(scene)


def test_a_toxicity_of_zero_spares_everyone():
    """The toxic is there and touches nothing."""

    async def scene(engine, _):
        engine.add("reset_peer", toxicity=0)
        assert await through(engine) == (b"hello", "whole")

    played(scene)


def test_toxics_come_and_go_on_a_live_connection_without_losing_a_byte():
    """Adding, changing and removing under load keeps every byte in order."""

    async def scene(engine, _):
        async with engine.client() as client:
            sent = bytearray()

            async def send():
                for n in range(400):
                    client.writer.write(b"%06d" % n)
                    sent.extend(b"%06d" % n)
                    await client.writer.drain()
                    await asyncio.sleep(0.0005)

            async def churn():
                for n in range(15):
                    kind, attributes = [
                        ("latency", {"latency": 10, "jitter": 3}),
                        ("slicer", {"average_size": 2, "delay": 50}),
                        ("bandwidth", {"rate": 50}),
                    ][n % 3]
                    engine.add(kind, STREAMS[n % 2], **attributes)
                    await asyncio.sleep(0.006)
                    engine.update(**attributes)
                    await asyncio.sleep(0.006)
                    engine.remove()

            _, _, got = await asyncio.gather(send(), churn(), client.reader.readexactly(2400))
            assert got == sent

    played(scene)


def test_several_toxics_act_one_after_another():
    """A limit behind a slicer still counts bytes, and both streams have their own."""

    async def scene(engine, _):
        engine.add("latency", "upstream", latency=30)
        engine.proxies.add_toxic("p", b'{"type":"slicer","attributes":{"average_size":2}}')
        engine.proxies.add_toxic("p", b'{"type":"limit_data","attributes":{"bytes":7}}')
        began = time.monotonic()
        assert await through(engine, b"hello world") == (b"hello w", "closed")
        assert time.monotonic() - began >= 0.03

    played(scene)


def test_down_refuses_and_drops_and_up_serves_again():
    """A disabled proxy drops its connections and refuses new ones; enabled it listens at the same address."""

    async def scene(engine, _):
        async with engine.client() as client:
            client.writer.write(b"a")
            await client.reader.readexactly(1)
            await engine.proxies.update("p", b'{"enabled":false}')
            assert await client.end() in ("closed", "reset")
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(engine.address)
        await engine.proxies.update("p", b'{"enabled":true}')
        assert await through(engine) == (b"hello", "whole")

    played(scene)


def test_an_upstream_that_refuses_closes_the_client():
    """Where nobody listens behind the proxy the client is disconnected."""

    async def scene():
        async with open_proxy(unused_address()) as engine, engine.client() as client:
            assert await client.end() in ("closed", "reset")

    run(scene)


def test_an_upstreams_reset_reaches_the_client_as_an_end():
    """Without a toxic that resets, the proxy ends connections politely, as Toxiproxy does."""

    async def resetting(reader, writer, _):
        await reader.read(1)
        reset(writer)

    async def scene(engine, _):
        assert await through(engine) == (b"", "closed")

    played(scene, resetting)


def test_a_slow_reader_holds_the_sender_back_and_gets_everything():
    """Twenty megabytes pass a proxy with a toxic, whoever is slow."""

    async def pouring(reader, writer, _):
        await read_request(reader)
        for _ in range(320):
            writer.write(bytes(65536))
            await writer.drain()

    async def scene(engine, _):
        engine.add("latency", latency=1)
        async with engine.client() as client:
            client.post("/")
            total = 0
            while piece := await client.reader.read(100_000):
                total += len(piece)
            assert total == 320 * 65536

    played(scene, pouring)


def test_connections_leave_nothing_behind():
    """When both sides are gone no task of the connection is left."""

    async def scene(engine, _):
        for kind in ("latency", "timeout", "slow_close", "limit_data"):
            engine.add(kind)
            async with engine.client() as client:
                client.writer.write(b"x")
                await client.writer.drain()
            engine.remove()
        proxy = engine.proxies.get("p")
        while proxy.sessions:  # noqa: ASYNC110 - the engine has no event for this
            await asyncio.sleep(0.001)
        names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
        assert not {name for name in names if name.startswith("Stage")}

    played(scene)
