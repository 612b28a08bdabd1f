"""
How long bytes and ends take through the embedded engine, as a ratio to a real Toxiproxy server.

Both are measured side by side, turn by turn, so that a busy machine slows both; medians and shapes are compared, never times.
"""

import itertools
import statistics
import time

import pytest

from harness.wire.toxiproxy import Toxic, ToxiproxyServer
from tests.programs import needs_toxiproxy
from wire.stands import Client, Origin, run

pytestmark = needs_toxiproxy
TURNS = 7
# How far apart the medians of two engines may be that take the same time by their configuration.
FACTOR = 1.7
BODY = b"b" * 24_000


async def time_echo(client):
    """Time how long a few bytes take there and back."""
    began = time.monotonic()
    client.writer.write(b"ping")
    await client.reader.readexactly(4)
    return [time.monotonic() - began]


async def time_end(client):
    """Time how long it takes from the last thing sent to the end of the connection."""
    began = time.monotonic()
    client.writer.write(b"ping")
    await client.end()
    return [time.monotonic() - began]


async def time_bytes(client):
    """Time when each tenth of a body has come back."""
    began = time.monotonic()
    client.writer.write(BODY)
    times, got = [], 0
    for tenth in range(1, 11):
        while got < tenth * len(BODY) // 10:
            got += len(await client.reader.read(65536))
        times.append(time.monotonic() - began)
    return times


async def echo(reader, writer, _):
    """Send every byte back."""
    while data := await reader.read(65536):
        writer.write(data)


async def hang_up(reader, writer, _):
    """Answer once and close."""
    await reader.read(65536)
    writer.write(b"bye")


async def keep_silent(reader, writer, _):
    """Read and never answer."""
    while await reader.read(65536):
        continue


async def measure(urls, toxics, script, timing, *, turns=TURNS):
    """Measure both engines in turns, each turn on a connection of its own; return a list of timings an engine."""
    measured = [[] for _ in urls]
    async with Origin(script) as origin:
        servers = [ToxiproxyServer(url) for url in urls]
        proxies = [await server.create_proxy("p", origin.address) for server in servers]
        try:
            for server, toxic in itertools.product(servers, toxics):
                await server.add_toxic("p", toxic)
            for turn, place in itertools.product(range(turns), range(len(urls))):
                client = await Client.connect(proxies[place].listen)
                timings = await timing(client)
                await client.close()
                if turn:  # the first only warms up
                    measured[place].append(timings)
        finally:
            for server in servers:
                await server.delete_proxy("p")
    return measured


CASES = {
    "latency downstream": ((Toxic("latency", {"latency": 60}),), echo, time_echo),
    "latency upstream": ((Toxic("latency", {"latency": 60}, "upstream"),), echo, time_echo),
    "latency both ways": (
        (Toxic("latency", {"latency": 40}), Toxic("latency", {"latency": 40}, "upstream")),
        echo,
        time_echo,
    ),
    "latency twice": (
        (Toxic("latency", {"latency": 40}, name="a"), Toxic("latency", {"latency": 40}, name="b")),
        echo,
        time_echo,
    ),
    "latency of a large body": ((Toxic("latency", {"latency": 80}),), echo, time_bytes),
    "bandwidth downstream": ((Toxic("bandwidth", {"rate": 100}),), echo, time_bytes),
    "bandwidth upstream": ((Toxic("bandwidth", {"rate": 100}, "upstream"),), echo, time_bytes),
    "bandwidth by whole slices": ((Toxic("bandwidth", {"rate": 40}),), echo, time_bytes),
    "bandwidth then latency": (
        (Toxic("bandwidth", {"rate": 150}), Toxic("latency", {"latency": 100})),
        echo,
        time_bytes,
    ),
    "latency then bandwidth": (
        (Toxic("latency", {"latency": 100}), Toxic("bandwidth", {"rate": 150})),
        echo,
        time_bytes,
    ),
    "slicer": ((Toxic("slicer", {"average_size": 1_000, "delay": 10_000}),), echo, time_bytes),
    "slicer with spread": (
        (Toxic("slicer", {"average_size": 1_000, "size_variation": 400, "delay": 10_000}),),
        echo,
        time_bytes,
    ),
    "slicer then latency": (
        (Toxic("slicer", {"average_size": 4_000, "delay": 20_000}), Toxic("latency", {"latency": 60})),
        echo,
        time_bytes,
    ),
    "timeout": ((Toxic("timeout", {"timeout": 120}),), echo, time_end),
    "timeout upstream": ((Toxic("timeout", {"timeout": 120}, "upstream"),), echo, time_end),
    "timeout, nothing to drop": ((Toxic("timeout", {"timeout": 120}),), keep_silent, time_end),
    "slow close": ((Toxic("slow_close", {"delay": 120}),), hang_up, time_end),
    "slow close after latency": (
        (Toxic("latency", {"latency": 60}), Toxic("slow_close", {"delay": 60})),
        hang_up,
        time_end,
    ),
    "reset peer": ((Toxic("reset_peer", {"timeout": 120}),), echo, time_end),
    "reset peer upstream": ((Toxic("reset_peer", {"timeout": 120}, "upstream"),), echo, time_end),
}


@pytest.mark.parametrize("case", CASES)
def test_bytes_and_ends_take_as_long_as_with_the_real_server(wire, real, case):
    """The medians differ by less than a factor, and a body comes in along the same curve."""

    async def scene():
        ours, theirs = await measure((wire.admin_url, real), *CASES[case])
        for mine, other in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
            ratio = statistics.median(mine) / statistics.median(other)
            assert 1 / FACTOR < ratio < FACTOR, (statistics.median(mine), statistics.median(other))

    run(scene)


def test_jitter_spreads_as_with_the_real_server(wire, real):
    """Median and spread of many round trips agree, and so do their extremes: none is shorter than latency less jitter."""
    toxics = (Toxic("latency", {"latency": 50, "jitter": 40}),)

    async def time_echoes(client):
        return [(await time_echo(client))[0] for _ in range(8)]

    async def scene():
        measured = await measure((wire.admin_url, real), toxics, echo, time_echoes)
        ours, theirs = (sorted(itertools.chain(*timings)) for timings in measured)
        assert 1 / FACTOR < statistics.median(ours) / statistics.median(theirs) < FACTOR
        spread = [timings[-len(timings) // 10] - timings[len(timings) // 10] for timings in (ours, theirs)]
        assert 1 / 3 < spread[0] / spread[1] < 3
        assert min(ours[0], theirs[0]) >= 0.010

    run(scene)
