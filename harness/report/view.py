"""
The view of a run: everything the surfaces show, computed once and purely from run.json.

Nothing here decides a verdict. It counts, sorts and puts into words, and `arithmetic` holds the counts against what
run.json states about itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Literal

from harness.report.arithmetic import find_mismatches
from harness.report.headline import build_headline, say_broken
from harness.report.model import Backoff, Experiment, Ledger, Met, Skipped
from harness.report.reading import (
    count,
    mapping,
    number,
    read_backoff,
    read_experiments,
    read_handoffs,
    read_ledger,
    read_skipped,
    read_undeclared,
    text,
)
from harness.report.rows import HandoffRow, Totals, build_rows, count_standings


@dataclass(frozen=True, slots=True)
class Breakage:
    """One violated experiment and the sentence that tells it."""

    experiment: Experiment
    sentence: str


LeftOutState = Literal["skipped", "not exercised"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Experiments that were skipped, or clauses that met none, for one and the same reason."""

    state: LeftOutState
    why: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time went: a total and a median per kind in seconds, None where no experiment says."""

    inherent_s: float | None
    integration_s: float | None
    overhead_s: float | None
    median_inherent_s: float | None
    median_integration_s: float | None
    median_overhead_s: float | None
    elapsed_s: float | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, ready to be drawn."""

    run_id: str
    stack: str
    seed: str
    engine: str
    lab: str
    labs: int | None
    started: str
    versions: tuple[tuple[str, str], ...]
    interrupted: bool
    headline: str
    totals: Totals
    rows: tuple[HandoffRow, ...]
    experiments: tuple[Experiment, ...]
    broken: tuple[Breakage, ...]
    undecided: tuple[Experiment, ...]
    accepted: tuple[Experiment, ...]
    first_tries: tuple[Experiment, ...]
    ledger: Ledger | None
    clauses: int
    exercised: int
    left_out: tuple[LeftOut, ...]
    times: Times
    mismatches: tuple[str, ...]
    undeclared: tuple[Met, ...] = ()
    backoff: tuple[Backoff, ...] = ()

    @property
    def version(self) -> str:
        """Return the version of the harness, empty where the run does not say."""
        return dict(self.versions).get("handoff", "")


def build_view(run: Mapping[str, Any], *, timelines: Mapping[str, Mapping[str, Any]] | None = None) -> RunView:
    """
    Build the view of a parsed run.json.

    `timelines` (by experiment id) take the place of the ones inside the run. Missing and mistyped fields are shown as
    absent; nothing raises.
    """
    experiments = read_experiments(run, timelines=timelines)
    counted = tuple(experiment for experiment in experiments if not experiment.superseded)
    handoffs = {handoff.id: handoff for handoff in read_handoffs(run)}
    rows = build_rows(run, handoffs, experiments)
    skipped = read_skipped(run)
    totals = count_standings(counted, skipped=len(skipped))
    ledger = read_ledger(run)
    broken = _pick(counted, "violated")
    cells = [(row, cell) for row in rows for cell in row.cells]
    unexercised = [(f"{row.id}/{cell.clause}", cell.why) for row, cell in cells if not cell.is_exercised]
    interrupted = run.get("interrupted") is True
    return RunView(
        run_id=text(run, "run_id"),
        stack=_name_stack(run),
        seed=text(run, "seed"),
        engine=text(run, "engine"),
        lab=text(run, "lab"),
        labs=count(run, "labs"),
        started=_say_moment(run.get("started_at")),
        versions=tuple((str(key), str(value)) for key, value in mapping(run, "versions").items()),
        interrupted=interrupted,
        headline=build_headline(totals, ledger, broken, handoffs, untested=len(unexercised), interrupted=interrupted),
        totals=totals,
        rows=rows,
        experiments=experiments,
        broken=tuple(Breakage(experiment, say_broken([experiment], handoffs)) for experiment in broken),
        undecided=_pick(counted, "unknown"),
        accepted=_pick(counted, "accepted"),
        first_tries=tuple(item for item in experiments if item.superseded or item.first_try),
        ledger=ledger,
        clauses=len(cells),
        exercised=sum(cell.is_exercised for _, cell in cells),
        left_out=tuple(_group(skipped, unexercised)),
        times=_build_times(run, counted),
        mismatches=find_mismatches(run, totals, cells, counted),
        undeclared=read_undeclared(run),
        backoff=read_backoff(run),
    )


def _group(skipped: Sequence[Skipped], unexercised: Sequence[tuple[str, str]]) -> Iterator[LeftOut]:
    groups: dict[tuple[LeftOutState, str], list[str]] = {}
    for item in skipped:
        groups.setdefault(("skipped", item.reason or "no reason given"), []).append(item.id)
    for name, why in unexercised:
        groups.setdefault(("not exercised", why), []).append(name)
    for (state, why), names in groups.items():
        yield LeftOut(state, why, tuple(names))


def _pick(experiments: Sequence[Experiment], standing: str) -> tuple[Experiment, ...]:
    return tuple(experiment for experiment in experiments if experiment.standing == standing)


def _name_stack(run: Mapping[str, Any]) -> str:
    stack = mapping(run, "stack")
    return text(stack, "name") or text(stack, "path") if stack else text(run, "stack")


def _build_times(run: Mapping[str, Any], experiments: Sequence[Experiment]) -> Times:
    inherent = [e.timing.inherent_s for e in experiments if e.timing.inherent_s is not None]
    integration = [e.timing.integration_s for e in experiments if e.timing.integration_s is not None]
    overhead = [e.timing.overhead_s for e in experiments if e.timing.overhead_s is not None]
    return Times(
        inherent_s=sum(inherent) if inherent else None,
        integration_s=sum(integration) if integration else None,
        overhead_s=sum(overhead) if overhead else None,
        median_inherent_s=median(inherent) if inherent else None,
        median_integration_s=median(integration) if integration else None,
        median_overhead_s=median(overhead) if overhead else None,
        elapsed_s=_elapsed(run),
    )


def _elapsed(run: Mapping[str, Any]) -> float | None:
    stated = number(run, "duration_s")
    if stated is not None:
        return stated
    started, finished = _moment(run.get("started_at")), _moment(run.get("finished_at"))
    return (finished - started).total_seconds() if started and finished else None


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, tz=UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _say_moment(value: object) -> str:
    moment = _moment(value)
    if moment is None:
        return "" if value is None else str(value)
    return f"{moment.day} {moment:%b %Y, %H:%M} {moment.tzname() or ''}".strip()
