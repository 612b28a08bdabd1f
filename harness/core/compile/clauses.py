"""A handoff as a list of checkable clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.outcomes import (
    Branch,
    DeadLetter,
    Deduplicate,
    Outcome,
    Queue,
    Reconcile,
    Recover,
    Reject,
    Renew,
    Reorder,
    Resend,
    Retry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Location
    from harness.core.stack import Breaker, Handoff, Path


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise: its id `<handoff>/<trigger>:<outcome>`, in words, where it stands, and what declares it."""

    id: str
    declared: str
    location: Location
    subject: Path | Breaker | DeadLetter | str


def list_clauses(handoff: Handoff, *, journey: bool = False) -> Iterator[Clause]:
    """
    List the clauses of a handoff: undisturbed, effects, its paths, its dead letters, its breaker.

    Where the `journey` of orders begins at it, what is owed along all of that is one more.
    """
    name, location = handoff.id, handoff.location
    yield Clause(f"{name}/clean:resolve", f"resolved within {handoff.within_s:g} s, once", location, "clean")
    if handoff.effects == "exactly_once" and handoff.protocol == "api":
        declared = "every effect exactly once, also when an answer is lost"
        yield Clause(f"{name}/lost_answer:exactly_once", declared, location, "exactly_once")
    for path in handoff.paths:
        yield Clause(f"{name}/{path.slug}", describe_path(path), path.location, path)
    if handoff.dead_letter is not None:
        rule = handoff.dead_letter
        yield Clause(f"{name}/dead_letter:escalate", describe(rule), rule.location, rule)
    if handoff.breaker is not None:
        breaker = handoff.breaker
        declared = (
            f"opens at {breaker.failures} consecutive failures, for {breaker.pause_s:g} s, {breaker.probes} probe"
        )
        yield Clause(f"{name}/breaker", declared, breaker.location, breaker)
    if handoff.protocol == "api":
        declared = "an outage raises no exception at another handoff, and drains once it is over"
        yield Clause(f"{name}/outage:contain", declared, location, "contained")
    if journey:
        declared = "an order that two handoffs fail, each once, arrives all the same, once"
        yield Clause(f"{name}/pairs:resolve", declared, location, "pairs")


def describe_path(path: Path) -> str:
    """Say what a path does, in the order it does it."""
    steps = [describe(path.outcome)]
    if path.then is not None:
        steps.append("dead letter" if isinstance(path.then, DeadLetter) else describe(path.then))
    return ", then ".join(steps)


def describe(outcome: Outcome) -> str:  # noqa: C901, PLR0911 - one line an outcome reads better than a table of lambdas
    """Say what an outcome does."""
    match outcome:
        case Retry():
            return f"{outcome.attempts} attempts"
        case Renew():
            return f"the session renewed, {outcome.retry.attempts} attempts"
        case Branch():
            return f"branch to {outcome.to}"
        case Queue():
            return f"a case for {outcome.role}"
        case DeadLetter():
            escalated = outcome.escalate_after is not None and outcome.to is not None
            return "dead letter" + (f", escalated to {outcome.to} at {outcome.escalate_after}" if escalated else "")
        case Reconcile():
            return f"reconciled within {outcome.within_s:g} s"
        case Deduplicate():
            return "every effect exactly once"
        case Reorder():
            return "the same end state as in order"
        case Reject():
            return f"answered {outcome.status}, nothing changes"
        case Recover():
            return f"recovered within {outcome.within_s:g} s"
        case Resend():
            return f"sent again at most {outcome.attempts} times"
