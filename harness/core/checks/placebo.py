"""Placebo: nothing goes wrong, so nothing may be put aside, nobody asked, nobody told, and no breaker open."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.core.history import Alert, Exchange, History

NAME, DECLARED = "no_exception", "nothing goes wrong, so no exception is raised anywhere"
# A message that goes to no role's own channel is news, and no exception.
CHATTER = "slack"
OPEN = "open"
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Calm:
    """
    A handoff at which nothing goes wrong: its calls, and which values of an order it declares to hold up.

    Each of `holds_up` tells that of what the order adds up to (None: nobody can read it), or None where nobody can tell.
    """

    handoff: str
    operations: tuple[str, ...] = ()
    holds_up: tuple[Callable[[Decimal | None], bool | None], ...] = ()


@dataclass(frozen=True, slots=True)
class _Stray:
    """An exception about an order, and whether something accounts for it; None where nobody can tell."""

    seen: Evidence
    due: bool | None


def check_no_exception(history: History, *, handoffs: tuple[Calm, ...], orders: tuple[int, ...]) -> CheckResult:
    """
    Judge that no exception came out of nothing: no dead letter, case or alert about these orders at any handoff, no breaker open.

    An exception is not out of nothing where a call about the order failed at its handoff all the same, where the value of the
    order leads to it, or where its handoff is none of these: a lab may be without its system. What names another order is that
    one's. An alert that names none, once something was done, makes it unknown, unless something of earlier experiments waits at
    its handoff.
    """
    calm = {each.handoff: each for each in handoffs}
    strays = [*_list_aside(history, calm, orders), *_list_told(history, calm, orders)]
    found = [stray.seen for stray in strays if stray.due is False] + list(_list_open(history, handoffs))
    if found:
        return build_violated(NAME, DECLARED, f"out of nothing: {found[0].what}", found)
    doubted = next((stray.seen.what for stray in strays if stray.due is None), None)
    if doubted is not None:
        observed = f"{doubted}; nobody can tell whether the order's value leads there, or which handoff it is of"
        return build_unknown(NAME, DECLARED, observed, UnknownKind.NOT_OBSERVABLE)
    vague = [alert for alert in history.alerts if _is_vague(history, alert, calm)]
    if vague:
        observed = f"{len(vague)} alerts name no order, so they may be about one of these"
        return build_unknown(NAME, DECLARED, observed, UnknownKind.NOT_OBSERVABLE)
    unread = sorted(what for what in ("dead_letters", "queues") if _is_unread(history, what))
    if unread:
        observed = f"could not be read: {' and '.join(unread).replace('_', ' ')}"
        return build_unknown(NAME, DECLARED, observed, UnknownKind.NOT_OBSERVABLE)
    unseen = [what.replace("_", " ") for what in ("dead_letters", "queues") if what not in history.observable]
    return build_held(NAME, DECLARED, "none" + (f"; {' and '.join(unseen)} are not shown" if unseen else ""))


def _list_aside(history: History, calm: dict[str, Calm], orders: Sequence[int]) -> Iterator[_Stray]:
    """List what was put aside or laid before a role about these orders, under whatever handoff it is shown."""
    for what, word in (("dead_letters", "dead letter"), ("queues", "case")):
        shown = (item for seen in history.observations if seen.what == what for item in seen.items)
        for item in {str(item.get("id")): item for item in shown}.values():
            handoff = item.get("handoff")
            for order in sorted(history.named_in(str(item.get("entity") or "")).intersection(orders)):
                said = f"{word} about {history.order(order).name} at {handoff}: {item.get('code') or 'no code'}"
                yield _Stray(Evidence(said), _is_due(history, calm, handoff, order))


def _list_told(history: History, calm: dict[str, Calm], orders: Sequence[int]) -> Iterator[_Stray]:
    """List the alerts and tickets that name these orders."""
    for alert in history.alerts:
        for order in sorted(history.named_in(alert.entity or "").intersection(() if _is_news(alert) else orders)):
            yield _Stray(_show(alert), _is_due(history, calm, alert.handoff, order))


def _list_open(history: History, handoffs: Sequence[Calm]) -> Iterator[Evidence]:
    """List the breakers that are shown open after calls of their handoffs all of which got through."""
    seen = history.observed("breakers")
    if seen is None:
        return
    for each in handoffs:
        calls = history.attempts(each.operations)
        states = [item.get("state") for item in seen.items if item.get("handoff") == each.handoff]
        through = bool(calls) and all(call.succeeded and call.ended < seen.t for call in calls)
        # One instance's may still be open from before while another's has closed.
        if through and states and all(state == OPEN for state in states):
            yield Evidence(f"the breaker of {each.handoff} is open, and every one of {len(calls)} calls got through")


def _is_due(history: History, calm: dict[str, Calm], handoff: object, order: int) -> bool | None:
    """Tell whether something accounts for an exception of a handoff about an order; None where nobody can."""
    if not handoff:
        return None
    at = calm.get(str(handoff))
    if at is None or any(not call.succeeded for call in _list_calls(history, at, order)):
        return True
    total = _read_total(history, order)
    told = [holds(total) for holds in at.holds_up]
    return True if True in told else None if None in told else False


def _list_calls(history: History, at: Calm, order: int) -> Sequence[Exchange]:
    """List what a handoff did about an order; one that makes no calls of its own did whatever changed something."""
    if at.operations:
        return history.attempts(at.operations, order)
    # Who looks first whether something is there is told that it is not.
    return [call for call in history.calls_of(order) if call.method not in READS]


def _is_vague(history: History, alert: Alert, calm: dict[str, Calm]) -> bool:
    """Tell whether an alert may be about any order, and nothing that waits or failed at its handoff accounts for it."""
    began = min((action.t for action in history.actions if action.orders), default=0.0)
    entity = alert.entity or ""
    names_another = any(letter.isdigit() for letter in entity) or not history.is_foreign(entity)
    if _is_news(alert) or alert.t < began or names_another:
        return False
    if alert.handoff is None:
        return True
    at = calm.get(alert.handoff)
    if at is None or any(not call.succeeded for call in history.attempts(at.operations)):
        return False
    return not (history.waiting(at.handoff) or history.open_cases(at.handoff))


def _is_news(alert: Alert) -> bool:
    return alert.channel == CHATTER and alert.role is None


def _is_unread(history: History, what: str) -> bool:
    return what in history.observable and history.observed(what) is None


def _read_total(history: History, order: int) -> Decimal | None:
    """Read what an order adds up to where the storefront keeps it; None where it does not show."""
    shown = [each.record.get("total_price") for each in history.records("orders", order)]
    try:
        return next((Decimal(str(total)) for total in reversed(shown) if total), None)
    except InvalidOperation:
        return None


def _show(alert: Alert) -> Evidence:
    whom = alert.role or "a key that no role has"
    return Evidence(
        f"alert to {whom} from {alert.handoff or 'no handoff'}: {alert.code or 'no code'} {alert.entity or ''}".strip(),
        alert.t,
    )
