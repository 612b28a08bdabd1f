"""A result in a few lines of words, for whoever has only a console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.result import Result


def describe_result(result: Result) -> Iterator[str]:
    """Say the verdict, declared beside observed, the receipts and what is left of the evidence."""
    experiment, verdict = result.experiment, result.verdict
    if result.rerun_of is not None:
        yield f"first run  unknown: {result.rerun_of.verdict.reason}"
    kind = f" ({verdict.kind})" if verdict.kind is not None and verdict.outcome is Outcome.UNKNOWN else ""
    yield f"{str(verdict.outcome).upper()}{kind}  {experiment.id}"
    yield f"declared   {experiment.declared}    {experiment.location}"
    yield f"observed   {verdict.reason}"
    for gate in verdict.gates:
        if not gate.passed:
            yield f"gate       {gate.name}: {gate.detail}"
    for check in verdict.checks:
        if check.outcome is not Outcome.HELD:
            yield f"{check.outcome:<10} {check.name}: declared {check.declared}; observed {check.observed}"
            yield from (f"           {_time(item.t)}{item.what}" for item in check.evidence)
    for fault in experiment.faults:
        yield f"receipts   {fault.id}: {len(result.history.hits(fault.id))} (at least {fault.minimum})"


def _time(t: float | None) -> str:
    return "" if t is None else f"{t:.2f} s  "
