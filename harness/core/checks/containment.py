"""Containment: trouble at one handoff stays there, and what it held up drains once the trouble is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.ends import EndState
    from harness.core.history import History


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A handoff beside the one in trouble; `starves` tells that it comes after it and may have nothing to do."""

    handoff: str
    operations: tuple[str, ...]
    starves: bool = False


def check_contained(
    history: History, *, neighbours: tuple[Neighbour, ...], orders: tuple[int, ...], end: EndState | None = None
) -> CheckResult:
    """
    Judge that no exception was raised at another handoff: no dead letter, no case, no alert, no failed call.

    A handoff that comes after the one in trouble and merely gets no work is starved, which is no exception; one that
    raises an exception because of it is a cascade. One that goes ahead with an order which has not reached the `end` of
    the handoff in trouble has not waited as declared. Unknown where an alert does not say which handoff it is about.
    """
    declared = "no exception at any other handoff"
    for neighbour in neighbours:
        ahead = [] if end is None else list(_list_ahead(history, neighbour, orders, end))
        if ahead:
            return build_violated("contained", declared, f"{neighbour.handoff} did not wait: {ahead[0].what}", ahead)
        found = list(_list_exceptions(history, neighbour, orders))
        if found:
            how = "cascaded to" if neighbour.starves else "reached"
            return build_violated("contained", declared, f"it {how} {neighbour.handoff}: {found[0].what}", found)
    nameless = sum(alert.handoff is None for alert in history.alerts)
    if nameless:
        observed = f"{nameless} alerts name no handoff, so they may be about another one"
        return build_unknown("contained", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if "dead_letters" not in history.observable or history.observed("dead_letters") is None:
        observed = "whether other handoffs put anything aside cannot be seen"
        return build_unknown("contained", declared, observed, UnknownKind.NOT_OBSERVABLE)
    starved = [each.handoff for each in neighbours if each.starves and not history.attempts(each.operations)]
    observed = f"none at {len(neighbours)} handoffs" + (f"; without work: {', '.join(starved)}" if starved else "")
    return build_held("contained", declared, observed)


def check_drained(
    history: History,
    *,
    handoff: str,
    end: EndState,
    orders: tuple[int, ...],
    breaks: bool,
    within_s: float,
    asks: bool = False,
) -> CheckResult:
    """
    Judge the recovery of a handoff once its trouble was lifted.

    Every order is resolved or put aside, in a dead letter or a role queue, within `within_s` lab seconds, and its breaker, where it `breaks`, is
    closed. Where it `asks` roles, an order may wait in a queue that nobody can read.
    """
    declared = f"drained within {within_s:.1f} s" + (", its breaker closed" if breaks else "")
    lifted = history.when("lift")
    if lifted is None:
        return build_unknown("drained", declared, "the trouble was never lifted", UnknownKind.VACUOUS)
    aside = {order for order in orders if history.waiting(handoff, order) or history.open_cases(handoff, order)}
    stuck = [order for order in orders if order not in aside and not end.find(history, order)]
    if stuck:
        names = ", ".join(history.order(order).name for order in stuck)
        asked = {"dead_letters": "dead letters"} | ({"queues": "role queues"} if asks else {})
        unread = [words for what, words in asked.items() if history.observed(what) is None]
        if unread:
            observed = f"not resolved, and the {' and '.join(unread)} could not be read: {names}"
            return build_unknown("drained", declared, observed, UnknownKind.NOT_OBSERVABLE)
        return build_violated("drained", declared, f"neither resolved nor put aside: {names}")
    resolved = [order for order in orders if end.find(history, order)]
    took_s = max((end.reached_at(history, order) - lifted for order in resolved), default=0.0)
    evidence = [Evidence(f"drained {took_s:.2f} s after the trouble was lifted", lifted + max(0.0, took_s))]
    if took_s > within_s:
        observed = f"only after {took_s:.2f} s"
        return build_violated("drained", declared, observed, evidence, margin_s=took_s - within_s)
    if breaks and (broken := _judge_breaker(history, handoff, declared)):
        return broken
    left = len(orders) - len(resolved)
    observed = f"{len(resolved)} resolved {max(0.0, took_s):.2f} s after, {left} put aside"
    return build_held("drained", declared, observed, evidence)


def _judge_breaker(history: History, handoff: str, declared: str) -> CheckResult | None:
    breaker = history.observed("breakers")
    if breaker is None:
        observed = "whether its breaker is closed cannot be seen"
        return build_unknown("drained", declared, observed, UnknownKind.NOT_OBSERVABLE)
    states = [item.get("state") for item in breaker.items if item.get("handoff") == handoff]
    if states and states != ["closed"]:
        return build_violated("drained", declared, f"its breaker is {', '.join(map(str, states))}")
    return None


def _list_ahead(history: History, neighbour: Neighbour, orders: tuple[int, ...], end: EndState) -> Iterator[Evidence]:
    waiting = {order for order in orders if not end.find(history, order)} if neighbour.starves else set[int]()
    for call in history.attempts(neighbour.operations):
        if call.order in waiting:
            yield Evidence(f"{call} for {history.order(call.order).name}", call.started, call.id)


def _list_exceptions(history: History, neighbour: Neighbour, orders: tuple[int, ...]) -> Iterator[Evidence]:
    about = frozenset(orders)
    for order in orders:
        for letter in history.dead_letters(neighbour.handoff, order):
            yield Evidence(f"dead letter of {history.order(order).name}: {letter.get('code')}")
        for case in history.cases(neighbour.handoff, order):
            yield Evidence(f"case about {history.order(order).name}: {case.get('code')}")
    for alert in history.alerts:
        if alert.handoff == neighbour.handoff:
            yield Evidence(f"alert to {alert.role}: {alert.code} {alert.entity}", alert.t)
    for call in history.attempts(neighbour.operations):
        if call.order in about and not call.succeeded:
            yield Evidence(f"failed call {call}", call.started, call.id)
