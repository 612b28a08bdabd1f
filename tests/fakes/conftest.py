"""Real fakes on loopback for tests: one process each, put back to the start before every test; and a webhook receiver."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.lab.ports import Address, find_free_port
from harness.lab.wiremock import build_wiremock, find_programs, is_up
from tests.programs import NOT_HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "control-token-for-tests"
ROOT = Path(__file__).parents[2]


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
        """The vendor port's base address."""
        return self.address["url"]

    @property
    def port(self) -> int:
        """The vendor port."""
        return int(self.url.rpartition(":")[2])

    def reset(self) -> None:
        """Put the fake back to the start."""
        assert self.control.post("/reset").json() == {"reset": True}

    def seed(self, **body: Any) -> dict[str, Any]:
        """Seed and return the counts."""
        return self._ok(self.control.post("/seed", json=body))["seeded"]

    def arm(self, kind: str, fault_id: str = "f1", **fault: Any) -> dict[str, Any]:
        """Arm a fault."""
        return self._ok(self.control.post("/faults", json={"id": fault_id, "kind": kind, **fault}))

    def lift(self, fault_id: str = "f1") -> dict[str, Any]:
        """Lift a fault."""
        return self._ok(self.control.delete(f"/faults/{fault_id}"))

    def act(self, verb: str, **params: Any) -> dict[str, Any]:
        """Make the vendor do something."""
        return self._ok(self.control.post(f"/act/{verb}", json=params))

    def state(self, collection: str) -> list[dict[str, Any]]:
        """Return the records of a collection."""
        return self._ok(self.control.get(f"/state/{collection}"))["records"]

    def journal(self, kind: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        """Return what is in the journal now, of one type if given."""
        lines = self.control.get("/journal", params={"after": after}).text.splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if kind in (None, entry["type"])]

    def wait_for(
        self, found: Callable[[dict[str, Any]], bool], *, count: int = 1, timeout_s: float = 30
    ) -> list[dict[str, Any]]:
        """Poll long until ``count`` entries fit, and return them."""
        deadline, after = time.monotonic() + timeout_s, 0
        fitting: list[dict[str, Any]] = []
        while len(fitting) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"only {len(fitting)} of {count} entries came; the last: {self.journal()[-20:]}"
            answer = self.control.get("/journal", params={"after": after, "wait": min(left, 10)})
            entries = [json.loads(line) for line in answer.text.splitlines()]
            fitting += [entry for entry in entries if found(entry)]
            after = entries[-1]["seq"] if entries else after
        return fitting

    def close(self) -> None:
        """Close the clients."""
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
    process = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[held], cwd=ROOT)
    os.close(held)
    try:
        assert process.stdout is not None
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


@dataclass
class Received:
    """One webhook as it arrived, headers in the case they were sent."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A webhook receiver: answers the statuses in ``answers`` in turn, then ``usual``; None answers nothing, ever."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    usual: int | None = 200
    changed: threading.Condition = field(default_factory=threading.Condition)
    released: threading.Event = field(default_factory=threading.Event)

    def take(self, received: Received) -> int | None:
        """Keep a webhook and return what to answer."""
        with self.changed:
            self.received.append(received)
            self.changed.notify_all()
            return self.answers.pop(0) if self.answers else self.usual

    def wait(self, count: int, timeout_s: float = 20) -> list[Received]:
        """Return the webhooks once so many arrived."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout_s), self.received
            return list(self.received)


def _build_handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(Received(self.path, dict(self.headers.items()), body))
            if status is None:
                receiver.released.wait(20)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    request_queue_size = 512


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a webhook receiver on loopback."""
    kept = Receiver()
    server = _Server(("127.0.0.1", 0), _build_handler(kept))
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/hooks?x=1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    kept.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def storefront_process() -> Iterator[RunningFake]:
    """Start the storefront once, with waits a thousand times shorter."""
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
    """Start the smallest vendor the kit allows, with waits a thousand times shorter."""
    with start_fake("tests.fakes.kit.toy", "--nonce", "tests", "--time-scale", "1000") as fake:
        yield fake


@pytest.fixture
def toy(toy_process: RunningFake) -> RunningFake:
    """Give a toy vendor as at the start."""
    toy_process.reset()
    return toy_process


@pytest.fixture(scope="session")
def wiremock_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the real WireMock once; where it cannot be had, what needs it is skipped with the command that gets it."""
    programs = find_programs()
    if isinstance(programs, str):
        pytest.skip(f"{NOT_HERE}{programs}")
    at = Address("127.0.0.1", find_free_port(()))
    program = build_wiremock(programs, at, tmp_path_factory.mktemp("wiremock"))
    process = subprocess.Popen(list(program.argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(asyncio.wait_for(is_up(at).wait(), 60))
        yield at.url
    finally:
        process.kill()
        process.wait()


@contextmanager
def start_mapped(system: str, folder: Path, url: str) -> Iterator[RunningFake]:
    """Run the fake in front of WireMock that serves a folder of mappings."""
    arguments = ["--system", system, "--mappings", str(folder), "--wiremock", url, "--nonce", "tests"]
    with start_fake("fakes.wiremock", *arguments) as fake:
        yield fake
