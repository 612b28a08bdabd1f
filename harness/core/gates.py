"""Evidence gates: what must be true before anything that was seen counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.experiments import HALT
from harness.core.verdict import CheckResult, Gate, Outcome, UnknownKind, Verdict, build_unknown, merge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.experiments import Check, Experiment
    from harness.core.history import History


def judge(experiment: Experiment, history: History) -> Verdict:
    """Judge an experiment: gates first, then every check; a check that raises is an unknown, not a crash."""
    return merge(list_gates(experiment, history), [run_check(check, history) for check in experiment.checks])


def run_check(check: Check, history: History) -> CheckResult:
    """
    Run one check, under the name it has in its experiment; whatever it raises makes it unknown.

    So does a promise that was broken by being late, by no more than the lab's own processes were held up.
    """
    try:
        return replace(_weigh(check.judge(history), history.disturbance_s), name=check.name)
    except Exception as error:  # noqa: BLE001 - a crashed check must never decide nor stop the others
        observed = f"the check {check.name} crashed: {type(error).__name__}: {error}"
        return build_unknown(check.name, "the check runs", observed, UnknownKind.INTERFERENCE)


def _weigh(result: CheckResult, disturbance_s: float) -> CheckResult:
    if result.outcome is not Outcome.VIOLATED or result.margin_s is None or result.margin_s > disturbance_s:
        return result
    observed = (
        f"{result.observed}; late by {result.margin_s:.2f} s, but the lab itself was held up for {disturbance_s:.2f} s"
    )
    return replace(result, outcome=Outcome.UNKNOWN, observed=observed, kind=UnknownKind.INTERFERENCE)


def list_gates(experiment: Experiment, history: History) -> tuple[Gate, ...]:
    """List the gates of an experiment in the order they are asked."""
    return (
        _environment(history),
        _healthy(history),
        _witnesses(history),
        _attributed(experiment, history),
        _traffic(history),
        *_receipts(experiment, history),
    )


def _environment(history: History) -> Gate:
    """Ask for troubles of the lab: all that are not said to be the harness's own."""
    troubles = [trouble.what for trouble in history.troubles if trouble.kind != UnknownKind.INTERFERENCE]
    return Gate("environment", not troubles, UnknownKind.ENVIRONMENT, _join(troubles))


def _healthy(history: History) -> Gate:
    troubles = [trouble.what for trouble in history.troubles if trouble.kind == UnknownKind.INTERFERENCE]
    return Gate("harness healthy", not troubles, UnknownKind.INTERFERENCE, _join(troubles))


def _witnesses(history: History) -> Gate:
    return Gate("witnesses agree", not history.disagreements, UnknownKind.INTERFERENCE, _join(history.disagreements))


def _attributed(experiment: Experiment, history: History) -> Gate:
    """Ask that every call tells its order: what cannot be attributed may be the very thing a check misses."""
    calls = [
        str(call)
        for call in history.attempts(experiment.operations)
        if call.fake and not call.shared and call.order is None and history.is_foreign(call.entity)
    ]
    ends = {
        (station.end.system, station.end.collection)
        for station in experiment.ledger.stations
        if station.end is not None and station.start.subject == experiment.subject
    }
    records = [
        f"{change.collection} {change.record_id}"
        for change in history.changes
        if (change.system, change.collection) in ends and change.order is None and history.is_foreign(change.entity)
    ]
    found = calls or records
    detail = (
        f"nobody can tell which order this is about: {_join(found)}; integration.entity can say how" if found else ""
    )
    return Gate("attributed", not found, UnknownKind.NOT_OBSERVABLE, detail)


def _traffic(history: History) -> Gate:
    moved = bool(history.exchanges or history.deliveries)
    return Gate("traffic", moved, UnknownKind.VACUOUS, "" if moved else "no traffic at all: nothing was tested")


def _receipts(experiment: Experiment, history: History) -> Iterable[Gate]:
    # An order that some of the faults kept from coming further need not have met the others.
    kept = history.when(HALT) is not None and any(history.hits(fault.id) for fault in experiment.faults)
    for fault in experiment.faults:
        # A call that it holds for good leaves no other receipt.
        count = len(history.hits(fault.id)) + (fault.id in history.holding)
        passed = kept or count >= fault.minimum
        detail = f"{count} receipts, at least {fault.minimum} needed"
        if not passed:
            touched = "touched too little" if count else "never touched"
            detail = f"the fault {fault.id} ({fault.kind} at {fault.target}) {touched} traffic: {detail}"
        yield Gate(f"receipts {fault.id}", passed, UnknownKind.VACUOUS, detail)


def _join(sentences: Iterable[str]) -> str:
    found = list(sentences)
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more
