"""
An experiment's record as lines of history.ndjson: written when it ended, read to judge it again.

A head says what the lines alone do not: when it began, what could be asked, how many lines follow. Among the driver's entries
two `judged` ones mark what was known when the steps were done, and when the lab was at rest. What is missing is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from harness.core.packing import Packer
from harness.core.record import DRIVER, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.core.result import Result

HEAD, JUDGED = "experiment", "judged"
DRIVEN, RESTED = "driven", "rested"
# What a line says of its entry beside it, and what of an entry no judgement asks for: there may be a million of them.
_LEFT_OUT = frozenset(
    {"experiment", "lab", "source"}
    | {"at", "address", "answered_mono", "connection", "event_id", "listener"}
    | {"request_bytes", "response_bytes", "response_mono", "response_sha256"}
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known at a moment: entries of journals and driver, and when that was, in seconds since the experiment began."""

    journals: tuple[Entry, ...]
    driver: tuple[Entry, ...]
    now: float

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that was known."""
        return (*self.journals, *self.driver)

    def list_since(self, earlier: Moment | None) -> tuple[Entry, ...]:
        """List what has become known since an earlier moment of the same record."""
        if earlier is None:
            return self.entries
        return (*self.journals[len(earlier.journals) :], *self.driver[len(earlier.driver) :])


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
    """
    Read a history into experiments, in its order; what cannot be read is counted where it stood.

    Of the entries there is what they can be judged by.
    """
    found: list[Stored] = []
    packer = Packer()
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
        found[-1].entries.append(Entry(intern(str(data["source"])), packer.pack(data, without=_LEFT_OUT)))
    return found


def find_moments(stored: Stored) -> dict[str, Moment]:
    """Find what was known at each moment the record tells of."""
    journals = tuple(entry for entry in stored.entries if entry.source != DRIVER)
    moments: dict[str, Moment] = {}
    driver: list[Entry] = []
    for entry in stored.entries:
        if entry.source != DRIVER:
            continue
        if entry.data["type"] != JUDGED:
            driver.append(entry)
        elif entry.data["moment"] not in moments:
            known = journals[: entry.data["journals"]]
            moments[entry.data["moment"]] = Moment(known, tuple(driver), entry.data["now"])
    return moments


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
    marked = {each.data["moment"] for each in stored.entries if each.source == DRIVER and each.data["type"] == JUDGED}
    if not marked >= {DRIVEN, RESTED}:
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
        data = from_json(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or not {"experiment", "lab", "type"} <= data.keys():
        return None
    return data if data["type"] == HEAD or "source" in data else None
