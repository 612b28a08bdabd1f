"""
One folder a run.

`history.ndjson` grows while the run goes, so that an interrupted run keeps what it saw; `run.json` and `decisions.ndjson`
are written whole: a reader never meets half a file.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType


class RunFolder:
    """The folder of one run, open for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._history: IO[str] | None = None

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        self._history = (self.path / "history.ndjson").open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._history is not None:
            self._history.close()

    def write_history(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append entries to history.ndjson and hand them to the operating system."""
        if self._history is not None:
            self._history.writelines(_dump(line) + "\n" for line in lines)
            self._history.flush()

    def write_decisions(self, lines: Iterable[Mapping[str, Any]]) -> Path:
        """Write decisions.ndjson."""
        return self._write("decisions.ndjson", "".join(_dump(line) + "\n" for line in lines))

    def write_run(self, run: Mapping[str, Any]) -> Path:
        """Write run.json."""
        return self._write("run.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")

    def _write(self, name: str, text: str) -> Path:
        target = self.path / name
        part = target.with_suffix(target.suffix + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(target)
        return target


def name_run(started_at: dt.datetime) -> str:
    """Name a run by its start, to the second."""
    return started_at.strftime("%Y%m%d-%H%M%S")


def choose_folder(root: Path, run_id: str) -> Path:
    """Choose a folder under the root that does not exist yet: the run's name, numbered where two runs share a second."""
    candidate, number = root / run_id, 1
    while candidate.exists():
        number += 1
        candidate = root / f"{run_id}-{number}"
    return candidate


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
