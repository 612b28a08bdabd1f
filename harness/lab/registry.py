"""
The register of running labs on disk, so that nothing a killed harness started outlives the next command.

One JSON file a lab under the state folder: who owns it, every process, the ports kept for it and its folders. A lab is
left over when its owner is dead. A detached lab is owned by the process that keeps it up, so it stays.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.lab.marks import ProcessMark, read_host
from harness.lab.orphans import end_processes, find_processes
from harness.lab.ports import find_free_port

STATE_VARIABLE = "HANDOFF_STATE_DIR"
FOLDER_MARKER = ".handoff-lab"
END_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class LabRecord:
    """What is on disk about a lab. `kind` is `run` (belongs to a command) or `up` (`handoff lab up`)."""

    id: str
    kind: str
    stack: str
    owner: ProcessMark
    started_at: float
    host: dict[str, str] = field(default_factory=read_host)
    processes: tuple[ProcessMark, ...] = ()
    ports: tuple[int, ...] = ()
    folders: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    containers: bool = False

    @classmethod
    def load(cls, data: dict[str, Any]) -> "LabRecord":
        """Read what `dump` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        known = {name: data[name] for name in ("id", "kind", "stack", "started_at", "host", "environment")}
        return cls(
            **known,
            owner=ProcessMark.load(data["owner"]),
            processes=tuple(ProcessMark.load(mark) for mark in data["processes"]),
            ports=tuple(int(port) for port in data["ports"]),
            folders=tuple(str(folder) for folder in data["folders"]),
            containers=bool(data.get("containers")),
        )

    def dump(self) -> dict[str, Any]:
        """Give it as JSON."""
        marks = [mark.dump() for mark in self.processes]
        return {**asdict(self), "owner": self.owner.dump(), "processes": marks}

    @property
    def left_over(self) -> bool:
        """Tell whether the owner is dead; a lab of another machine or container is not ours to judge."""
        here = read_host()
        if self.host["name"] != here["name"]:
            return False
        if self.host["boot"] != here["boot"]:
            return True
        return self.host["namespace"] == here["namespace"] and not self.owner.alive


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a dead owner left: live processes, folders that exist, ports kept."""

    lab: str
    processes: tuple[ProcessMark, ...]
    folders: tuple[str, ...]
    ports: tuple[int, ...]


class Registration:
    """The entry of a lab that this process owns. Every change is on disk before the call returns."""

    def __init__(self, record: LabRecord) -> None:
        self.record = record
        self._closed = False
        _write(record)

    def add_process(self, mark: ProcessMark) -> None:
        """Record a process."""
        self._change(processes=(*self.record.processes, mark))

    def remove_process(self, pid: int) -> None:
        """Forget a process that ended."""
        self._change(processes=tuple(mark for mark in self.record.processes if mark.pid != pid))

    def add_folder(self, folder: Path) -> None:
        """Make a folder that goes with the lab; only folders made here are ever removed."""
        self._change(folders=(*self.record.folders, str(folder)))
        folder.mkdir(mode=0o700)
        (folder / FOLDER_MARKER).write_text(self.record.id)

    def reserve_port(self) -> int:
        """Keep a port outside the ephemeral range for this lab; no other lab of this user gets it."""
        with _lock("ports"):
            taken = {port for record in read_records() for port in record.ports}
            port = find_free_port(taken)
            self._change(ports=(*self.record.ports, port))
        return port

    def note_containers(self) -> None:
        """Note, before the first is made, that the lab has containers: they carry its id as a label."""
        self._change(containers=True)

    def publish(self, environment: dict[str, str]) -> None:
        """Keep the variables that `handoff lab env` prints."""
        self._change(environment=environment)

    def close(self) -> None:
        """Remove the lab's folders and its entry; its processes have ended. What is told later is not written any more."""
        self._closed = True
        _remove(self.record)

    def _change(self, **parts: Any) -> None:
        self.record = replace(self.record, **parts)
        if not self._closed:
            _write(self.record)


def register(lab: str, *, stack: str, kind: str = "run") -> Registration:
    """Enter a lab, owned by this process, before anything of it is started."""
    owner = ProcessMark.of(os.getpid(), "owner")
    return Registration(LabRecord(lab, kind, stack, owner, time.time()))


def state_folder() -> Path:
    """Give the folder of the register: `HANDOFF_STATE_DIR`, else under `XDG_STATE_HOME`, else ~/.local/state."""
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "handoff"


def read_records() -> list[LabRecord]:
    """Read the entries of all labs, oldest first; what is no entry is passed over."""
    records = []
    for path in (state_folder() / "labs").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            records.append(LabRecord.load(json.loads(path.read_text())))
    return sorted(records, key=lambda record: record.started_at)


def list_leftovers() -> list[Leftover]:
    """List what dead owners left, without touching it."""
    return [
        Leftover(
            record.id,
            tuple(find_processes(record.id, record.processes)),
            tuple(folder for folder in record.folders if Path(folder).exists()),
            record.ports,
        )
        for record in read_records()
        if record.left_over
    ]


def sweep(*, then: Callable[[], None] | None = None) -> list[str]:
    """
    End everything dead owners left: processes, folders, ports; answer the ids of their labs.

    Returns once it is gone, also where another sweep is at it: one sweeps at a time. Labs whose owner lives are not
    touched. An entry whose processes would not die stays, for the next sweep. `then` is called before the next sweep may
    begin; a process of the lab itself ends there, so that who comes next does not meet it any more.
    """
    if not (state_folder() / "labs").is_dir():
        return []
    with _lock("sweep"):
        dead = [record for record in read_records() if record.left_over]
        for record in dead:
            _reap(record)
        if then is not None:
            then()
    return [record.id for record in dead]


def _reap(record: LabRecord) -> None:
    ended = end_processes(record.id, record.processes, within_s=END_WITHIN_S)
    if ended and (not record.containers or _remove_containers(record.id)):
        _remove(record)


def _remove_containers(lab: str) -> bool:
    from harness.lab.containers.removal import remove_leftover  # noqa: PLC0415 (the engine's client is heavy, and rarely needed)

    return remove_leftover(lab)


def _remove(record: LabRecord) -> None:
    for folder in map(Path, record.folders):
        marker = folder / FOLDER_MARKER
        # A damaged entry must not be able to name a folder of the user's.
        with contextlib.suppress(OSError):
            if marker.read_text() == record.id or not any(folder.iterdir()):
                shutil.rmtree(folder)
    _path(record.id).unlink(missing_ok=True)


def _write(record: LabRecord) -> None:
    path = _path(record.id)
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(record.dump(), file)
    draft.replace(path)


def _path(lab: str) -> Path:
    return _labs_folder() / f"{lab}.json"


def _labs_folder() -> Path:
    folder = state_folder() / "labs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Hold one of the register's locks; the kernel lets go of it when the holder dies."""
    with (_labs_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
