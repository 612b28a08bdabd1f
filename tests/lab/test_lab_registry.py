"""The register: what a killed owner leaves is gone after the next sweep."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.lab import registry
from harness.lab.marks import ProcessMark, own_line, read_host
from harness.lab.orphans import end_processes, find_processes, wait_gone
from harness.lab.registry import list_leftovers, read_records, register, sweep

pytestmark = pytest.mark.timeout(30)

OWNER = """
import asyncio, json, os, secrets, sys
from pathlib import Path
from harness.lab.processes import Lifeline, Process, Program
from harness.lab.readiness import FirstLine
from harness.lab.registry import register

# A grandchild in a session of its own, whose parent ends at once; one that serves the lab's port; one that ignores SIGTERM.
HIDER = "import subprocess,sys;subprocess.Popen([sys.executable,'-c',sys.argv[1]],start_new_session=True);print('{}')"
HIDDEN = "import time;time.sleep(600)"
SERVER = (
    "import signal,socket,sys,time;signal.signal(signal.SIGTERM,signal.SIG_IGN);"
    "s=socket.create_server(('127.0.0.1',int(sys.argv[1])));print('{}',flush=True);time.sleep(600)"
)

async def main(folder):
    registration = register("gone-" + secrets.token_hex(4), stack="none")
    registration.add_folder(Path(folder))
    port = registration.reserve_port()
    lifeline = Lifeline()
    for role, argv in {"hider": ["-c", HIDER, HIDDEN], "server": ["-c", SERVER, str(port)]}.items():
        process = Process(Program(role, [sys.executable, *argv], Path(folder), {}), registration, Path(folder), lifeline=lifeline)
        await process.start()
        await process.wait_ready(FirstLine(), within_s=20)
        if role == "hider":
            await process.wait_exit()
    print(json.dumps({"lab": registration.record.id, "port": port, "server": process.pid}), flush=True)
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def owner(tmp_path):
    """Start an owner in a process of its own; answer it and what it said about its lab."""
    folder = tmp_path / "lab"
    child = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        said = json.loads(child.stdout.readline())
        yield child, {**said, "folder": folder}
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        sweep()


@pytest.fixture
def dead():
    """Mark a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", "import time;time.sleep(600)"])
    mark = ProcessMark.of(child.pid, "owner")
    child.kill()
    child.wait()
    return mark


def _leave(lab, owner, **parts):
    """Put the entry of a lab of another owner on disk."""
    registration = register(lab, stack="none")
    registry._write(replace(registration.record, owner=owner, **parts))
    return registration


def test_nothing_is_left_of_a_killed_owner(owner):
    """After kill -9 of the owner, one sweep ends every process, frees the port, removes the folder and the entry."""
    child, lab = owner
    processes = find_processes(lab["lab"])
    assert len(processes) == 2
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert sweep() == [lab["lab"]]
    assert find_processes(lab["lab"]) == []
    assert not any(mark.alive for mark in processes)
    assert not lab["folder"].exists()
    socket.create_server(("127.0.0.1", lab["port"])).close()
    assert read_records() == []


def test_leftovers_are_listed_before_they_are_swept(owner):
    """A dead owner's processes, folders and ports are named, and left alone."""
    child, lab = owner
    assert list_leftovers() == []
    child.kill()
    child.wait()
    (left,) = list_leftovers()
    assert lab["server"] in {mark.pid for mark in left.processes}
    assert left.folders == (str(lab["folder"]),)
    assert left.ports == (lab["port"],)
    assert psutil.pid_exists(lab["server"])


def test_a_living_owner_keeps_its_lab(owner):
    """A sweep touches nothing of a lab whose owner lives."""
    _, lab = owner
    assert sweep() == []
    assert psutil.pid_exists(lab["server"])
    assert lab["folder"].exists()


