"""`handoff run` as a process: verdicts, exit codes, what it writes, what it refuses, and what it leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import httpx2
import psutil
import pytest

from harness.lab.orphans import find_processes

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
WITHIN_S = 90
POLL_S = 0.02
CLEAN = "order-to-erp/clean:resolve/one"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]


class Home:
    """A place of its own for everything a run leaves: register, temporary files, reports."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.temporary = folder / "tmp"
        self.out = folder / "out"
        self.temporary.mkdir()
        self.environment = os.environ | {
            "HANDOFF_STATE_DIR": str(self.state), "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"
        }  # fmt: skip

    def handoff(self, *arguments, stdin=None):
        """Run a command to its end."""
        return subprocess.run(
            [*HANDOFF, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, input=stdin,
            timeout=WITHIN_S, check=False,
        )  # fmt: skip

    def run(self, *arguments):
        """Run experiments to the end, into this place."""
        return self.handoff("run", STACK, "--out", str(self.out), *arguments)

    def read(self, name):
        """Read a file of the only run."""
        (folder,) = self.out.iterdir()
        return (folder / name).read_bytes()

    def read_labs(self):
        """Read the register's entries."""
        return [json.loads(path.read_text()) for path in (self.state / "labs").glob("*.json")]

    def find_leftovers(self, labs):
        """Find what is left of these labs: live processes, listening ports, entries, and any temporary folder at all."""
        processes = [mark for lab in labs for mark in find_processes(lab["id"])]
        ports = [port for lab in labs for port in list_ports(lab) if is_listening(port)]
        return processes, ports, self.read_labs(), list(self.temporary.glob("handoff-*"))


class Background:
    """A run in a process of its own whose progress can be waited for."""

    def __init__(self, home, *arguments):
        self.process = subprocess.Popen(
            [*HANDOFF, "run", STACK, "--out", str(home.out), *arguments],
            cwd=ROOT, env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait_for(self, text):
        """Read its progress up to a line with this text."""
        for line in self.process.stderr:
            if text in line:
                return
        raise AssertionError(f"it ended with {self.process.wait()} before it said {text!r}")

    def signal(self, number):
        """Signal the process itself, as a terminal would."""
        self.process.send_signal(number)

    def end(self):
        """Wait for its end; return the exit code and what it printed meanwhile."""
        # A pipe nobody reads would hold it up.
        Thread(target=self.process.stderr.read, daemon=True).start()
        out = self.process.stdout.read()
        return self.process.wait(WITHIN_S), out


@pytest.fixture
def home(tmp_path):
    """Give a place of its own."""
    return Home(tmp_path)


@pytest.fixture
def background(home):
    """Start runs in the background; none of them outlives the test."""
    started = []

    def start(*arguments):
        started.append(Background(home, *arguments))
        return started[-1]

    yield start
    for each in started:
        with each.process as process:
            process.kill()


def list_ports(lab):
    """List the ports of a lab: the integration's, and those in the addresses it was given."""
    addresses = [value for name, value in lab["environment"].items() if name.endswith("_URL")]
    return {*lab["ports"], *(int(address.split(":")[2].split("/")[0]) for address in addresses)}


def is_listening(port):
    """Tell whether somebody takes connections there."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_run_that_holds_ends_with_0_and_leaves_its_folder(home):
    """Verdict, evidence and reproduce command are in run.json, printed as well with --json; the folder holds all of it."""
    ended = home.run("-n", "1", "--seed", "5", "-k", CLEAN, "--json")

    assert ended.returncode == 0, ended.stderr
    printed = json.loads(ended.stdout)
    assert printed == json.loads(home.read("run.json"))
    (experiment,) = printed["experiments"]
    assert (experiment["id"], experiment["verdict"]) == (CLEAN, "held")
    assert all(gate["passed"] for gate in experiment["gates"])
    assert experiment["reproduce"] == f"handoff run {STACK} --seed 5 -k {CLEAN}"
    assert printed["summary"] == {"held": 1, "violated": 0, "unknown": 0, "accepted": 0, "skipped": 0}
    assert b"<html" in home.read("index.html")
    assert {json.loads(line)["experiment"] for line in home.read("history.ndjson").splitlines()} == {CLEAN}
    assert home.find_leftovers([]) == ([], [], [], [])


def test_a_broken_promise_ends_with_1(home):
    """A violated clause is printed with declared beside observed."""
    broken = "python -m scenarios.zoo no-signature-check"
    ended = home.run("-n", "1", "-k", "bad_signature:reject/forged", "--integration", broken)

    assert ended.returncode == 1, ended.stderr
    assert "VIOLATED" in ended.stdout
    assert "answered 401" in ended.stdout


def test_a_fake_killed_in_the_middle_ends_with_10(home, background):
    """From the outside as well: no verdict on the integration, the reason in its place, and no violated clause."""
    running = background("-n", "1", "--seed", "1", "-k", "429:retry/exhausted")
    wait_for_process(home, "integration")
    (lab,) = home.read_labs()
    wait_for_fault(lab, "ERP")
    (pid,) = (mark["pid"] for mark in home.read_labs()[0]["processes"] if mark["role"] == "fake-erp")
    os.kill(pid, signal.SIGKILL)
    code, printed = running.end()

    (experiment,) = json.loads(home.read("run.json"))["experiments"]
    assert (code, experiment["verdict"], experiment["unknown_kind"]) == (10, "unknown", "environment")
    assert "erp" in experiment["reason"]
    assert "UNKNOWN" in printed


def test_the_same_seed_gives_the_same_decisions_and_verdicts_in_one_lab_or_three(tmp_path):
    """How many labs work at once changes neither what is decided nor what is found."""
    chosen = "clean:resolve/one or bad_signature:reject/forged or 429:retry/once"
    runs = []
    for labs in ("1", "3"):
        (tmp_path / labs).mkdir()
        home = Home(tmp_path / labs)
        ended = home.run("-n", labs, "--seed", "11", "-k", chosen)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        run = json.loads(home.read("run.json"))
        runs.append((home.read("decisions.ndjson"), [(each["id"], each["verdict"]) for each in run["experiments"]]))

    assert runs[0] == runs[1]
    assert len(runs[0][1]) == 4
    assert runs[0][0]


def test_the_harness_killed_in_the_middle_leaves_nothing_after_the_next_command(home, background):
    """Whatever the next command is: no process, no listening port, no temporary folder, no entry in the register."""
    running = background("-n", "2", "--seed", "1")
    running.wait_for("1/")
    labs = home.read_labs()
    for lab in labs:
        for mark in lab["processes"]:
            if mark["role"] == "watchdog":  # it would sweep at once: here the next command has to
                psutil.Process(mark["pid"]).suspend()
    running.signal(signal.SIGKILL)
    running.end()
    survivors = [mark for lab in labs for mark in find_processes(lab["id"])]
    ended = home.handoff("lint", STACK)

    assert len(labs) == 2
    assert survivors
    assert ended.returncode == 0, ended.stderr
    assert home.find_leftovers(labs) == ([], [], [], [])


class TestInterrupted:
    """Ctrl-C, once and twice."""

    def test_once_judges_what_is_there_and_writes_the_report(self, home, background):
        """Faults are lifted, what was found counts, the rest is named as not run; exit 10 and nothing is left."""
        running = background("-n", "1", "--seed", "1")
        running.wait_for("1/")
        labs = home.read_labs()
        running.signal(signal.SIGINT)
        code, printed = running.end()

        run = json.loads(home.read("run.json"))
        assert code == 10
        assert run["interrupted"] is True
        assert run["experiments"][0]["id"]
        assert {each["reason"] for each in run["skipped"]} == {"interrupted"}
        assert len(run["skipped"]) > len(run["experiments"])
        assert "interrupted" in printed
        assert b"<html" in home.read("index.html")
        assert home.find_leftovers(labs) == ([], [], [], [])

    def test_once_while_labs_come_up_ends_without_any_verdict(self, home, background):
        """Nothing ran, so nothing holds: exit 10, with every experiment named as not run."""
        running = background("-n", "1", "--seed", "1", "-k", "clean", "--integration", NEVER_HEALTHY)
        running.wait_for("experiments")
        wait_for_process(home, "integration")
        labs = home.read_labs()
        running.signal(signal.SIGINT)
        code, _ = running.end()

        assert code == 10
        assert json.loads(home.read("run.json"))["experiments"] == []
        assert home.find_leftovers(labs) == ([], [], [], [])

    def test_twice_ends_at_once_and_leaves_nothing_after_the_next_command(self, home, background):
        """Nobody is kept waiting; the next command clears up whatever there was no time for."""
        running = background("-n", "1", "--seed", "1")
        running.wait_for("1/")
        labs = home.read_labs()
        running.signal(signal.SIGINT)
        running.wait_for("Ctrl-C again ends at once")
        running.signal(signal.SIGINT)
        code, _ = running.end()
        home.handoff("plan", STACK)

        assert code == 130
        assert home.find_leftovers(labs) == ([], [], [], [])


NEVER_HEALTHY = "python -c 'print(\"nobody is listening\", flush=True); import time; time.sleep(600)'"


def wait_for_fault(lab, system):
    """Wait until a fault is armed at a fake, as its control plane tells."""
    headers = {"Authorization": f"Bearer {lab['environment']['CONTROL_TOKEN']}"}
    deadline = time.monotonic() + WITHIN_S
    with httpx2.Client(base_url=lab["environment"][f"{system}_CONTROL_URL"], headers=headers, trust_env=False) as fake:
        while not fake.get("/faults").json()["faults"]:
            assert time.monotonic() < deadline
            time.sleep(POLL_S)


def wait_for_process(home, role):
    """Wait until the register names a process of this role."""
    deadline = time.monotonic() + WITHIN_S
    while not any(mark["role"] == role for lab in home.read_labs() for mark in lab["processes"]):
        assert time.monotonic() < deadline
        time.sleep(POLL_S)
