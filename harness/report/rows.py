"""The matrix of handoffs and clauses: one row a handoff, one cell a clause, the experiments of the clause inside the cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.model import CellStanding, Experiment, Handoff
from harness.report.phrases import name_system, say_clause
from harness.report.reading import clause_of, mapping, objects, text

_WORST_FIRST: tuple[CellStanding, ...] = ("violated", "unknown", "accepted", "held")


@dataclass(frozen=True, slots=True)
class Totals:
    """How many experiments stand how; reruns count once."""

    held: int
    violated: int
    unknown: int
    accepted: int
    skipped: int = 0

    @property
    def judged(self) -> int:
        """Return the number of experiments that ran, whatever their verdict."""
        return self.held + self.violated + self.unknown + self.accepted


@dataclass(frozen=True, slots=True)
class Cell:
    """One clause of a handoff with its experiments; `stated` is the verdict run.json gives for the clause itself."""

    clause: str
    label: str
    location: str
    declared: str
    standing: CellStanding
    stated: str
    why: str
    experiments: tuple[Experiment, ...]

    @property
    def is_exercised(self) -> bool:
        """Say whether the clause met at least one experiment."""
        return self.standing != "not_exercised"

    @property
    def anchor(self) -> str:
        """Return the anchor of the experiment that explains the standing, empty when there is none."""
        worst = [item for item in self.experiments if item.standing == self.standing]
        return (worst or list(self.experiments))[0].anchor if self.experiments else ""


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """One handoff with its clauses, and all its experiments, superseded ones included."""

    id: str
    route: str
    protocol: str
    owner: str
    impact: str
    cells: tuple[Cell, ...]
    experiments: tuple[Experiment, ...]
    totals: Totals


def count_standings(experiments: Iterable[Experiment], *, skipped: int = 0) -> Totals:
    """Count how the experiments stand; superseded ones are left out."""
    standings = [experiment.standing for experiment in experiments if not experiment.superseded]
    return Totals(
        held=standings.count("held"),
        violated=standings.count("violated"),
        unknown=standings.count("unknown"),
        accepted=standings.count("accepted"),
        skipped=skipped,
    )


def build_rows(
    run: Mapping[str, Any], handoffs: Mapping[str, Handoff], experiments: Sequence[Experiment]
) -> tuple[HandoffRow, ...]:
    """
    Build the rows from the coverage matrix and the experiments.

    A clause the matrix forgot, and a handoff the list forgot, get their place from the experiments: what ran is shown.
    """
    matrix = objects(mapping(run, "coverage"), "matrix")
    names = [*handoffs, *(text(item, "handoff") for item in matrix), *(item.handoff for item in experiments)]
    return tuple(
        _build_row(
            handoffs.get(name) or Handoff(name, "", "", "", "", ""),
            [item for item in matrix if text(item, "handoff") == name],
            [item for item in experiments if item.handoff == name],
        )
        for name in dict.fromkeys(names)
        if name
    )


def _build_row(handoff: Handoff, matrix: Sequence[Mapping[str, Any]], experiments: Sequence[Experiment]) -> HandoffRow:
    listed = {clause_of(item, "", handoff.id): item for item in matrix}
    clauses = dict.fromkeys([*listed, *(item.clause for item in experiments)])
    return HandoffRow(
        id=handoff.id,
        route=" → ".join(name_system(end) for end in (handoff.source, handoff.target) if end),
        protocol=handoff.protocol.replace("_", " "),
        owner=handoff.owner,
        impact="" if handoff.impact == "none" else handoff.impact.replace("_", " "),
        cells=tuple(
            _build_cell(clause, listed.get(clause, {}), [item for item in experiments if item.clause == clause])
            for clause in clauses
        ),
        experiments=tuple(experiments),
        totals=count_standings(experiments),
    )


def _build_cell(clause: str, stated: Mapping[str, Any], experiments: Sequence[Experiment]) -> Cell:
    counted = tuple(item for item in experiments if not item.superseded)
    why = text(stated, "not_exercised")
    standings = {item.standing for item in counted}
    standing: CellStanding = next((worst for worst in _WORST_FIRST if worst in standings), "not_exercised")
    first = counted[0] if counted else None
    return Cell(
        clause=clause,
        label=say_clause(clause),
        location=text(stated, "location") or (first.location if first else ""),
        declared=text(stated, "declared") or (first.declared if first else ""),
        standing=standing,
        stated=text(stated, "verdict"),
        why=why or ("" if counted else "none of its experiments ran"),
        experiments=counted,
    )
