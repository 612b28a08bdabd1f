"""Real fakes on loopback for tests: one process each, put back to the start before every test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "control-token-for-tests"


@dataclass
class RunningFake:
    """A fake in a process of its own, with a client for each of its ports."""

    process: subprocess.Popen[bytes]
    address: dict[str, str]
    client: httpx2.Client = field(init=False)
    control: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.Client(base_url=self.url, timeout=20)
        self.control = httpx2.Client(
            base_url=self.address["control_url"], headers={"Authorization": f"Bearer {TOKEN}"}, timeout=40
        )

    @property
    def url(self) -> str:
        return self.address["url"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def reset(self) -> None:
        assert self.control.post("/reset").json() == {"reset": True}

    def seed(self, **body: Any) -> dict[str, Any]:
        return self._ok(self.control.post("/seed", json=body))

    def arm(self, kind: str, *, id: str = "f1", **fault: Any) -> dict[str, Any]:
        return self._ok(self.control.post("/faults", json={"id": id, "kind": kind, **fault}))

    def lift(self, fault_id: str = "f1") -> dict[str, Any]:
        return self._ok(self.control.delete(f"/faults/{fault_id}"))

    def act(self, verb: str, **params: Any) -> dict[str, Any]:
        return self._ok(self.control.post(f"/act/{verb}", json=params))

    def state(self, collection: str) -> list[dict[str, Any]]:
        return self._ok(self.control.get(f"/state/{collection}"))["records"]

    def journal(self, type: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        lines = self.control.get("/journal", params={"after": after}).text.splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if type in (None, entry["type"])]

    def wait_for(
        self, found: Callable[[dict[str, Any]], bool], *, count: int = 1, timeout_s: float = 30
    ) -> list[dict[str, Any]]:
        """Poll long until ``count`` entries fit, and return them."""
        deadline, after, fitting = time.monotonic() + timeout_s, 0, []
        while len(fitting) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"only {len(fitting)} of {count} entries came; journal: {self.journal()[-20:]}"
            answer = self.control.get("/journal", params={"after": after, "wait": min(left, 10)})
            entries = [json.loads(line) for line in answer.text.splitlines()]
            fitting += [entry for entry in entries if found(entry)]
            after = entries[-1]["seq"] if entries else after
        return fitting

    def close(self) -> None:
        self.client.close()
        self.control.close()

    @staticmethod
    def _ok(answer: httpx2.Response) -> dict[str, Any]:
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def start_fake(module: str, *arguments: str) -> Iterator[RunningFake]:
    """Run ``python -m <module>`` until the block ends; it also ends should this process die."""
    held, lifeline = os.pipe()
    command = [sys.executable, "-m", module, "--token", TOKEN, "--lifeline-fd", str(held), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[held])
    os.close(held)
    try:
        line = process.stdout.readline()
        assert line, f"{module} ended with {process.wait()} before it was ready"
        fake = RunningFake(process, json.loads(line))
        yield fake
        fake.close()
    finally:
        os.close(lifeline)
        code = process.wait(timeout=20)
        process.stdout.close()
    assert code == 0


@pytest.fixture(scope="session")
def storefront_process() -> Iterator[RunningFake]:
    """Start the storefront once, with ladders a thousand times faster."""
    with start_fake("fakes.storefront", "--time-scale", "1000", "--nonce", "tests") as fake:
        yield fake


@pytest.fixture
def storefront(storefront_process: RunningFake) -> RunningFake:
    """Give a storefront as at the start."""
    storefront_process.reset()
    return storefront_process


@pytest.fixture(scope="session")
def opsdesk_process() -> Iterator[RunningFake]:
    """Start the ops desk once."""
    with start_fake("fakes.opsdesk", "--nonce", "tests") as fake:
        yield fake


@pytest.fixture
def opsdesk(opsdesk_process: RunningFake) -> RunningFake:
    """Give an ops desk as at the start."""
    opsdesk_process.reset()
    return opsdesk_process


@pytest.fixture(scope="session")
def toy_process() -> Iterator[RunningFake]:
    """Start the smallest vendor the kit allows."""
    with start_fake("tests.fakes.kit.toy", "--nonce", "tests", "--time-scale", "1000") as fake:
        yield fake


@pytest.fixture
def toy(toy_process: RunningFake) -> RunningFake:
    """Give a toy vendor as at the start."""
    toy_process.reset()
    return toy_process
