"""The hops that are compared, each a process of its own: the tap with the embedded engine, and toxiproxy-server."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from bench.calls import ROUTES
from harness.lab.tap import TapClient
from harness.lab.tools import find_toxiproxy
from harness.wire.toxiproxy import ToxiproxyServer, ToxiproxyUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

TAP, ENGINE, TOXIPROXY = "tap", "embedded engine", "toxiproxy-server"
READY_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Hop:
    """Something between client and vendor: where it listens, and its process."""

    name: str
    address: str
    process: psutil.Process

    def used_s(self) -> float:
        """Return the processor time it has used, in seconds."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def open_vendor(cores: set[int]) -> Iterator[str]:
    """Start the vendor and yield its address."""
    command = [sys.executable, "-m", "bench.vendor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, cores)
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for above
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def _open_follower(control_url: str, token: str) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", "bench.follower", control_url, token]) as process:
        try:
            yield
        finally:
            process.kill()


@asynccontextmanager
async def open_tap(vendor: str, cores: set[int]) -> AsyncIterator[list[Hop]]:
    """Start the tap with one listener, and its engine with one proxy; its journal is read all the while, as a run reads it."""
    token = secrets.token_hex(8)
    flags = ["--control-port", "0", "--admin-port", "0", "--token", token]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "harness.wire", *flags),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            assert process.stdout is not None  # noqa: S101 - it was asked for above
            where = json.loads(await process.stdout.readline())
        async with TapClient(where["control_url"], token) as tap:
            listener = await tap.add_listener("erp", system="erp", direction="outbound", upstream=vendor, routes=ROUTES)
            proxy = await ToxiproxyServer(where["url"]).create_proxy("bench", vendor)
            running = psutil.Process(process.pid)
            with _open_follower(where["control_url"], token):
                yield [Hop(TAP, listener["address"], running), Hop(ENGINE, proxy.listen, running)]
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def open_toxiproxy(vendor: str, cores: set[int]) -> AsyncIterator[list[Hop]]:
    """Start the real server with one proxy, where there is one."""
    binary = os.environ.get("TOXIPROXY_SERVER") or find_toxiproxy()
    if binary is None:
        yield []
        return
    with socket.create_server(("127.0.0.1", 0)) as spot:
        port = spot.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        binary,
        *("-host", "127.0.0.1", "-port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "GOMAXPROCS": str(len(cores))},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        server = ToxiproxyServer(f"http://127.0.0.1:{port}")
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                try:
                    proxy = await server.create_proxy("bench", vendor)
                    break
                except ToxiproxyUnreachable:
                    await asyncio.sleep(0.05)  # it listens in a moment; it has no other sign of being ready
        yield [Hop(TOXIPROXY, proxy.listen, psutil.Process(process.pid))]
    finally:
        process.terminate()
        await process.wait()
