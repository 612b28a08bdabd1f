"""A register and a workbench of its own for every test."""

import json
import secrets
import sys
from collections import deque
from pathlib import Path

import pytest

from harness.lab.processes import Lifeline, Process, Program
from harness.lab.registry import register


@pytest.fixture
def anyio_backend():
    """Run asynchronous tests on asyncio only."""
    return "asyncio"


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder, and conductors of other labs out of it."""
    folder = tmp_path / "state"
    monkeypatch.setenv("HANDOFF_LAB_URL", "")
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def lines():
    """Give the shared last lines of a child."""
    return deque(maxlen=50)


class Bench:
    """Start Python one-liners as children of a registered lab."""

    def __init__(self, folder: Path) -> None:
        self.registration = register(f"bench-{secrets.token_hex(4)}", stack="none")
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.folder = folder
        self.lifeline = Lifeline()
        self.exits: list[tuple[str, int]] = []
        self.made: list[Process] = []

    def child(self, code: str, *, role: str = "child", **parts) -> Process:
        """Make a child that runs this code; it is not started."""
        program = Program(role, [sys.executable, "-c", code], self.folder, {}, **parts)
        process = Process(program, self.registration, self.logs, lifeline=self.lifeline, on_exit=self._note)
        self.made.append(process)
        return process

    def _note(self, process: Process, returncode: int) -> None:
        self.exits.append((process.role, returncode))


@pytest.fixture
async def bench(tmp_path, anyio_backend):
    """Give a bench; whatever it started is ended afterwards."""
    bench = Bench(tmp_path)
    yield bench
    for process in bench.made:
        await process.kill()
    bench.lifeline.close()
    bench.registration.close()


@pytest.fixture
def read_entry(state_dir):
    """Read what is on disk about a lab."""
    return lambda lab: json.loads((state_dir / "labs" / f"{lab}.json").read_text())
