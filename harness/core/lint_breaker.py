"""Findings about breakers: one that can never open, one that pauses for too short a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.durations import format_duration
from harness.core.findings import build_finding
from harness.core.stack import INTEGRATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Breaker, Handoff, Path, Stack


def find_in_breakers(stack: Stack) -> Iterator[Problem]:
    """Yield breakers that never open and pauses that are too short for the retries they pause."""
    for handoff in stack.handoffs:
        if handoff.breaker is not None:
            yield from _never_opens(handoff, handoff.breaker)
            yield from _untold(handoff, handoff.breaker)
            for path in handoff.paths:
                yield from _pause(handoff.breaker, path)


def _never_opens(handoff: Handoff, breaker: Breaker) -> Iterator[Problem]:
    if handoff.protocol != "api" or handoff.target == INTEGRATION:
        yield build_finding(
            "breaker-never-opens",
            f"the breaker of `{handoff.id}` can never open: the integration makes no calls at a handoff by "
            f"{handoff.protocol} to {handoff.target}",
            breaker.location,
            "move it to the handoff whose calls fail",
        )
        return
    most = _most_failures_a_week(handoff)
    if most is not None and breaker.failures > most:
        yield build_finding(
            "breaker-never-opens",
            f"the breaker of `{handoff.id}` waits for {breaker.failures} failures in a row, and all exceptions of a week "
            f"with all their attempts are {most:g}",
            breaker.location,
            "lower `failures` to what an outage of some minutes brings",
        )


def _most_failures_a_week(handoff: Handoff) -> float | None:
    """Return how many failed calls the declared recurrence can make in a week; None where none is declared."""
    if not handoff.recurrence_per_week:
        return None
    attempts = max((path.retry.attempts for path in handoff.paths if path.retry is not None), default=1)
    return handoff.recurrence_per_week * attempts


def _untold(handoff: Handoff, breaker: Breaker) -> Iterator[Problem]:
    if breaker.alert is None:
        yield build_finding(
            "breaker-without-alert",
            f"the breaker of `{handoff.id}` pauses the handoff and tells nobody",
            breaker.location,
            "add `alert:` with the owning role",
        )


def _pause(breaker: Breaker, path: Path) -> Iterator[Problem]:
    gaps = path.retry.gaps_s if path.retry is not None else ()
    if not gaps:
        return
    if max(gaps) > breaker.pause_s:
        yield build_finding(
            "pause-below-gap",
            f"the pause of {format_duration(breaker.pause_s)} is shorter than the longest gap of `{path.slug}` "
            f"({format_duration(max(gaps))}), so an open breaker looks like backoff",
            breaker.location,
            "lengthen the pause, or limit the gap with `max`",
        )
    elif sum(gaps) > breaker.pause_s:
        yield build_finding(
            "longer-than-pause",
            f"`{path.slug}` may retry for {format_duration(sum(gaps))}, longer than the pause of "
            f"{format_duration(breaker.pause_s)}",
            path.outcome.location,
            "shorten the retries, or lengthen the pause",
        )
