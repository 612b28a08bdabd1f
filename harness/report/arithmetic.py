"""Hold what run.json states about itself against what its experiments add up to; a report that does not add up says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.report.model import Experiment
from harness.report.reading import count, mapping
from harness.report.rows import Cell, HandoffRow, Totals

_SHOWN = 20


def find_mismatches(
    run: Mapping[str, Any],
    totals: Totals,
    cells: Sequence[tuple[HandoffRow, Cell]],
    experiments: Sequence[Experiment],
) -> tuple[str, ...]:
    """Return one sentence for each number or verdict of run.json that contradicts its own experiments, twenty at most."""
    found = [
        *_compare_summary(mapping(run, "summary"), totals),
        *_compare_coverage(mapping(run, "coverage"), [cell for _, cell in cells]),
        *_compare_clauses(cells),
        *(line for experiment in experiments for line in _question_held(experiment)),
    ]
    more = len(found) - _SHOWN
    return (*found[:_SHOWN], f"and {more} more") if more > 0 else tuple(found)


def _compare_summary(summary: Mapping[str, Any], totals: Totals) -> Iterator[str]:
    for name in ("held", "violated", "unknown", "accepted", "skipped"):
        stated, counted = count(summary, name), getattr(totals, name)
        if stated is not None and stated != counted:
            yield f"the summary states {stated} {name}, the experiments add up to {counted}"


def _compare_coverage(coverage: Mapping[str, Any], cells: Sequence[Cell]) -> Iterator[str]:
    counted = {"clauses": len(cells), "exercised": sum(cell.is_exercised for cell in cells)}
    for name, number in counted.items():
        stated = count(coverage, name)
        if stated is not None and stated != number:
            yield f"the coverage states {stated} {name}, its matrix and the experiments add up to {number}"


def _compare_clauses(cells: Iterable[tuple[HandoffRow, Cell]]) -> Iterator[str]:
    for row, cell in cells:
        verdict = _merge(cell.experiments)
        if cell.stated in {"held", "violated", "unknown"} and verdict and cell.stated != verdict:
            yield f"the matrix states {cell.stated} for {row.id}/{cell.clause}, its experiments merge to {verdict}"


def _merge(experiments: Sequence[Experiment]) -> str:
    verdicts = {experiment.verdict for experiment in experiments}
    return next((worst for worst in ("violated", "unknown", "held") if worst in verdicts), "")


def _question_held(experiment: Experiment) -> Iterator[str]:
    if experiment.verdict != "held":
        return
    for gate in experiment.gates:
        if not gate.passed:
            yield f"{experiment.id} is held although its gate “{gate.name}” failed"
    for check in experiment.checks:
        if check.verdict != "held":
            yield f"{experiment.id} is held although its check “{check.name}” is {check.verdict}"
    for fault in experiment.faults:
        if fault.receipts is not None and fault.min_receipts is not None and fault.receipts < fault.min_receipts:
            yield f"{experiment.id} is held although fault {fault.id} left {fault.receipts} receipts of at least {fault.min_receipts}"
