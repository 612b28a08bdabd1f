"""Findings about durations that contradict each other. All in production seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.durations import format_duration
from harness.core.findings import build_finding
from harness.core.outcomes import Reconcile, Recover, Resend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Breaker, Handoff, Path, Stack


def find_in_waits(stack: Stack) -> Iterator[Problem]:
    """Yield retries longer than their handoff may take, pauses shorter than gaps, recoveries that prove nothing."""
    for handoff in stack.handoffs:
        for path in handoff.paths:
            yield from _budget(handoff, path)
            yield from _reconcile(path)
        yield from _crash(handoff)
        if handoff.breaker is not None:
            yield from _pause(handoff, handoff.breaker)


def _budget(handoff: Handoff, path: Path) -> Iterator[Problem]:
    longest = _longest_s(handoff, path)
    if longest > handoff.within_s:
        yield build_finding(
            "longer-than-within",
            f"`{path.slug}` may take {format_duration(longest)}, and the handoff is to be done within "
            f"{format_duration(handoff.within_s)}",
            path.outcome.location,
            "shorten the path, or allow the handoff more time with `within`",
        )


def _longest_s(handoff: Handoff, path: Path) -> float:
    """Return the longest a path may take by its own declaration, pauses of the breaker it meets included."""
    if isinstance(path.outcome, Recover | Reconcile):
        return path.outcome.within_s
    if isinstance(path.outcome, Resend):
        return path.outcome.attempts * (path.outcome.after_s or 0.0)
    if path.retry is None:
        return 0.0
    breaker = handoff.breaker
    pauses = (path.retry.attempts - 1) // breaker.failures * breaker.pause_s if breaker is not None else 0.0
    return path.retry.budget_s + pauses


def _reconcile(path: Path) -> Iterator[Problem]:
    outcome = path.outcome
    if isinstance(outcome, Reconcile) and outcome.within_s < outcome.every_s:
        yield build_finding(
            "reconcile-too-rare",
            f"reconciling every {format_duration(outcome.every_s)} cannot heal within "
            f"{format_duration(outcome.within_s)}",
            outcome.location,
            "reconcile more often, or allow more time",
        )


def _crash(handoff: Handoff) -> Iterator[Problem]:
    reconciles = [path.outcome for path in handoff.paths if isinstance(path.outcome, Reconcile)]
    for path in handoff.paths:
        outcome = path.outcome
        if path.on.condition != "crash" or not isinstance(outcome, Recover):
            continue
        if any(outcome.within_s >= reconcile.every_s for reconcile in reconciles):
            yield build_finding(
                "crash-hidden-by-reconcile",
                f"an order lost in a crash would be found by reconciliation within {format_duration(outcome.within_s)}, "
                "so the clause cannot tell that nothing was lost",
                outcome.location,
                "recover from a crash sooner than the next reconciliation",
            )


def _pause(handoff: Handoff, breaker: Breaker) -> Iterator[Problem]:
    for path in handoff.paths:
        gaps = path.retry.gaps_s if path.retry is not None else ()
        if gaps and max(gaps) > breaker.pause_s:
            yield build_finding(
                "pause-below-gap",
                f"the pause of {format_duration(breaker.pause_s)} is shorter than the longest gap of `{path.slug}` "
                f"({format_duration(max(gaps))}), so an open breaker looks like backoff",
                breaker.location,
                "lengthen the pause, or limit the gap with `max`",
            )
