"""`handoff lab`, as a user runs it: real commands, called from outside the checkout."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from harness.cli import main
from harness.lab.keeper import find_kept
from harness.lab.orphans import find_processes, wait_gone
from harness.lab.registry import read_records, register, sweep

STACK = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]

SCATTERED = """
import http.server, os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer((os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def nothing_stays():
    """End whatever a failed test leaves."""
    yield
    for record in find_kept():
        os.kill(record.owner.pid, signal.SIGKILL)
        wait_gone([record.owner], 20)
    sweep()


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run one command to its end, in this process; answer its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["lab", *map(str, words)])
        return SimpleNamespace(returncode=code, **capsys.readouterr()._asdict())

    return run


@pytest.fixture
def stay(tmp_path):
    """Start `lab up` in the foreground; answer the command and what it said when it was up."""
    started = []

    def start(*words):
        argv = [*HANDOFF, "lab", "up", "--json", *map(str, words)]
        child = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(child)
        text = ""
        for line in child.stdout:
            text += line
            if line.rstrip() == "}":
                break
        return child, json.loads(text)

    yield start
    for child in started:
        child.kill()
        child.wait()
        child.stdout.close()


def _stack(folder, **integration):
    """Write the reference stack with another integration."""
    text = STACK.read_text()
    for old, new in integration.items():
        text = text.replace({"command": "[python, -m, reference]"}[old], new)
    path = folder / "stack.yaml"
    path.write_text(text)
    return path


def test_a_detached_lab_stays_until_it_is_ended(call, tmp_path):
    """It outlives its command, its variables are in the file and printed, and `down` leaves nothing of it."""
    argv = [*HANDOFF, "lab", "up", STACK, "--env", "lab.env", "--detach", "--with-integration", "--json"]
    up = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert up.returncode == 0, up.stderr
    said = json.loads(up.stdout)
    assert psutil.pid_exists(said["integration"]["pid"])

    written = (tmp_path / "lab.env").read_text()
    assert (tmp_path / "lab.env").stat().st_mode & 0o777 == 0o600
    assert call("env").out == call("env", STACK).out == written
    variables = json.loads(call("env", "--json").out)
    assert {name: shlex.split(line.partition("=")[2])[0] for name, line in _lines(written)} == variables
    assert variables["ERP_CONTROL_URL"] == said["systems"]["erp"]["control_url"]
    assert variables["ERP_URL"] == said["systems"]["erp"]["url"]

    down = call("down")
    assert (down.returncode, said["id"] in down.out) == (0, True)
    assert find_processes(said["id"]) == []
    assert read_records() == []


def _lines(text):
    return [(line.partition("=")[0], line) for line in text.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_lab_in_the_foreground_ends_on_a_signal(stay, number):
    """Ctrl-C and SIGTERM end it in order: exit 0, nothing left."""
    child, said = stay(STACK)
    assert said["integration"]["pid"] is None
    assert set(said["systems"]) == {"storefront", "erp", "opsdesk"}
    child.send_signal(number)
    assert child.wait(timeout=30) == 0
    assert find_processes(said["id"]) == []
    assert read_records() == []


def test_nothing_is_left_of_a_killed_command_once_the_next_has_run(stay, call, tmp_path):
    """After kill -9 the next command leaves no process (not even one in a session of its own), folder or entry."""
    script = tmp_path / "scattered.py"
    script.write_text(SCATTERED)
    child, said = stay(_stack(tmp_path, command=f"[python, {script}]"), "--with-integration")
    processes = find_processes(said["id"])
    (record,) = read_records()
    grandchild = psutil.Process(said["integration"]["pid"]).children()
    assert grandchild
    child.kill()
    child.wait()
    assert call("env").returncode == 12
    assert not [mark for mark in processes if mark.alive]
    assert find_processes(said["id"]) == []
    assert not any(Path(folder).exists() for folder in record.folders)
    assert read_records() == []


def test_the_watchdog_ends_a_lab_without_a_next_command(stay):
    """After kill -9 everything ends by itself, too."""
    child, said = stay(STACK, "--with-integration")
    processes = find_processes(said["id"])
    child.kill()
    child.wait()
    assert wait_gone(processes, 30)


def test_the_variables_of_no_lab_are_an_error_that_tells_the_way_out(call):
    """Without a lab `env` says which command brings one up, exit 12; ending none is fine."""
    env = call("env", STACK)
    assert env.returncode == 12
    assert f"handoff lab up {STACK}" in env.err
    assert env.out == ""
    assert call("down").returncode == 0


def test_an_integration_that_does_not_come_up_is_told(call, tmp_path):
    """The words of the integration reach the user; nothing stays."""
    path = _stack(tmp_path, command="[python, -c, \"import sys; sys.exit('no database')\"]")
    up = call("up", path, "--with-integration")
    assert up.returncode == 12
    assert "no database" in up.err
    assert read_records() == []


def test_a_detached_lab_that_does_not_come_up_is_told(tmp_path):
    """What its keeper ran into reaches the user: here, variables that have nowhere to go."""
    argv = [*HANDOFF, "lab", "up", STACK, "--env", tmp_path / "nowhere" / "lab.env", "--detach"]
    up = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert up.returncode == 12
    assert "nowhere" in up.stderr
    assert read_records() == []


@pytest.mark.parametrize("words", [["up", "nothere.yaml"], ["up", "-"], ["sideways"], ["env", "nothere.yaml"]])
def test_wrong_words_are_usage_errors(call, words):
    """A missing file, a stack on stdin, an unknown command: exit 4, and nothing is started."""
    assert call(*words).returncode == 4
    assert read_records() == []


def test_ending_labs_leaves_those_of_runs_alone(call):
    """`down` is for labs that were brought up to stay, and for those of one stack where it is named."""
    run = register("of-a-run", stack=str(STACK))
    up = register("of-another-stack", stack="/elsewhere/stack.yaml", kind="up")
    assert "of-" not in call("down", STACK).out
    assert len(read_records()) == 2
    up.close()
    run.close()
