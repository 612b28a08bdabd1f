"""
An experiment's record as lines of history.ndjson: written when it ended, read to judge it again.

A head says what the lines alone do not: when it began, what could be asked, how many lines follow. Among the driver's entries
two `judged` ones mark what was known when the steps were done, and when the lab was at rest. What is missing is noticed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.record import DRIVER, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.core.result import Result

HEAD, JUDGED = "experiment", "judged"
DRIVEN, RESTED = "driven", "rested"
_ADDED = frozenset({"experiment", "lab", "source"})


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known at a moment: entries of the record, and when that was, in seconds since the experiment began."""

    entries: tuple[Entry, ...]
    now: float


@dataclass(slots=True)
class Stored:
    """One experiment as it stands in a history: its head, or None where that is missing, and the entries below it."""

    experiment: str
    lab: int
    head: Mapping[str, Any] | None = None
    entries: list[Entry] = field(default_factory=list)
    unreadable: int = 0


def list_lines(result: Result, record: Sequence[Entry], origin: float) -> Iterator[dict[str, Any]]:
    """List the lines of one experiment that ended, its head first; `origin` is when it began, monotonic."""
    where = {"experiment": result.experiment.id, "lab": result.lab}
    timing = result.timing
    yield where | {
        "type": HEAD,
        "origin_mono": origin,
        "observable": sorted(result.history.observable),
        "entries": len(record),
        "stations": [station.handoff for station in result.experiment.ledger.stations],
        "timing": {
            "duration_s": timing.duration_s,
            "inherent_s": timing.inherent_s,
            "integration_s": timing.integration_s,
            "overhead_s": timing.overhead_s,
        },
    }
    for entry in record:
        yield where | {"source": entry.source} | dict(entry.data)


def mark_judged(record: Sequence[Entry], moment: str, now: float) -> dict[str, Any]:
    """Build the fields of the entry that marks what of a record was known at a moment."""
    return {"moment": moment, "now": now, "journals": sum(entry.source != DRIVER for entry in record)}


def read_stored(lines: Iterable[str]) -> list[Stored]:
    """Read a history into experiments, in its order; what cannot be read is counted where it stood."""
    found: list[Stored] = []
    for line in lines:
        data = _parse(line)
        if data is None:
            if found:
                found[-1].unreadable += 1
            continue
        experiment, lab = str(data["experiment"]), int(data["lab"])
        if data["type"] == HEAD:
            found.append(Stored(experiment, lab, head=data))
            continue
        if not found or (found[-1].experiment, found[-1].lab) != (experiment, lab):
            found.append(Stored(experiment, lab))
        own = {name: value for name, value in data.items() if name not in _ADDED}
        found[-1].entries.append(Entry(str(data["source"]), own))
    return found


def find_moment(stored: Stored, moment: str) -> Moment | None:
    """Find what was known at a moment; None where the record does not say."""
    journals = [entry for entry in stored.entries if entry.source != DRIVER]
    driver = [entry for entry in stored.entries if entry.source == DRIVER]
    for place, entry in enumerate(driver):
        if entry.data["type"] == JUDGED and entry.data["moment"] == moment:
            known = (*journals[: entry.data["journals"]], *driver[:place])
            return Moment(tuple(each for each in known if each.data["type"] != JUDGED), entry.data["now"])
    return None


def list_damages(stored: Stored) -> Iterator[str]:
    """Say what is missing of a stored experiment; nothing where it is whole."""
    if stored.unreadable:
        yield f"{stored.unreadable} of its lines cannot be read"
    if stored.head is None:
        yield "the line that begins it is missing"
        return
    expected = stored.head.get("entries", len(stored.entries))
    if expected != len(stored.entries):
        yield f"{len(stored.entries)} of its {expected} entries are there"
    yield from _list_gaps(stored)
    if any(find_moment(stored, moment) is None for moment in (DRIVEN, RESTED)):
        yield "it does not say what was known when it was judged"


def _list_gaps(stored: Stored) -> Iterator[str]:
    last: dict[str, int] = {}
    for entry in stored.entries:
        seq = entry.data.get("seq")
        if entry.source == DRIVER or seq is None:
            continue
        if entry.source in last and seq != last[entry.source] + 1:
            yield f"the journal of {entry.source} has a gap: {last[entry.source]} is followed by {seq}"
        last[entry.source] = seq


def _parse(line: str) -> dict[str, Any] | None:
    """Read a line; None where it is none of a history."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or not {"experiment", "lab", "type"} <= data.keys():
        return None
    return data if data["type"] == HEAD or "source" in data else None
