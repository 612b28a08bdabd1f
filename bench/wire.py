"""
What the tap adds to a call, beside its peers.

One client, one kept-alive connection, one call at a time, in blocks that take turns between the paths, so that whatever
else the machine does meets them all. Peers: no hop at all, the embedded toxic engine without toxics, and toxiproxy-server
where the variable TOXIPROXY_SERVER or PATH has it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import statistics
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from harness.lab.tap import TapClient
from harness.wire.toxiproxy import ToxiproxyServer, ToxiproxyUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BLOCKS, CALLS = 40, 100
REQUEST = (
    b"PUT /services/rest/record/v1/salesOrder/eid:SHP-1 HTTP/1.1\r\nHost: bench\r\nContent-Length: 512\r\n\r\n"
    + b"x" * 512
)
ANSWER = b"HTTP/1.1 204 No Content\r\nX-Request-Id: 1\r\n\r\n"
READY_WITHIN_S = 20.0


class _Vendor(asyncio.Protocol):
    """Answers every whole request at once."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._pending = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pending += len(data)
        while self._transport is not None and self._pending >= len(REQUEST):
            self._pending -= len(REQUEST)
            self._transport.write(ANSWER)


async def main() -> None:
    """Measure and print a line a path."""
    async with AsyncExitStack() as opened:
        server = await asyncio.get_running_loop().create_server(_Vendor, "127.0.0.1", 0)
        opened.push_async_callback(_close, server)
        upstream = "{}:{}".format(*server.sockets[0].getsockname())
        paths = {"no hop": upstream}
        paths |= await opened.enter_async_context(_open_tap(upstream))
        paths |= await opened.enter_async_context(_open_toxiproxy(upstream))
        samples: dict[str, list[float]] = {name: [] for name in paths}
        connections = {name: await _connect(address) for name, address in paths.items()}
        for _ in range(BLOCKS):
            for name, connection in connections.items():
                samples[name] += await _call(*connection)
        for _, writer in connections.values():
            writer.close()
    _print(samples)


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[float]:
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        taken.append(time.perf_counter() - began)
    return taken


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = address.rsplit(":", 1)
    return await asyncio.open_connection(host, int(port))


@asynccontextmanager
async def _open_tap(upstream: str) -> AsyncIterator[dict[str, str]]:
    """Start the tap with one listener, and its toxic engine with one proxy."""
    token = secrets.token_hex(8)
    flags = ["--control-port", "0", "--admin-port", "0", "--token", token]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "harness.wire", *flags, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            assert process.stdout is not None  # noqa: S101 - it was asked for above
            where = json.loads(await process.stdout.readline())
            async with TapClient(where["control_url"], token) as tap:
                listener = await tap.add_listener(
                    "erp", system="erp", direction="outbound", upstream=upstream, routes=[]
                )
            proxy = await ToxiproxyServer(where["url"]).create_proxy("bench", upstream)
        yield {"tap": listener["address"], "embedded engine": proxy.listen}
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _open_toxiproxy(upstream: str) -> AsyncIterator[dict[str, str]]:
    """Start the real server where there is one."""
    binary = os.environ.get("TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")
    if binary is None:
        print("toxiproxy-server is not on PATH: that peer is left out")
        yield {}
        return
    with socket.create_server(("127.0.0.1", 0)) as spot:
        port = spot.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        binary,
        "-host",
        "127.0.0.1",
        "-port",
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        server = ToxiproxyServer(f"http://127.0.0.1:{port}")
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                try:
                    proxy = await server.create_proxy("bench", upstream)
                    break
                except ToxiproxyUnreachable:
                    await asyncio.sleep(0.05)  # it listens in a moment; it has no other sign of being ready
        yield {"toxiproxy-server": proxy.listen}
    finally:
        process.terminate()
        await process.wait()


async def _close(server: asyncio.Server) -> None:
    server.close()


def _print(samples: dict[str, list[float]]) -> None:
    peer = statistics.median(samples.get("toxiproxy-server") or samples["embedded engine"])
    print(f"{'path':<18}{'median':>10}{'p95':>10}   of the peer's median")
    for name, taken in samples.items():
        median, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(f"{name:<18}{median * 1e6:>7.0f} µs{p95 * 1e6:>7.0f} µs   {median / peer:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
