"""Name a process so that a recycled pid is never taken for it."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """
    A process: its pid, when it was created and what it was for.

    `create_time` is in clock ticks since boot where the system has /proc, since a wall time moves when the clock is set
    and would make a live process look dead.
    """

    pid: int
    create_time: float
    role: str

    @classmethod
    def of(cls, pid: int, role: str) -> "ProcessMark":
        """Mark a process that runs now. Raises psutil.NoSuchProcess."""
        created = read_create_time(pid)
        if created is None:
            raise psutil.NoSuchProcess(pid)
        return cls(pid, created, role)

    @classmethod
    def load(cls, data: dict[str, Any]) -> "ProcessMark":
        """Read what `dump` wrote."""
        return cls(int(data["pid"]), float(data["create_time"]), str(data["role"]))

    def dump(self) -> dict[str, Any]:
        """Give it as JSON. Every process leads a group of its own, so `pgid` is its pid."""
        return {"pid": self.pid, "create_time": self.create_time, "role": self.role, "pgid": self.pid}

    @property
    def alive(self) -> bool:
        """Tell whether this very process still runs; a zombie does not."""
        return read_create_time(self.pid) == self.create_time and not is_zombie(self.pid)


def read_create_time(pid: int) -> float | None:
    """Read when a process was created, or None where there is none."""
    fields = _read_stat(pid)
    if fields is not None:
        return float(fields[19])
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits for its parent to notice."""
    fields = _read_stat(pid)
    if fields is not None:
        return fields[0] in {"Z", "X"}
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def read_host() -> dict[str, str]:
    """
    Name the place whose pids these are.

    A state folder may be shared between machines or containers; a pid means nothing outside its own namespace.
    """
    try:
        namespace, boot = str(Path("/proc/self/ns/pid").readlink()), _BOOT_ID.read_text().strip()
    except OSError:
        namespace, boot = "", ""
    return {"name": socket.gethostname(), "namespace": namespace, "boot": boot}


def own_line() -> frozenset[int]:
    """Give the pids of this process and its ancestors: those are never to be ended."""
    return frozenset({os.getpid(), *(parent.pid for parent in psutil.Process().parents())})


def _read_stat(pid: int) -> list[str] | None:
    """Give the fields of /proc/<pid>/stat from the third (state) on; the name before may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
