"""
Whatever is killed, at whatever moment of a run: nothing of it is left, nothing is held that is broken, and the next run works.

The moments are drawn from seeds. They are counted in what has happened (processes that were started, entries in a journal), not
in seconds, so a seed means the same moment on any machine.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from harness.lab.orphans import find_processes
from tests.programs import TOXIPROXY

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
WITHIN_S = 100.0
POLL_S = 0.01
CLEAN = "order-to-erp/clean:resolve/one"
# Broken integrations, and experiments each of which is violated by them when nobody disturbs it.
BROKEN = {
    "no-signature-check": "order-capture/bad_signature:reject",
    "ignores-dedupe": "order-capture/duplicate:deduplicate",
    "new-external-id-per-attempt": "order-to-erp/429:retry",
}
VICTIMS = ("harness", "toxiproxy", "fake-erp", "integration", "tap", "fake-storefront", "fake-opsdesk")
# What the shortest of these runs comes to, in entries of the shop's journal, and the parts of its lab.
ENTRIES, PARTS = 60, 7
# A run that ended by itself, that could not come up, and one that was killed.
ENDS = {0, 1, 10, 12, -signal.SIGKILL}


@dataclass(frozen=True)
class Moment:
    """Whom to kill and when: after so many parts of the lab have started, or so many entries were written by the shop."""

    victim: str
    mutant: str
    broken: bool
    parts: int
    entries: int

    @classmethod
    def draw(cls, seed):
        """Draw a moment; the first five seeds have a victim each of the five kinds."""
        draw = random.Random(f"kill {seed}")  # noqa: S311 - a plan that can be made again, no secret
        early = draw.random() < 0.3
        return cls(
            VICTIMS[seed] if seed < 5 else draw.choice(VICTIMS),
            draw.choice(sorted(BROKEN)),
            broken=draw.random() < 0.6,
            parts=draw.randint(1, PARTS) if early else PARTS,
            entries=0 if early else draw.randint(1, ENTRIES),
        )

    @property
    def command(self):
        """The integration's command."""
        return f"python -m scenarios.zoo {self.mutant}" if self.broken else "python -m reference"

    @property
    def allowed(self):
        """What may be said of it: the worst that is true, or that nothing can be said."""
        return {"violated" if self.broken else "held", "unknown"}


class Home:
    """A register, temporary files and reports of one's own."""

    def __init__(self, folder):
        self.labs = folder / "state" / "labs"
        self.out = folder / "out"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._environment = os.environ | {"HANDOFF_STATE_DIR": str(folder / "state"), "TMPDIR": str(self.temporary)}

    @contextmanager
    def run(self, only, integration):
        """Start a run with one lab; it does not outlive the block."""
        engine = "embedded" if TOXIPROXY is None else "toxiproxy"
        words = ["run", STACK, "-n", "1", "--seed", "1", "--engine", engine, "-k", only, "--integration", integration]
        with subprocess.Popen(
            [*HANDOFF, *words, "--out", str(self.out)], cwd=ROOT, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as run:  # fmt: skip
            try:
                yield run
            finally:
                run.kill()

    def read_labs(self):
        """Read the register's entries."""
        found = []
        for path in self.labs.glob("*.json"):
            try:
                found.append(json.loads(path.read_text()))
            except (OSError, ValueError):
                continue  # it is just going
        return found

    def read_verdicts(self):
        """Read what the newest run says of each experiment; nothing where it wrote no result."""
        documents = sorted(self.out.glob("*/run.json"))
        run = json.loads(documents[-1].read_text()) if documents else {"experiments": []}
        return {each["id"]: each["verdict"] for each in run["experiments"]}

    def find_leftovers(self, labs):
        """Find what is left of these labs: processes, listening ports, entries and folders."""
        processes = [mark for lab in labs for mark in find_processes(lab)]
        ports = [port for held in labs.values() for port in held if is_listening(port)]
        return processes, ports, self.read_labs(), list(self.temporary.glob("handoff-*"))


@pytest.fixture
def home(tmp_path):
    """Give a place of its own."""
    return Home(tmp_path)


def is_listening(port):
    """Tell whether somebody takes connections there."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, run=None):
    """Wait until a condition gives something; with a run, or until that has ended."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        if run is not None and run.poll() is not None:
            return None
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(POLL_S)
    return found


def wait_for(home, run, moment):
    """Wait for the moment; give the process to kill, or None where the run was over before it."""

    def read_marks():
        return {mark["role"]: mark["pid"] for lab in home.read_labs() for mark in lab["processes"]}

    wait_until(lambda: len(read_marks()) >= moment.parts, run)
    if moment.entries:
        wait_for_entries(home, run, moment.entries)
    if moment.victim == "harness":
        return run.pid
    return wait_until(lambda: read_marks().get(moment.victim), run)


def wait_for_entries(home, run, count):
    """Wait until the shop of the lab has written so many entries; a lab may be replaced by another meanwhile."""

    def has_come():
        variables = next((lab["environment"] for lab in home.read_labs() if lab["environment"]), None)
        if variables is None:
            return False
        url, headers = variables["STOREFRONT_CONTROL_URL"], {"Authorization": f"Bearer {variables['CONTROL_TOKEN']}"}
        ask = {"after": count - 1, "wait": 1}
        try:
            answer = httpx2.get(f"{url}/journal", params=ask, headers=headers, timeout=30, trust_env=False)
        except httpx2.TransportError:
            return False  # it is just coming, or just going
        return answer.is_success and bool(answer.text.strip())

    wait_until(has_come, run)


def note_labs(home, labs):
    """Note which labs there are and which ports are kept for them."""
    for lab in home.read_labs():
        labs.setdefault(lab["id"], set()).update(lab["ports"])


def play(home, moment):
    """Run, kill at the moment, and look at what the run says and leaves; then run again."""
    labs = {}
    with home.run(BROKEN[moment.mutant], moment.command) as run:
        pid = wait_for(home, run, moment)
        note_labs(home, labs)
        assert pid is not None, "the run was over before the moment came"
        os.kill(pid, signal.SIGKILL)
        while run.poll() is None:
            note_labs(home, labs)
            time.sleep(POLL_S)
    assert run.returncode in ENDS
    said = home.read_verdicts()
    assert set(said.values()) <= moment.allowed, said
    assert all(name.startswith(BROKEN[moment.mutant]) for name in said)
    # Whoever was killed cleaned up nothing: then the watchdog does, who is not waited for by anybody else.
    wait_until(lambda: home.find_leftovers(labs) == ([], [], [], []))

    with home.run(CLEAN, "python -m reference") as run:
        assert run.wait(WITHIN_S) == 0
    assert home.read_verdicts() == {CLEAN: "held"}
    assert home.find_leftovers({}) == ([], [], [], [])


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_leaves_nothing_and_makes_nothing_held(home, seed):
    """The harness, Toxiproxy, a fake, the integration and the tap, each at a moment of its own."""
    play(home, Moment.draw(seed))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(5, 55))
def test_a_kill_at_any_of_fifty_moments(home, seed):
    """The same, at fifty more moments."""
    play(home, Moment.draw(seed))
