"""One tap process for the tests that only talk to its ports, and a real Toxiproxy server beside it."""

import asyncio
import contextlib
import subprocess

import pytest

from harness.wire.toxiproxy import ToxiproxyServer, ToxiproxyUnreachable
from tests.programs import TOXIPROXY
from wire.process import start
from wire.stands import run, unused_address


@pytest.fixture(scope="session")
def wire():
    """Run the tap process."""
    with start() as process:
        yield process


@pytest.fixture(scope="session")
def real():
    """Run a real Toxiproxy server; give the URL of its admin API."""
    host, _, port = unused_address().rpartition(":")
    command = [TOXIPROXY, "-host", host, "-port", port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://{host}:{port}"

        async def ready():
            while True:
                with contextlib.suppress(ToxiproxyUnreachable):
                    await ToxiproxyServer(url).version()
                    return
                await asyncio.sleep(0.02)  # this only spaces the questions

        try:
            run(ready)
            yield url
        finally:
            process.kill()