def test_sweeps_side_by_side_agree(owner):
    """Whoever sweeps, it is gone when either returns."""
    child, lab = owner
    child.kill()
    child.wait()
    gone = []
    sweeps = [threading.Thread(target=lambda: (sweep(), gone.append(not find_processes(lab["lab"])))) for _ in range(4)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join()
    assert gone == [True] * 4
    assert read_records() == []


def test_a_recycled_pid_is_never_touched(dead):
    """A recorded pid that meanwhile belongs to another process is not ours."""
    other = subprocess.Popen([sys.executable, "-c", "import time;time.sleep(600)"])
    recycled = replace(ProcessMark.of(other.pid, "child"), create_time=1.0)
    try:
        registration = _leave("recycled", dead, processes=(recycled,))
        assert sweep() == [registration.record.id]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_lab_of_another_machine_is_left_alone(dead):
    """Pids of another host mean nothing here."""
    _leave("elsewhere", dead, host={**read_host(), "name": "another-host"})
    assert sweep() == []
    assert [record.id for record in read_records()] == ["elsewhere"]


def test_a_lab_of_another_container_is_left_alone(dead):
    """Pids of another namespace mean nothing here."""
    _leave("contained", dead, host={**read_host(), "namespace": "pid:[1]"})
    assert sweep() == []


def test_a_lab_from_before_the_last_boot_is_left_over():
    """After a reboot the owner is dead even where its pid is in use again."""
    alive = ProcessMark.of(os.getpid(), "owner")
    _leave("rebooted", alive, host={**read_host(), "boot": "an earlier one"})
    assert sweep() == ["rebooted"]


def test_only_folders_made_here_are_removed(tmp_path, dead):
    """A damaged entry that names somebody else's folder removes nothing."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    _leave("damaged", dead, folders=(str(precious),))
    assert sweep() == ["damaged"]
    assert (precious / "thesis.txt").exists()


def test_what_is_no_entry_is_passed_over(state_dir, dead):
    """Broken files in the register do not stop a sweep."""
    _leave("broken", dead)
    for name, text in {"half.json": '{"id":', "list.json": "[]", "empty.json": ""}.items():
        (state_dir / "labs" / name).write_text(text)
    assert sweep() == ["broken"]


def test_closing_removes_folder_and_entry(tmp_path):
    """An owner that ends well leaves nothing."""
    registration = register("fine", stack="none")
    registration.add_folder(tmp_path / "fine")
    registration.close()
    assert not (tmp_path / "fine").exists()
    assert read_records() == []


def test_no_two_labs_get_the_same_port():
    """A reserved port is not given again while its lab stands."""
    labs = [register(f"lab-{number}", stack="none") for number in range(3)]
    ports = [lab.reserve_port() for lab in labs for _ in range(2)]
    assert len(set(ports)) == 6


def test_entries_are_read_by_their_owner_only(state_dir):
    """The register holds tokens: nobody else may read it."""
    register("private", stack="none").publish({"CONTROL_TOKEN": "t"})
    mode = (state_dir / "labs" / "private.json").stat().st_mode & 0o777
    assert mode == 0o600


def test_an_entry_says_what_it_was_told(read_entry):
    """What is recorded comes back from disk."""
    registration = register("whole", stack="stack.yaml", kind="up")
    registration.publish({"A": "1"})
    assert read_records() == [registration.record]
    assert read_entry("whole")["kind"] == "up"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HANDOFF_STATE_DIR": "/a"}, "/a"),
        ({"XDG_STATE_HOME": "/b"}, "/b/handoff"),
        ({"HOME": "/c"}, "/c/.local/state/handoff"),
    ],
)
def test_the_register_lies_where_the_user_wants_it(monkeypatch, variables, expected):
    """HANDOFF_STATE_DIR wins over XDG_STATE_HOME, which wins over the usual place."""
    for name in ("HANDOFF_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert registry.state_folder() == Path(expected)


def test_this_process_is_never_among_those_to_end():
    """This process and its ancestors are never among a lab's processes."""
    marks = [ProcessMark.of(pid, "x") for pid in own_line()]
    assert not own_line() & {mark.pid for mark in find_processes("no-such-lab", marks)}


def test_a_zombie_counts_as_gone():
    """A process that ended but was not waited for does not hold up a sweep."""
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    with contextlib.suppress(psutil.Error):
        mark = ProcessMark.of(child.pid, "child")
        assert wait_gone([mark], 20.0)
        assert not mark.alive
        assert end_processes("no-such-lab", [mark])
    child.wait()


def test_waiting_for_a_living_process_ends_with_the_time(owner):
    """Running out of time is told."""
    _, lab = owner
    assert not wait_gone([ProcessMark.of(lab["server"], "server")], 0.01)
