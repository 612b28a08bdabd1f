"""
What was met and is declared nowhere: answers no path takes, and things the integration did that no clause speaks of.

None of it breaks a promise: nothing was promised about it. It is told, so that somebody declares it or puts an end to it, and
a stack may forbid it, kind by kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.outcomes import Branch, DeadLetter, Queue, Reject
from harness.core.verdict import CheckResult, Evidence, build_held, build_violated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.history import Exchange, History
    from harness.core.outcomes import Outcome
    from harness.core.stack import Forbidden, Handoff, Path, Stack
    from harness.core.triggers import Trigger

READS = frozenset({"GET", "HEAD", "OPTIONS"})
# A branch that does nothing more than take the answer for success calls nobody.
DONE = "treat-as-done"
# The conditions that an answer's status alone shows.
STATUSES = {"rate_limited": 429, "session_expired": 401, "permission_denied": 403}
# What a client sees of these is an answer that never came, or none it can use.
UNANSWERED = frozenset({"timeout", "connection", "lost_response"})
UNUSABLE = frozenset({"malformed", "not_persisted"})


@dataclass(frozen=True, slots=True)
class Undeclared:
    """
    One thing that was met: its kind, at which handoff, or system where it is of none, and what it was.

    Kinds: an `answer` no path of the handoff takes; a `call` that changes something and is of no handoff, branch or decision; a
    `dead_letter`, `case` or `alert` where none, or for a role that none, is declared; a `reply` to a webhook that refuses it.
    """

    kind: Forbidden
    where: str
    what: str
    t: float | None = None
    exchange: str | None = None


def list_undeclared(history: History, stack: Stack) -> tuple[Undeclared, ...]:
    """List what was met about the orders of an experiment and is declared nowhere, kind by kind."""
    return (
        *_list_answers(history, stack),
        *_list_calls(history, stack),
        *_list_set_aside(history, stack),
        *_list_alerts(history, stack),
        *_list_replies(history, stack),
    )


def check_declared(history: History, *, stack: Stack) -> CheckResult:
    """Judge that nothing was met of the kinds that the stack forbids."""
    declared = f"nothing undeclared: no {', no '.join(stack.forbid)}"
    met = [each for each in list_undeclared(history, stack) if each.kind in stack.forbid]
    if met:
        evidence = [Evidence(f"{each.kind} at {each.where}: {each.what}", each.t, each.exchange) for each in met]
        return build_violated("declared", declared, f"met, not declared: {met[0].what} at {met[0].where}", evidence)
    return build_held("declared", declared, "none")


def takes(trigger: Trigger, call: Exchange) -> bool:
    """
    Tell whether a trigger may take what came of a call.

    The text of an answer is not recorded: who asks for a code with a text may take every answer with that code.
    """
    if trigger.condition == "any":
        return True
    if trigger.status is not None:
        return call.status == trigger.status
    if trigger.code is not None:
        return call.code == trigger.code
    if trigger.condition in STATUSES:
        return call.status == STATUSES[trigger.condition]
    whole = call.end == "complete" and call.status is not None
    return trigger.condition in (UNUSABLE if whole and call.garbled else () if whole else UNANSWERED)


def _list_answers(history: History, stack: Stack) -> Iterator[Undeclared]:
    for handoff in stack.handoffs:
        if handoff.protocol != "api":
            continue
        for call in history.attempts(handoff.operations):
            if call.order is None or call.succeeded or any(takes(path.on, call) for path in handoff.paths):
                continue
            whole = call.end == "complete" and call.status is not None
            answer = f"{call.status} {call.code or ''}".strip() if whole else f"no answer ({call.end})"
            unusable = ", which cannot be understood," if call.garbled else ""
            what = f"{answer}{unusable} to {call.operation}, which no path takes"
            yield Undeclared("answer", handoff.id, what, call.started, call.id)


def _list_calls(history: History, stack: Stack) -> Iterator[Undeclared]:
    """List the calls that change something about an order, at a vendor of the stack, and are of nothing declared."""
    named = {operation for handoff in stack.handoffs for operation in handoff.operations}
    branched = {handoff.target for handoff in stack.handoffs if any(_leads_on(path) for path in handoff.paths)}
    for call in history.exchanges:
        silent = call.order is None or call.shared or call.method in READS or not call.fake
        if silent or call.system not in stack.systems or call.operation in named or call.system in branched:
            continue
        decided = (action.t for action in history.actions if action.kind == "decide" and call.order in action.orders)
        if call.started < min(decided, default=history.now):
            what = f"{call.operation or f'{call.method} of an unknown route'}, which no handoff names"
            yield Undeclared("call", call.system, what, call.started, call.id)


def _leads_on(path: Path) -> bool:
    """Tell whether a path branches to something that is more than taking the answer for success."""
    return any(isinstance(step, Branch) and step.to != DONE for step in (path.outcome, path.then))


def _list_set_aside(history: History, stack: Stack) -> Iterator[Undeclared]:
    """List dead letters and cases of handoffs that declare none, or cases for a role that none is for."""
    for handoff in stack.handoffs:
        parks = handoff.dead_letter is not None or any(path.dead_letter is not None for path in handoff.paths)
        parks |= any(isinstance(step, DeadLetter) for step in _list_steps(handoff))
        roles = {step.role for step in _list_steps(handoff) if isinstance(step, Queue)}
        for order in history.orders:
            for letter in () if parks else history.dead_letters(handoff.id, order.ordinal):
                yield Undeclared("dead_letter", handoff.id, f"a dead letter: {letter.get('code')}")
            for case in history.cases(handoff.id, order.ordinal):
                if case.get("role") not in roles:
                    yield Undeclared("case", handoff.id, f"a case for {case.get('role')}: {case.get('code')}")


def _list_alerts(history: History, stack: Stack) -> Iterator[Undeclared]:
    known = {handoff.id for handoff in stack.handoffs}
    for alert in history.alerts:
        if alert.handoff is not None and alert.handoff not in known:
            what = f"an alert to {alert.role} about a handoff that the stack does not have"
            yield Undeclared("alert", alert.handoff, what, alert.t)
    for handoff in stack.handoffs:
        roles = {handoff.owner, handoff.breaker.alert if handoff.breaker is not None else None}
        rules = [handoff.dead_letter, *(path.dead_letter for path in handoff.paths), *_list_steps(handoff)]
        roles |= {rule.to for rule in rules if isinstance(rule, DeadLetter)}
        roles |= {rule.role for rule in rules if isinstance(rule, Queue)}
        for alert in history.alerts:
            if alert.handoff == handoff.id and alert.role not in roles:
                yield Undeclared("alert", handoff.id, f"an alert to {alert.role}: {alert.code}", alert.t)


def _list_replies(history: History, stack: Stack) -> Iterator[Undeclared]:
    """List the answers with which the integration refused a webhook although nothing says it does."""
    for handoff in stack.handoffs:
        if handoff.protocol != "webhook":
            continue
        rejects = {step.status for step in _list_steps(handoff) if isinstance(step, Reject)}
        for sent in history.deliveries:
            refused = sent.topic in handoff.operations and sent.order is not None and (sent.status or 0) >= 300
            if refused and sent.status not in rejects:
                what = f"{sent.status} to {sent.topic}, which no path says"
                yield Undeclared("reply", handoff.id, what, sent.started)


def _list_steps(handoff: Handoff) -> list[Outcome]:
    return [step for path in handoff.paths for step in (path.outcome, path.then) if step is not None]
