"""Find every process of a lab, whatever it did to hide (forked, left its group, started a session), and end it."""

import os
import select
import signal
import time
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress

import psutil

from harness.lab.marks import ProcessMark, is_zombie, own_line, read_create_time

LAB_VARIABLE = "HANDOFF_LAB"
ROLE_VARIABLE = "HANDOFF_LAB_ROLE"


def find_processes(lab: str, marks: Iterable[ProcessMark] = (), *, role: str | None = None) -> list[ProcessMark]:
    """
    Find the live processes of a lab: those recorded, those whose environment names it, and all their descendants.

    With `role`, only those started for that role. A recorded pid counts only with its create time. This process and its
    ancestors never count.
    """
    found = {mark.pid: mark for mark in marks if mark.alive}
    for process in psutil.process_iter():
        if process.pid not in found and _belongs(process, lab, role):
            _add(found, process.pid, role)
    for pid in list(found):
        for child in _descendants(pid):
            _add(found, child, role)
    excluded = own_line()
    return [mark for mark in found.values() if mark.pid not in excluded]


def end_processes(
    lab: str, marks: Collection[ProcessMark] = (), *, role: str | None = None, within_s: float = 5.0
) -> bool:
    """
    Kill the processes of a lab until none is found; tell whether that was reached.

    A process may fork while its group is being killed, so the search is repeated until it comes back empty.
    """
    deadline = time.monotonic() + within_s
    while found := find_processes(lab, marks, role=role):
        for mark in found:
            _kill(mark)
        if not wait_gone(found, max(0.0, deadline - time.monotonic())):
            return False
    return True


def wait_gone(marks: Iterable[ProcessMark], within_s: float) -> bool:
    """Wait until all these processes ended (or are zombies); tell whether they did."""
    deadline = time.monotonic() + within_s
    with ExitStack() as stack:
        poll = select.poll()
        waiting = set()
        for mark in marks:
            handle = _open_handle(mark)
            if handle is not None:
                stack.callback(os.close, handle)
                poll.register(handle, select.POLLIN)
                waiting.add(handle)
        while waiting and (left := deadline - time.monotonic()) > 0:
            for handle, _ in poll.poll(left * 1000):
                poll.unregister(handle)
                waiting.discard(handle)
    return not waiting


def _belongs(process: psutil.Process, lab: str, role: str | None) -> bool:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False
    return environment.get(LAB_VARIABLE) == lab and role in {None, environment.get(ROLE_VARIABLE)}


def _descendants(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _add(found: dict[int, ProcessMark], pid: int, role: str | None) -> None:
    created = read_create_time(pid)
    if created is not None and pid not in found and not is_zombie(pid):
        found[pid] = ProcessMark(pid, created, role or "descendant")


def _kill(mark: ProcessMark) -> None:
    """Kill through a handle that is pinned to the process, so that a recycled pid cannot be hit."""
    handle = _open_handle(mark)
    if handle is None:
        return
    try:
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def _open_handle(mark: ProcessMark) -> int | None:
    try:
        handle = os.pidfd_open(mark.pid)
    except OSError:
        return None
    if mark.alive:
        return handle
    os.close(handle)
    return None
