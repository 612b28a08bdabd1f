"""What a run showed beside its verdicts: what was met and is declared nowhere, and what the backoff looked like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.estimate import estimate_backoff
from harness.core.undeclared import list_undeclared
from harness.core.verdict import UnknownKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.core.estimate import Range
    from harness.core.jitter import Wait
    from harness.core.outcomes import Retry
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.core.undeclared import Undeclared


def list_undeclared_rows(stack: Stack, results: Sequence[Result]) -> list[dict[str, Any]]:
    """List what was met and is declared nowhere: once each, how often, in which experiments, and where first."""
    found: dict[tuple[str, str, str], list[tuple[Result, Undeclared]]] = {}
    for result in results:
        for each in list_undeclared(result.history, stack) if _is_in_order(result) else ():
            found.setdefault((each.kind, each.where, each.what), []).append((result, each))
    return [
        {
            "kind": kind,
            "where": where,
            "what": what,
            "count": len(met),
            "experiments": list(dict.fromkeys(result.experiment.id for result, _ in met)),
            "exchange": met[0][1].exchange,
            "t": None if met[0][1].t is None else round(met[0][1].t, 4),
        }
        for (kind, where, what), met in sorted(found.items())
    ]


def list_backoff_rows(stack: Stack, results: Sequence[Result]) -> list[dict[str, Any]]:
    """
    List the clauses that retry: what they declare, and what all waits of their experiments look like.

    Both are in production seconds: what was waited in the lab is multiplied by the scale.
    """
    scale = stack.time.scale
    waits: dict[str, list[Wait]] = {}
    for result in results:
        if _is_in_order(result):
            seen = [wait for check in result.verdict.checks for wait in check.waits]
            waits.setdefault(result.experiment.clause, []).extend(seen)
    rows = []
    for clause, retry in _list_retries(stack):
        if waits.get(clause):
            estimate = estimate_backoff(waits[clause]).multiply(scale)
            rows.append(
                {
                    "clause": clause,
                    "declared": _say_retry(retry),
                    "observed": str(estimate),
                    "waits": estimate.waits,
                    "jitter": list(estimate.families),
                    "base_s": _show_range(estimate.base),
                    "factor": _show_range(estimate.factor),
                    "cap_s": _show_range(estimate.cap),
                }
            )
    return rows


def _is_in_order(result: Result) -> bool:
    """Tell whether the lab was in order, so that what was met there is the integration's."""
    broken = {UnknownKind.ENVIRONMENT, UnknownKind.INTERFERENCE}
    return not any(gate.kind in broken and not gate.passed for gate in result.verdict.gates)


def _list_retries(stack: Stack) -> Iterator[tuple[str, Retry]]:
    for handoff in stack.handoffs:
        for path in handoff.paths:
            if path.retry is not None:
                yield f"{handoff.id}/{path.slug}", path.retry


def _say_retry(retry: Retry) -> str:
    jitter = "no jitter" if retry.jitter == "none" else f"{retry.jitter} jitter"
    factor = [] if retry.jitter == "decorrelated" else [f"factor {retry.factor:g}"]
    cap = [f"at most {retry.max_s:g} s"] if retry.max_s is not None else []
    return ", ".join([jitter, f"base {retry.initial_s:g} s", *factor, *cap])


def _show_range(found: Range | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {
        "likeliest": round(found.likeliest, 4),
        "lowest": round(found.lowest, 4),
        "highest": round(found.highest, 4),
    }
