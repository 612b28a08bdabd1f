"""
How long the processes of a lab waited for a processor although they could have run, and for a disk.

Linux counts the first for every task (the second field of /proc/<pid>/task/<tid>/schedstat, in nanoseconds) and the
second for the whole machine (`some` in /proc/pressure/io, in microseconds). Where it is not counted the answer is nothing
at all, and only stalls are noticed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NANOSECOND, MICROSECOND = 1e-9, 1e-6
MACHINE = 0
"""The pid under which the machine's own waiting for its disks is told: no process has it."""


def read_waits(pids: Iterable[int], *, proc: Path = Path("/proc")) -> dict[int, float]:
    """Return by process how long its longest waiting task has waited in its life, in seconds; and the machine for disks."""
    waits = {pid: max(_read_tasks(proc / str(pid) / "task"), default=0.0) for pid in pids}
    return waits | {MACHINE: _read_disk_wait(proc / "pressure" / "io")}


def longest_wait_s(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return how long the process that waited longest between two readings did; a new process counts from its birth."""
    return max((waited - before.get(pid, 0.0) for pid, waited in after.items()), default=0.0)


def _read_disk_wait(pressure: Path) -> float:
    try:
        lines = pressure.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0  # not every kernel tells
    fields = next((line.split() for line in lines if line.startswith("some ")), [])
    total = next((field.removeprefix("total=") for field in fields if field.startswith("total=")), "0")
    return int(total) * MICROSECOND


def _read_tasks(folder: Path) -> Iterable[float]:
    try:
        tasks = os.listdir(folder)  # noqa: PTH208 - names are enough
    except OSError:
        return  # it has ended
    for task in tasks:
        try:
            with open(f"{folder}/{task}/schedstat", "rb") as counts:  # noqa: PTH123 - of hundreds, twice an experiment
                fields = counts.read().split()
        except OSError:
            continue  # this task has
        if len(fields) >= 2 and fields[1].isdigit():
            yield int(fields[1]) * NANOSECOND
