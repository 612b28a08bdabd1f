"""
Which order of an experiment has shown already that the way is free again, so that none need be sent only to see.

Whatever could still reach into the next experiment speaks against it: a breaker that is not closed, a call that failed last or
is not answered yet, a webhook that was not taken, and anything put aside. In doubt an order is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.checks.ledger import Row, build_ledger
from harness.core.faults import Layer
from harness.core.judging import select_stations
from harness.core.witnesses import CLOCK_GRAIN_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.core.ends import EndState
    from harness.core.experiments import Experiment, LedgerRule
    from harness.core.faults import Fault
    from harness.core.history import Delivery, Exchange, History

THROUGH = frozenset({Row.POSTED, Row.FULFILLED})
BREAKERS, CLOSED = "breakers", "closed"
# The states in which what was put aside is still to be taken up, or may be right now; without one it is.
UNDONE: Mapping[str, frozenset[str]] = {
    "dead_letters": frozenset({"waiting"}),
    "queues": frozenset({"open", "decided"}),
}
# For so many seconds nothing may have happened to an order: as long as one takes at least to cross the lab, once it is placed.
QUIET_S = 0.1


def find_canary(
    history: History, experiment: Experiment, *, breakers: frozenset[str], left: frozenset[str] = frozenset()
) -> int | None:
    """
    Find an order that came through the handoff under test after the last fault bit; None where that shows nothing yet.

    It does only where every other order is through as well, nothing is under way, to be repeated or put aside, and the
    faults were those of one system and met what they were to meet. `breakers` are the handoffs that have one: each must be
    shown to be closed. What is `left` by earlier experiments was taken up in vain then, and does nothing by itself; it is
    told by its ids. Items are never asked: they do not end.
    """
    rule = select_stations(experiment)
    if experiment.subject != "order" or any(station.end is None for station in rule.stations):
        return None
    if not (_have_met(history, experiment) and _are_witnesses_sure(history)):
        return None
    newest = max(_list_moments(history), default=0.0)
    if newest > history.now - QUIET_S or not _is_shown_settled(history, breakers, left, since=newest):
        return None
    if not (_are_calls_over(history) and _are_webhooks_over(history, experiment)):
        return None
    orders = build_ledger(history, rule)
    if not all(each.row in THROUGH and _are_ends_answered(history, rule, each.order) for each in orders):
        return None
    return next((each.order for each in orders if _came_through(history, experiment, rule, each.order)), None)


def _have_met(history: History, experiment: Experiment) -> bool:
    """Tell whether the faults are of one system, and are over: what one of them is to meet yet may hang in it right now."""
    if len({fault.system for fault in experiment.faults}) > 1:
        return False
    return all(len(history.hits(fault.id)) >= fault.minimum for fault in experiment.faults)


def _are_witnesses_sure(history: History) -> bool:
    """Tell whether the lab was in order: a call that only one witness knows of may be under way, and one that is held is."""
    return not history.troubles and not history.disagreements and not history.holding


def _list_moments(history: History) -> Iterator[float]:
    """List when something happened to the orders of the experiment, and when it ended."""
    yield from (call.ended for call in history.exchanges if call.order is not None)
    yield from (sent.ended for sent in history.deliveries if sent.order is not None)
    yield from (change.t for change in history.changes if change.order is not None)


def _is_shown_settled(history: History, breakers: frozenset[str], left: frozenset[str], *, since: float) -> bool:
    """Tell whether the integration shows, `since` the last thing happened, all breakers closed and nothing put aside."""
    states = _read_states(history, BREAKERS, since)
    if breakers and (states is None or not breakers <= {name for name, _ in states}):
        return False
    if any(state != CLOSED for _, state in states or ()):
        return False
    for what, undone in UNDONE.items():
        states = _read_states(history, what, since, left)
        if states is None and what in history.observable:
            return False
        if any(state in undone or not state for _, state in states or ()):
            return False
    return True


def _read_states(
    history: History, what: str, since: float, left: frozenset[str] = frozenset()
) -> list[tuple[str, str]] | None:
    """Read handoff and state of everything in a list, as it was shown last; None where nobody can say since then."""
    newest = history.observed(what)
    if newest is None or newest.t < since or not history.is_shown(what):
        return None
    shown = (item for item in newest.items if str(item.get("id")) not in left)
    return [(str(item.get("handoff")), str(item.get("state") or "")) for item in shown]


def _are_calls_over(history: History) -> bool:
    """
    Tell whether every call got through, or one after it that says the same.

    One that failed is due again, whatever the vendor made of it; and a breaker has begun to count. Whose a call is that names
    no order, and is not made for all of them, nobody can tell: none of these may have failed.
    """
    last: dict[tuple[object, ...], Exchange] = {}
    for call in sorted(history.exchanges, key=lambda each: each.ended):
        whose = call.order if call.order is not None or call.shared else call.id
        last[whose, call.system, call.method, call.path, call.body_sha256] = call
    return all(call.succeeded for call in last.values())


def _are_webhooks_over(history: History, experiment: Experiment) -> bool:
    """Tell whether every webhook was taken, or never sent, and none is held back: all that a fault was to meet came."""
    last = {sent.webhook_id: sent for sent in sorted(history.deliveries, key=lambda each: each.ended)}
    if not all(_is_done_with(sent) for sent in last.values()):
        return False
    return all(
        len(list(filter(_is_done_with, history.sent_by(order, (topic,))))) >= int(fault.params.get("copies", 1))
        for fault in experiment.faults
        if fault.layer is Layer.WEBHOOK
        for order in fault.orders or range(1, experiment.orders + 1)
        for topic in (*fault.operations, *_list_awaited(fault))
    )


def _list_awaited(fault: Fault) -> tuple[str, ...]:
    """List the topics that a fault holds webhooks back for."""
    return (str(fault.params["after_topic"]),) if "after_topic" in fault.params else ()


def _is_done_with(sent: Delivery) -> bool:
    return sent.outcome == "suppressed" or _is_taken(sent)


def _is_taken(sent: Delivery) -> bool:
    return sent.status is not None and 200 <= sent.status < 300


def _are_ends_answered(history: History, rule: LedgerRule, order: int) -> bool:
    """Tell whether a call got through since each record came to its end: who has no answer yet may ask again."""
    ends = {end for station in rule.stations for end in (station.end, *station.others) if end is not None}
    return all(
        any(call.succeeded and call.system == end.system and call.ended >= came for call in history.calls_of(order))
        for end in ends
        for came in _list_comings(history, end, order)
    )


def _list_comings(history: History, end: EndState, order: int) -> Iterator[float]:
    """List when each of an order's records came to an end, as early as the clocks of its witnesses allow."""
    for record in end.find(history, order):
        told = history.states(end.system, end.collection, record.record_id)
        yield min(change.t for change in told if end.holds(change)) - CLOCK_GRAIN_S


def _came_through(history: History, experiment: Experiment, rule: LedgerRule, order: int) -> bool:
    """Tell whether an order is through, and whatever was made to fail went well for it after the last fault bit."""
    ends = [each.end for each in rule.stations if each.handoff == experiment.handoff and each.end is not None]
    if not any(end.find(history, order) for end in ends):
        return False
    bitten = max((hit.t for hit in history.receipts), default=0.0)
    return all(_went_well(history, fault, order, bitten) for fault in experiment.faults)


def _went_well(history: History, fault: Fault, order: int, bitten: float) -> bool:
    # What a lost answer was about may be done although its caller never learnt so: only a later call shows the way free.
    sent = [each for each in history.sent_by(order, fault.operations) if fault.operations]
    if sent:
        # A webhook that a fault doubled, or held back, comes itself.
        late_enough = sent[-1].started >= bitten if fault.layer is Layer.WEBHOOK else sent[-1].started > bitten
        return _is_taken(sent[-1]) and late_enough
    calls = [
        call
        for call in history.calls_of(order)
        if call.system == fault.system and (not fault.operations or call.operation in fault.operations)
    ]
    return bool(calls) and calls[-1].succeeded and calls[-1].started > bitten
