"""Findings about durations that contradict each other, or the vendor's own. All in production seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.durations import format_duration
from harness.core.findings import build_finding
from harness.core.lint_vendors import find_facts
from harness.core.outcomes import Reconcile, Recover, Renew, Resend, Retry
from harness.core.stack import INTEGRATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.outcomes import Outcome
    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Path, Stack


def find_in_waits(stack: Stack) -> Iterator[Problem]:
    """Yield paths longer than their handoff, their session or their sender allows, and recoveries that prove nothing."""
    for handoff in stack.handoffs:
        for path in handoff.paths:
            yield from _within(handoff, path)
            yield from _session(stack, handoff, path)
            yield from _ladder(stack, handoff, path)
            yield from _reconcile(path)
        yield from _crash(handoff)


def _within(handoff: Handoff, path: Path) -> Iterator[Problem]:
    longest = _longest_s(handoff, path)
    if longest > handoff.within_s:
        yield build_finding(
            "longer-than-within",
            f"`{path.slug}` may take {format_duration(longest)}, and the handoff is to be done within "
            f"{format_duration(handoff.within_s)}",
            path.outcome.location,
            "shorten the path, or allow the handoff more time with `within`",
        )


def _session(stack: Stack, handoff: Handoff, path: Path) -> Iterator[Problem]:
    session_s = find_facts(stack, handoff.target).session_s
    longest = _longest_s(handoff, path) if path.retry is not None else 0.0
    if session_s is not None and longest > session_s:
        renews = any(isinstance(other.outcome, Renew) for other in handoff.paths)
        after = "each renewal in between begins a policy of its own" if renews else "nothing renews it in between"
        yield build_finding(
            "longer-than-session",
            f"`{path.slug}` may retry for {format_duration(longest)}, and a session at {handoff.target} lives "
            f"{format_duration(session_s)}: {after}",
            path.outcome.location,
            "retry for less than a session, and hand over to `then` what still fails",
        )


def _ladder(stack: Stack, handoff: Handoff, path: Path) -> Iterator[Problem]:
    """Compare what waits for a sender with how long that sender goes on; a look at both sides needs no sender."""
    gives_up_s = find_facts(stack, handoff.source).gives_up_s
    inbound = handoff.protocol == "webhook" and handoff.target == INTEGRATION
    if gives_up_s is None or not inbound or isinstance(path.outcome, Reconcile):
        return
    longest = _longest_s(handoff, path)
    if longest > gives_up_s:
        yield build_finding(
            "longer-than-ladder",
            f"`{path.slug}` may take {format_duration(longest)}, and {handoff.source} gives a webhook up after "
            f"{format_duration(gives_up_s)}",
            path.outcome.location,
            "shorten it, or find what was given up with `reconcile:`",
        )


def _longest_s(handoff: Handoff, path: Path) -> float:
    """Return the longest a path may take by its own declaration, pauses of the breaker it meets included."""
    steps = (path.outcome,) if path.then is None else (path.outcome, path.then)
    return sum(_step_s(handoff, step) for step in steps)


def _step_s(handoff: Handoff, step: Outcome) -> float:
    if isinstance(step, Recover | Reconcile):
        return step.within_s
    if isinstance(step, Resend):
        return step.attempts * (step.after_s or 0.0)
    retry = step.retry if isinstance(step, Renew) else step
    if not isinstance(retry, Retry):
        return 0.0
    breaker = handoff.breaker
    pauses = (retry.attempts - 1) // breaker.failures * breaker.pause_s if breaker is not None else 0.0
    return retry.budget_s + pauses


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
