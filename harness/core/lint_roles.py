"""Findings about people: who owns a handoff, who is alerted, who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.findings import build_finding
from harness.core.rules import looks_like_person
from harness.core.wording import only_acknowledges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.problems import Problem
    from harness.core.stack import Handoff, Path, Stack


# Words people write where nobody is on duty.
_NOBODY = frozenset(
    {"all", "anybody", "anyone", "everybody", "everyone", "n-a", "na", "nobody", "none", "tbd", "todo", "unknown"}
)
_NO_ROTATION = frozenset({"-", "n/a", "never", "no", "none"})


def find_in_roles(stack: Stack) -> Iterator[Problem]:
    """Yield owners that are nobody or a person, roles that are no rotation, alerts that reach nobody."""
    yield from _roles(stack)
    for handoff in stack.handoffs:
        yield from _owner(handoff)
        for path in handoff.paths:
            yield from _escalation(path)
            yield from _queue(stack, path)


def _roles(stack: Stack) -> Iterator[Problem]:
    used = set(_used_roles(stack))
    for role in stack.roles.values():
        if role.name not in used:
            yield build_finding("role-unused", f"nothing names the role `{role.name}`", role.location, "remove it")
            continue
        if role.rotation is None or role.rotation.strip().casefold() in _NO_ROTATION:
            yield build_finding(
                "role-without-rotation",
                f"the role `{role.name}` has no rotation, so it is one person",
                role.location,
                "add `rotation:`",
            )
        if role.sla_s is None:
            yield build_finding(
                "role-without-sla",
                f"the role `{role.name}` has no SLA, so nobody can tell when it is late",
                role.location,
                "add `sla:`",
            )


def _used_roles(stack: Stack) -> Iterator[str | None]:
    for handoff in stack.handoffs:
        yield handoff.owner
        yield handoff.dead_letter.to if handoff.dead_letter else None
        yield handoff.breaker.alert if handoff.breaker else None
        for path in handoff.paths:
            yield path.dead_letter.to if path.dead_letter else None
            yield path.queue.role if path.queue else None


def _owner(handoff: Handoff) -> Iterator[Problem]:
    if handoff.owner is None or handoff.owner.casefold() in _NOBODY:
        yield build_finding(
            "owner-missing",
            f"handoff `{handoff.id}` has no owner: whoever notices first",
            handoff.owner_location,
            "add `owner:` with a role",
        )
    elif looks_like_person(handoff.owner):
        yield build_finding(
            "owner-is-person",
            f"handoff `{handoff.id}` is owned by a person, `{handoff.owner}`, not by a role with a rotation",
            handoff.owner_location,
            "name a role",
        )


def _escalation(path: Path) -> Iterator[Problem]:
    letter = path.dead_letter
    if letter is not None and (letter.escalate_after is None or letter.to is None):
        lacks = "a count" if letter.to is not None else "a role"
        yield build_finding(
            "dead-letter-without-escalation",
            f"dead letters of `{path.slug}` never escalate: {lacks} is missing",
            letter.location,
            "declare `dead_letter: {escalate_after: N, to: role}` here or on the handoff",
        )


def _queue(stack: Stack, path: Path) -> Iterator[Problem]:
    queue = path.queue
    if queue is None:
        return
    role = stack.roles.get(queue.role)
    if queue.sla_s is None and (role is None or role.sla_s is None):
        yield build_finding(
            "queue-without-sla",
            f"cases of `{path.slug}` wait for {queue.role} without an SLA",
            queue.location,
            "give the role or the queue an `sla:`",
        )
    if not queue.decisions:
        yield build_finding(
            "queue-without-decisions",
            f"the queue of `{path.slug}` names no decisions: it is a notification in disguise",
            queue.location,
            "add `decisions:`, each with what follows from it",
        )
    elif all(only_acknowledges(decision.to) for decision in queue.decisions):
        yield build_finding(
            "decision-decides-nothing",
            f"`{queue.decisions[0].name}` of `{path.slug}` leads to `{queue.decisions[0].to}`: the case was seen, and the "
            "order is where it was",
            queue.decisions[0].location,
            "name what becomes of the order, such as `continue` or `cancel-and-refund`",
        )
