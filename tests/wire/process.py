"""The tap as a process of its own."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from harness.lab.tap import TapClient

TOKEN = "token-of-the-tests"


class Process:
    """A running `python -m harness.wire`."""

    def __init__(self, popen: subprocess.Popen, line: dict) -> None:
        self.popen = popen
        self.line = line
        self.control_url = line["control_url"]
        self.admin_url = line["url"]


@contextlib.contextmanager
def start(*options: str, **popen: object) -> Iterator[Process]:
    """Start the process, wait for its line, end it afterwards."""
    command = [sys.executable, "-m", "harness.wire", "--token", TOKEN, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **popen) as process:
        try:
            yield Process(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


async def listen(tap: TapClient, name: str, upstream: str, *, fd: int | None = None) -> dict[str, Any]:
    """Open an outbound listener without routes; return it with its address."""
    return await tap.add_listener(name, system="erp", direction="outbound", upstream=upstream, routes=[], fd=fd)
