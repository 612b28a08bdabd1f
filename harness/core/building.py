"""A validated stack.yaml as frozen values, each with its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.core.outcomes import (
    Branch,
    DeadLetter,
    Decision,
    Deduplicate,
    Outcome,
    Queue,
    Reconcile,
    Recover,
    Reject,
    Renew,
    Reorder,
    Resend,
    ResolvedWhen,
    Retry,
)
from harness.core.stack import (
    Accept,
    Breaker,
    Handoff,
    Integration,
    Matrix,
    Observe,
    Path,
    Role,
    Source,
    Stack,
    System,
    TimeSettings,
)
from harness.core.triggers import Trigger, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core import shape
    from harness.core.nodes import Node
    from harness.core.problems import Location

_Value = TypeVar("_Value")


def build_stack(declared: shape.StackShape, root: Node, *, file: str) -> Stack:
    """Build the stack from its validated shape and the nodes that know the places."""
    return Stack(
        name=declared.name,
        systems={
            name: System(name, system.fake, system.wiremock, _at(root, "systems", name), tuple(system.hosts))
            for name, system in declared.systems.items()
        },
        integration=_integration(declared.integration, root.entries["integration"], root.place("integration")),
        roles={
            name: Role(name, role.rotation, role.sla, role.channel, _at(root, "roles", name))
            for name, role in declared.roles.items()
        },
        handoffs=tuple(_handoff(*pair) for pair in _pairs(declared.handoffs, root, "handoffs")),
        time=TimeSettings(declared.time.scale, root.place("time")),
        matrix=Matrix(declared.matrix.recurrence_high, tuple(declared.matrix.impact_high), root.place("matrix")),
        accept=tuple(
            Accept(entry.clause, entry.reason, entry.until, node.location)
            for entry, node in _pairs(declared.accept, root, "accept")
        ),
        forbid=tuple(declared.forbid),
        version=declared.version,
        file=file,
    )


def _integration(declared: shape.IntegrationShape, node: Node, place: Location) -> Integration:
    observe = node.get("observe")
    sources: dict[str, Source | None] = {}
    for name in declared.observe.model_fields_set if observe is not None else ():
        source: shape.SourceShape | None = getattr(declared.observe, name)
        if source is not None and observe is not None:
            sources[name] = Source(source.path, source.command, source.python, observe.place(name))
    return Integration(
        command=tuple(declared.command or ()),
        url=declared.url,
        image=declared.image,
        health=declared.health,
        webhooks=dict(declared.webhooks),
        client_retries=dict(declared.client_retries),
        observe=Observe(**sources, location=node.place("observe")),
        entity=declared.entity,
        location=place,
    )


def _handoff(declared: shape.HandoffShape, node: Node) -> Handoff:
    default = _dead_letter(declared.dead_letter, node.place("dead_letter")) if declared.dead_letter else None
    return Handoff(
        id=declared.id,
        source=declared.from_,
        target=declared.to,
        protocol=declared.protocol,
        within_s=declared.within,
        after=tuple(declared.after),
        hops=tuple(declared.hops),
        owner=declared.owner,
        recurrence_per_week=declared.recurrence_per_week,
        failures_route_to=declared.failures_route_to,
        impact=declared.impact,
        operations=tuple(declared.operation),
        effects=declared.effects,
        resolved_when=_resolved_when(declared.resolved_when, node),
        paths=tuple(_path(path, at, default) for path, at in _pairs(declared.paths, node, "paths")),
        dead_letter=default,
        breaker=_breaker(declared.breaker, node.place("breaker")) if declared.breaker else None,
        location=node.location,
        owner_location=node.entries["owner"].location if "owner" in node.entries else node.location,
        operation_location=node.place("operation"),
    )


def _breaker(declared: shape.BreakerShape, place: Location) -> Breaker:
    return Breaker(declared.failures, declared.pause, declared.probes, declared.alert, place)


def _path(declared: shape.PathShape, node: Node, default: DeadLetter | None) -> Path:
    outcome = _outcome(declared, node)
    then = None
    if declared.then is not None:
        below = node.entries["then"]
        then = DeadLetter(location=node.place("then")) if below.kind == "scalar" else _outcome(declared.then, below)
    last = then or outcome
    return Path(
        on=build_trigger(declared.on, node.entries["on"]),
        outcome=outcome,
        then=then,
        dead_letter=_effective(last, default) if isinstance(last, DeadLetter) else None,
        kind=declared.kind,
        decided_by=declared.decided_by,
        location=node.location,
    )


def _effective(own: DeadLetter, default: DeadLetter | None) -> DeadLetter:
    says_nothing = own.escalate_after is None and own.to is None
    return default if says_nothing and default is not None else own


def build_trigger(declared: shape.TriggerShape, node: Node) -> Trigger:
    """Build a trigger; the rules have seen that exactly one kind is set."""
    return Trigger(
        declared.status,
        declared.code,
        declared.text,
        parse_threshold(declared.when) if declared.when is not None else None,
        declared.condition,
        node.location,
    )


def _outcome(declared: shape.OutcomesShape, node: Node) -> Outcome:
    """Build the one outcome a path or its `then` declares; the rules have seen that there is one."""
    return next(_outcomes(declared, node))


def _outcomes(declared: shape.OutcomesShape, node: Node) -> Iterator[Outcome]:
    if declared.renew_session:
        retry = declared.retry
        place = node.place("renew_session")
        yield Renew(_retry(retry, node.place("retry")) if retry else Retry(2, location=place), place)
    elif declared.retry:
        yield _retry(declared.retry, node.place("retry"))
    if declared.branch:
        at = node.entries["branch"]
        yield Branch(
            declared.branch.to,
            _resolved_when(declared.branch.resolved_when, at),
            declared.branch.decided_by,
            node.place("branch"),
        )
    if declared.queue:
        yield _queue(declared.queue, node)
    if declared.dead_letter:
        yield _dead_letter(declared.dead_letter, node.place("dead_letter"))
    yield from _plain_outcomes(declared, node)


def _plain_outcomes(declared: shape.OutcomesShape, node: Node) -> Iterator[Outcome]:
    if declared.reconcile:
        yield Reconcile(declared.reconcile.every, declared.reconcile.within, node.place("reconcile"))
    if declared.deduplicate:
        yield Deduplicate(node.place("deduplicate"))
    if declared.reorder:
        yield Reorder(node.place("reorder"))
    if declared.reject:
        yield Reject(declared.reject.status, declared.reject.older_than, node.place("reject"))
    if declared.recover:
        yield Recover(declared.recover.within, node.place("recover"))
    if declared.resend:
        yield Resend(declared.resend.attempts, declared.resend.after, node.place("resend"))


def _retry(declared: shape.RetryShape, place: Location) -> Retry:
    return Retry(
        declared.attempts,
        declared.initial,
        declared.factor,
        declared.max,
        declared.jitter,
        declared.honour_retry_after,
        place,
    )


def _queue(declared: shape.QueueShape, node: Node) -> Queue:
    decisions = node.entries["queue"].get("decisions")
    return Queue(
        role=declared.role,
        decisions=tuple(
            Decision(name, decision.to, _resolved_when(decision.resolved_when, at.entries[name]), at.place(name))
            for at in (decisions,)
            if at is not None
            for name, decision in declared.decisions.items()
        ),
        decided_by=declared.decided_by,
        sla_s=declared.sla,
        location=node.place("queue"),
    )


def _dead_letter(declared: shape.DeadLetterShape, place: Location) -> DeadLetter:
    return DeadLetter(declared.escalate_after, declared.to, place)


def _resolved_when(declared: shape.ResolvedWhenShape | None, node: Node) -> ResolvedWhen | None:
    if declared is None:
        return None
    return ResolvedWhen(declared.system, declared.record, declared.state, node.place("resolved_when"))


def _at(root: Node, key: str, name: str) -> Location:
    return root.entries[key].place(name)


def _pairs(values: list[_Value], node: Node, key: str) -> Iterator[tuple[_Value, Node]]:
    below = node.get(key)
    return zip(values, below.items if below is not None else (), strict=True)
