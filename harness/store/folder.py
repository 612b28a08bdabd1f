"""
One folder a run.

`history.ndjson` grows while the run goes, so that an interrupted run keeps what it saw; `stack.yaml`, `decisions.ndjson` and
`run.json` are written whole: a reader never meets half a file.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType


STACK, HISTORY, DECISIONS, RUN = "stack.yaml", "history.ndjson", "decisions.ndjson", "run.json"
REGRESSIONS, EXPLORATION = "regressions", "explore.json"

SCHEMA = "handoff-run/1"


class RunFolder:
    """The folder of one run, open for writing; a run that fails before anything happened in it leaves none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = False
        self._history: IO[str] | None = None

    def __enter__(self) -> Self:
        self._history = (self.path / HISTORY).open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._history is not None:
            self._history.close()
        if error is not None and not self._told:
            shutil.rmtree(self.path, ignore_errors=True)

    def write_history(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append entries to history.ndjson and hand them to the operating system."""
        self._told = True
        if self._history is not None:
            self._history.writelines(_dump(line) + "\n" for line in lines)
            self._history.flush()

    def write_stack(self, text: str) -> Path:
        """Write the stack the run is of, as it was read."""
        return self._write(STACK, text)

    def write_decisions(self, lines: Iterable[Mapping[str, Any]]) -> Path:
        """Write decisions.ndjson."""
        return self._write(DECISIONS, "".join(_dump(line) + "\n" for line in lines))

    def write_run(self, run: Mapping[str, Any]) -> Path:
        """Write run.json."""
        return self._write(RUN, json.dumps(run, indent=1, ensure_ascii=False) + "\n")

    def write_exploration(self, exploration: Mapping[str, Any]) -> Path:
        """Write explore.json."""
        return self._write(EXPLORATION, json.dumps(exploration, indent=1, ensure_ascii=False) + "\n")

    def write_regressions(self, texts: Mapping[str, str]) -> None:
        """Write the regressions that belong to the stack, by the names of their files."""
        if texts:
            (self.path / REGRESSIONS).mkdir(exist_ok=True)
        for name, text in texts.items():
            self._write(f"{REGRESSIONS}/{name}", text)

    def _write(self, name: str, text: str) -> Path:
        return write_text(self.path / name, text)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as its folder holds it; `document` is run.json, `stack` the text of the stack."""

    path: Path
    document: dict[str, Any]
    stack: str

    def read_history(self) -> Iterator[str]:
        """Read history.ndjson line by line; bytes that are no text are replaced, so that the line can be told to be damaged."""
        with (self.path / HISTORY).open(encoding="utf-8", errors="replace") as history:
            yield from history


def read_run(path: Path) -> StoredRun:
    """Read the folder of a run that ended; raises OSError where a file of it is missing, ValueError where run.json is none."""
    document = json.loads((path / RUN).read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"{RUN} is not a document of the schema {SCHEMA}")
    (path / HISTORY).stat()
    return StoredRun(path, document, (path / STACK).read_text(encoding="utf-8"))


def write_text(target: Path, text: str) -> Path:
    """Write a file whole, so that a reader never meets half of it; return its path."""
    part = target.with_suffix(target.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
    return target


def name_run(started_at: dt.datetime) -> str:
    """Name a run by its start, to the second."""
    return started_at.strftime("%Y%m%d-%H%M%S")


def make_folder(root: Path, run_id: str) -> Path:
    """
    Make a folder under the root that did not exist: the run's name, numbered where two runs share a second.

    Raises OSError where none can be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        candidate = root / (run_id if number == 1 else f"{run_id}-{number}")
        with suppress(FileExistsError):
            candidate.mkdir()
            return candidate
    raise AssertionError("there is always a next number")


# json.dumps with settings of one's own builds an encoder on every call, and a history has a hundred thousand lines.
_dump = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode
