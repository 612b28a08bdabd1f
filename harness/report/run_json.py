"""run.json: a run as one document; its shape is given in docs/contract.md and never renamed."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.checks.ledger import Row
from harness.core.compile.kinds import find_kind
from harness.core.verdict import Outcome
from harness.report.beside import list_backoff_rows, list_undeclared_rows
from harness.report.story import build_timeline
from harness.wire.privacy import OURS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from harness.core.checks.ledger import Entry
    from harness.core.experiments import Experiment, Plan
    from harness.core.faults import Fault
    from harness.core.history import History
    from harness.core.result import Result, Skipped
    from harness.core.stack import Accept, Handoff, Stack
    from harness.core.verdict import CheckResult

SCHEMA = "handoff-run/1"
# Rows that are wrong, as the run's ledger names them.
PAYMENT = "payment_intent"
WRONG = (Row.LOST, Row.DUPLICATED)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run beside its results; `integration` are the words of the command line that chose it."""

    run_id: str
    stack: Stack
    stack_path: str
    seed: int
    engine: str
    lab: str
    labs: int
    started_at: dt.datetime
    today: dt.date
    versions: Mapping[str, str]
    interrupted: bool = False
    finished_at: dt.datetime | None = None
    integration: tuple[str, ...] = ()


def build_head(info: RunInfo, schema: str) -> dict[str, Any]:
    """Build what every document of the labs begins with: what was run, when, where, and by which versions."""
    return {
        "schema": schema,
        "run_id": info.run_id,
        "stack": info.stack.name,
        "stack_path": info.stack_path,
        "seed": info.seed,
        "engine": info.engine,
        "lab": info.lab,
        "labs": info.labs,
        "started_at": info.started_at.isoformat(),
        "finished_at": info.finished_at.isoformat() if info.finished_at else None,
        "interrupted": info.interrupted,
        "versions": dict(info.versions),
    }


def build_run(info: RunInfo, plan: Plan, results: Sequence[Result], skipped: Sequence[Skipped]) -> dict[str, Any]:
    """Build the document of a run, every count derived from the results; secrets, cards and people are in none of it."""
    shown = [build_experiment(info, each) for result in results for each in _with_first(result)]
    verdicts = {result.experiment.id: result.verdict.outcome for result in results}
    accepted = [item for item in shown if "accepted" in item and item["verdict"] != Outcome.HELD]
    counted = Counter(str(outcome) for outcome in verdicts.values())
    for item in accepted:
        counted[item["verdict"]] -= 1
    document = {
        **build_head(info, SCHEMA),
        "handoffs": [_show_handoff(handoff) for handoff in info.stack.handoffs],
        "experiments": shown,
        "skipped": [{"id": each.id, "reason": each.reason, "applicable": each.applicable} for each in skipped],
        "coverage": _build_coverage(plan, verdicts),
        "ledger": _build_ledger(results),
        "undeclared": list_undeclared_rows(info.stack, results),
        "backoff": list_backoff_rows(info.stack, results),
        "summary": {
            "held": counted[Outcome.HELD],
            "violated": counted[Outcome.VIOLATED],
            "unknown": counted[Outcome.UNKNOWN],
            "accepted": len(accepted),
            "skipped": len(skipped),
        },
    }
    return OURS.redact_fields(document)


def build_experiment(info: RunInfo, result: Result) -> dict[str, Any]:
    """Build the entry of one experiment, redacted as the document is."""
    experiment, verdict = result.experiment, result.verdict
    shown: dict[str, Any] = {
        "id": experiment.id,
        "handoff": experiment.handoff,
        "clause": experiment.clause,
        "shape": experiment.shape,
        "faults": [_show_fault(fault, result.history) for fault in experiment.faults],
        "verdict": str(verdict.outcome),
        "reason": verdict.reason,
        "declared": _declared(result),
        "observed": verdict.reason,
        "location": experiment.location,
        "gates": [{"name": gate.name, "passed": gate.passed, "detail": gate.detail} for gate in verdict.gates],
        "checks": [_show_check(check) for check in verdict.checks],
        "duration_s": round(result.timing.duration_s, 4),
        "inherent_wait_s": round(result.timing.inherent_s, 4),
        "integration_s": round(result.timing.integration_s, 4),
        "overhead_s": round(result.timing.overhead_s, 4),
        "lab": result.lab,
        "reproduce": build_reproduce(info, experiment.id),
        "timeline": build_timeline(experiment, result.history),
    }
    if verdict.kind is not None and verdict.outcome is Outcome.UNKNOWN:
        shown["unknown_kind"] = str(verdict.kind)
    accept = find_accept(info.stack.accept, experiment, info.today)
    if accept is not None:
        shown["accepted"] = {"reason": accept.reason, "until": accept.until.isoformat()}
    if result.rerun_of is not None:
        shown["rerun_of"] = experiment.id
    return OURS.redact_fields(shown)


def build_reproduce(info: RunInfo, experiment: str) -> str:
    """Build the command that runs this experiment alone, under the same seed, against the same integration."""
    words = ["handoff", "run", info.stack_path, *info.integration, "--seed", str(info.seed), "-k", experiment]
    return shlex.join(words)


def find_accept(accepts: Iterable[Accept], experiment: Experiment, today: dt.date) -> Accept | None:
    """Find the unexpired acceptance of an experiment, or of its whole clause."""
    about = {experiment.clause, experiment.id}
    return next((accept for accept in accepts if accept.clause in about and today <= accept.until), None)


def _with_first(result: Result) -> tuple[Result, ...]:
    return (result,) if result.rerun_of is None else (result.rerun_of, result)


def _declared(result: Result) -> str:
    """Say what was declared: by the check that decided, or by the clause where none did."""
    deciding = [check for check in result.verdict.checks if check.outcome is result.verdict.outcome]
    if result.verdict.outcome is Outcome.VIOLATED and deciding:
        return deciding[0].declared
    return result.experiment.declared


def _show_fault(fault: Fault, history: History) -> dict[str, Any]:
    return {
        "id": fault.id,
        "kind": fault.kind,
        "target": fault.target,
        "min_receipts": fault.minimum,
        "expected_receipts": fault.expected,
        "receipts": [
            {
                "t": round(receipt.t, 4),
                "where": receipt.where,
                "client_saw": receipt.client_saw,
                "server_saw": receipt.server_saw,
                "entity": history.order(receipt.order).name if receipt.order else None,
            }
            for receipt in history.hits(fault.id)
        ],
    }


def _show_check(check: CheckResult) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": check.name,
        "verdict": str(check.outcome),
        "declared": check.declared,
        "observed": check.observed,
        "evidence": [
            {"what": item.what}
            | ({"t": round(item.t, 4)} if item.t is not None else {})
            | ({"exchange": item.exchange} if item.exchange else {})
            for item in check.evidence
        ],
    }
    if check.kind is not None:
        shown["unknown_kind"] = str(check.kind)
    return shown


def _show_handoff(handoff: Handoff) -> dict[str, Any]:
    return {
        "id": handoff.id,
        "from": handoff.source,
        "to": handoff.target,
        "protocol": handoff.protocol,
        "owner": handoff.owner,
        "impact": handoff.impact,
    }


def _build_coverage(plan: Plan, verdicts: Mapping[str, Outcome]) -> dict[str, Any]:
    rows = []
    for clause in plan.coverage:
        ran = [(name, verdicts[name]) for name in clause.experiments if name in verdicts]
        row: dict[str, Any] = {
            "handoff": clause.handoff,
            "clause": clause.clause,
            "location": clause.location,
            "declared": clause.declared,
            "experiments": [
                {
                    "id": name,
                    "shape": shape,
                    "kind": find_kind(clause.clause, shape),
                    "verdict": str(outcome),
                }
                for name, outcome in ran
                for shape in [name.rsplit("/", 1)[1]]
            ],
        }
        if ran:
            row["verdict"] = str(worst([outcome for _, outcome in ran]))
        elif clause.not_exercised:
            row["not_exercised"] = clause.not_exercised
        if clause.placebo:
            row["placebo"] = clause.placebo
        if clause.gaps:
            row["gaps"] = [{"what": gap.what, "why": gap.why} for gap in clause.gaps]
        if clause.absent:
            row["absent"] = [{"kind": each.what, "why": each.why} for each in clause.absent]
        rows.append(row)
    return {"clauses": len(rows), "exercised": sum("verdict" in row for row in rows), "matrix": rows}


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the worst of several verdicts."""
    order = (Outcome.VIOLATED, Outcome.UNKNOWN, Outcome.HELD)
    return next(outcome for outcome in order if outcome in outcomes)


def _build_ledger(results: Sequence[Result]) -> dict[str, Any]:
    entries: list[Entry] = [entry for result in results for entry in result.ledger]
    rows = Counter(entry.row for entry in entries)
    stations = {station for result in results for station in result.experiment.ledger.stations}
    paid = any(station.end is not None and station.end.record == PAYMENT for station in stations)
    return {
        "orders": len(entries),
        "captured": sum(entry.captured for entry in entries) if paid else None,
        "posted": rows[Row.POSTED] + rows[Row.FULFILLED],
        "fulfilled": rows[Row.FULFILLED],
        "parked": rows[Row.PARKED],
        "cancelled": rows[Row.CANCELLED],
        "unseen": rows[Row.UNSEEN],
        "lost": rows[Row.LOST],
        "duplicated": rows[Row.DUPLICATED],
        "violations": [
            {"entity": entry.name, "state": str(entry.row), "story": list(entry.story)}
            for entry in entries
            if entry.row in WRONG
        ],
    }
