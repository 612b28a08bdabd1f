"""
How long the processes of a lab waited for a processor although they could have run.

Linux counts that for every task (the second field of /proc/<pid>/task/<tid>/schedstat, in nanoseconds). Where it is not
counted the answer is nothing at all, and only stalls are noticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NANOSECOND = 1e-9


def read_waits(pids: Iterable[int], *, proc: Path = Path("/proc")) -> dict[int, float]:
    """Return by process how long its longest waiting task has waited in its life, in seconds."""
    return {pid: max(_read_tasks(proc / str(pid) / "task"), default=0.0) for pid in pids}


def longest_wait_s(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return how long the process that waited longest between two readings did; a new process counts from its birth."""
    return max((waited - before.get(pid, 0.0) for pid, waited in after.items()), default=0.0)


def _read_tasks(folder: Path) -> Iterable[float]:
    try:
        tasks = list(folder.iterdir())
    except OSError:
        return  # it has ended
    for task in tasks:
        try:
            fields = (task / "schedstat").read_text(encoding="ascii").split()
        except OSError:
            continue  # this task has
        if len(fields) >= 2 and fields[1].isdigit():
            yield int(fields[1]) * NANOSECOND
