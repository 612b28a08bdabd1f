"""What is questionable in a stack before anything runs. Reasons in production time, whatever the scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.findings import build_finding
from harness.core.lint_breaker import find_in_breakers
from harness.core.lint_ends import find_in_ends
from harness.core.lint_paths import find_in_paths
from harness.core.lint_plan import find_unexercised
from harness.core.lint_roles import find_in_roles
from harness.core.lint_triggers import find_in_triggers
from harness.core.lint_waits import find_in_waits

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Path, Stack


def lint_stack(stack: Stack, *, today: dt.date | None = None) -> tuple[Problem, ...]:
    """Return the findings of a valid stack in the order of the file; `today` tells which `accept` entries are over."""
    found = [problem for rule in _RULES for problem in rule(stack)]
    if today is not None:
        found += _expired(stack, today)
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column, problem.code)))


def note_unexercised(stack: Stack, findings: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the findings of a stack with what no experiment asks about, but for lines where one says why already."""
    found = tuple(findings)
    told = {problem.line for problem in found}
    notes = (note for note in find_unexercised(stack) if note.line not in told)
    return tuple(sorted((*found, *notes), key=lambda problem: (problem.line, problem.column, problem.code)))


def _handoffs(stack: Stack) -> Iterator[Problem]:
    for handoff in stack.handoffs:
        if handoff.source == handoff.target:
            yield build_finding(
                "handoff-to-itself",
                f"handoff `{handoff.id}` goes from {handoff.source} to {handoff.target}",
                handoff.location,
                "name the system that receives the work",
            )
        if not handoff.paths:
            yield build_finding(
                "no-paths",
                f"handoff `{handoff.id}` declares no resolution path, so nothing about it can be checked",
                handoff.location,
                "say what is done about each failure under `paths`",
            )


def _observable(stack: Stack) -> Iterator[Problem]:
    """Yield what cannot be judged because the integration does not show it."""
    observe = stack.integration.observe
    needs = (
        ("dead_letters", observe.dead_letters, [path for path in _paths(stack) if path.dead_letter is not None]),
        ("queues", observe.queues, [path for path in _paths(stack) if path.queue is not None]),
    )
    for name, source, paths in needs:
        if source is None and paths:
            clauses = ", ".join(path.slug for path in paths[:3]) + (" and others" if len(paths) > 3 else "")
            yield build_finding(
                "not-observable",
                f"`observe.{name}` is missing, so parts of {clauses} will be unknown",
                stack.integration.location,
                f"serve them, or adapt: `observe: {{{name}: {{command: …}}}}`",
            )


def _paths(stack: Stack) -> list[Path]:
    return [path for handoff in stack.handoffs for path in handoff.paths]


def _expired(stack: Stack, today: dt.date) -> Iterator[Problem]:
    for entry in stack.accept:
        if entry.until < today:
            yield build_finding(
                "accept-expired",
                f"`{entry.clause}` was accepted until {entry.until.isoformat()}; its verdict counts again",
                entry.location,
                "fix what it excused, or accept it anew with a reason",
            )


_RULES: tuple[Callable[[Stack], Iterator[Problem]], ...] = (
    find_in_roles,
    _handoffs,
    _observable,
    find_in_ends,
    find_in_triggers,
    find_in_paths,
    find_in_breakers,
    find_in_waits,
)
