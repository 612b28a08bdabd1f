"""The embedded engine beside the real toxiproxy-server: the same calls, the same bytes, order and ends, for client and upstream.

The server is looked for in TOXIPROXY_SERVER and as `toxiproxy-server` on PATH.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess

import pytest

from harness.wire.toxiproxy import Toxic, ToxiproxyServer, ToxiproxyUnreachable
from wire.stands import Client, Origin, reset, run, unused_address

SERVER = os.environ.get("TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")
SILENCE_S = 0.25
DATA = bytes(range(256)) * 20

pytestmark = pytest.mark.skipif(
    SERVER is None, reason="no toxiproxy-server on PATH and none named by TOXIPROXY_SERVER: nothing to compare with"
)


@pytest.fixture(scope="module")
def real():
    """Run the real server."""
    host, _, port = unused_address().rpartition(":")
    with subprocess.Popen(
        [SERVER, "-host", host, "-port", port], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"http://{host}:{port}"

        async def ready():
            while True:
                with contextlib.suppress(ToxiproxyUnreachable):
                    return await ToxiproxyServer(url).version()
                await asyncio.sleep(0.02)

        try:
            run(ready)
            yield url
        finally:
            process.kill()


class Witness:
    """An upstream that keeps what it got and how its connection ended."""

    def __init__(self, answer, behave):
        self.answer, self.behave = answer, behave
        self.end = "none"
        self.ended = asyncio.Event()

    async def play(self, reader, writer, _):
        """Send every byte back, or behave otherwise, until the end."""
        self.end = "open"
        try:
            while data := await reader.read(65536):
                if self.behave == "reset":
                    reset(writer)
                    return
                if self.behave == "silent":
                    continue
                writer.write(data if self.answer is None else self.answer)
                if self.behave == "close":
                    return
            self.end = "closed"
        except ConnectionError:
            self.end = "reset"
        finally:
            self.ended.set()


async def collect(client, size):
    """Read until so many bytes, the end, or a silence."""
    got = b""
    try:
        while len(got) < size:
            piece = await asyncio.wait_for(client.reader.read(65536), SILENCE_S)
            if not piece:
                return got, "closed"
            got += piece
    except TimeoutError:
        return got, "silence"
    except ConnectionResetError:
        return got, "reset"
    return got, "open"


async def observe(url, toxics, *, behave="echo", answer=None, half_close=False, live=None):
    """Send the data through a proxy with these toxics; return what client and upstream saw."""
    server = ToxiproxyServer(url)
    witness = Witness(answer, behave)
    async with Origin(witness.play) as origin:
        upstream = unused_address() if behave == "refuse" else origin.address
        proxy = await server.create_proxy("p", upstream)
        try:
            for toxic in toxics:
                await server.add_toxic("p", toxic)
            client = await Client.connect(proxy.listen)
            if live is not None:
                client.writer.write(b"warm")
                await client.reader.readexactly(4)
                await live(server)
            if behave != "refuse":
                client.writer.write(DATA)
            if half_close:
                client.writer.write_eof()
            # One byte more than can come: what follows the answer is part of what is seen.
            seen = await collect(client, 2 * len(DATA) if answer is None else len(answer) + 1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(witness.ended.wait(), SILENCE_S)
            result = (*seen, b"".join(map(bytes, origin.received)), witness.end)
            await client.close()
        finally:
            await server.delete_proxy("p")
    return result


CASES = {
    "nothing": ([], {}),
    "half close": ([], {"half_close": True, "behave": "silent"}),
    "upstream closes": ([], {"behave": "close"}),
    "upstream resets": ([], {"behave": "reset"}),
    "upstream refuses": ([], {"behave": "refuse"}),
    "spared": ([Toxic("reset_peer", {"timeout": 0}, toxicity=0)], {}),
    "slicer then limit": (
        [Toxic("slicer", {"average_size": 50, "size_variation": 10}), Toxic("limit_data", {"bytes": 333})],
        {},
    ),
    "limit then slow close": ([Toxic("limit_data", {"bytes": 9}), Toxic("slow_close", {"delay": 40})], {}),
    "limit both ways": (
        [Toxic("limit_data", {"bytes": 700}, "upstream"), Toxic("limit_data", {"bytes": 300}, "downstream")],
        {},
    ),
    "answer beside a limit": ([Toxic("limit_data", {"bytes": 100})], {"answer": b"a" * 101, "behave": "close"}),
    "answer within a limit": ([Toxic("limit_data", {"bytes": 100})], {"answer": b"a" * 99, "behave": "close"}),
    "silent upstream and timeout": ([Toxic("timeout", {"timeout": 60})], {"behave": "silent"}),
}
for stream in ("upstream", "downstream"):
    for kind, attributes in [
        ("latency", {"latency": 30}),
        ("bandwidth", {"rate": 100}),
        ("bandwidth", {"rate": 0}),
        ("slow_close", {"delay": 50}),
        ("timeout", {"timeout": 60}),
        ("timeout", {"timeout": 0}),
        ("reset_peer", {"timeout": 0}),
        ("reset_peer", {"timeout": 60}),
        ("slicer", {"average_size": 64, "size_variation": 16, "delay": 10}),
        ("limit_data", {"bytes": 0}),
        ("limit_data", {"bytes": 1}),
        ("limit_data", {"bytes": len(DATA)}),
        ("limit_data", {"bytes": len(DATA) + 1}),
    ]:
        name = f"{kind} {'-'.join(map(str, attributes.values()))} {stream}"
        toxic = Toxic(kind, attributes, stream)
        # An answer that races with the proxy's own closing differs from run to run, with the real server too.
        answers = stream == "downstream" or kind != "limit_data" or attributes["bytes"] > len(DATA)
        CASES[name] = ([toxic], {} if answers else {"behave": "silent"})
        if stream == "upstream":
            CASES[f"{name}, half close"] = ([toxic], {"half_close": True, "behave": "silent"})
        else:
            CASES[f"{name}, upstream closes"] = ([toxic], {"behave": "close"})


@pytest.mark.parametrize("case", CASES)
def test_client_and_upstream_see_the_same_as_with_the_real_server(wire, real, case):
    """Bytes, order and the kind of end agree."""
    toxics, scene = CASES[case]

    async def compare():
        ours, theirs = await asyncio.gather(*(observe(url, toxics, **scene) for url in (wire.admin_url, real)))
        assert ours == theirs

    run(compare)


def live(*steps):
    """Build a change of toxics on an open connection."""

    async def change(server):
        for verb, *arguments in steps:
            await getattr(server, verb)("p", *arguments)

    return change


LIVE = {
    "latency added": ([], live(("add_toxic", Toxic("latency", {"latency": 20})))),
    "limit added": ([], live(("add_toxic", Toxic("limit_data", {"bytes": 10})))),
    "timeout added and removed": (
        [],
        live(("add_toxic", Toxic("timeout", {"timeout": 0})), ("remove_toxic", "timeout_downstream")),
    ),
    "bandwidth removed": (
        [Toxic("bandwidth", {"rate": 1})],
        live(("remove_toxic", "bandwidth_downstream")),
    ),
    "limit raised": (
        [Toxic("limit_data", {"bytes": 6})],
        live(("update_toxic", "limit_data_downstream", {"bytes": 20})),
    ),
    "limit removed": ([Toxic("limit_data", {"bytes": 6})], live(("remove_toxic", "limit_data_downstream"))),
}


@pytest.mark.parametrize("case", LIVE)
def test_a_change_on_an_open_connection_acts_as_with_the_real_server(wire, real, case):
    """Adding, updating and removing reach connections that are open."""
    toxics, change = LIVE[case]

    async def compare():
        ours, theirs = await asyncio.gather(*(observe(url, toxics, live=change) for url in (wire.admin_url, real)))
        assert ours == theirs

    run(compare)
