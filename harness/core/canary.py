"""Which order of an experiment has shown already that the way is free again, so that none need be sent only to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.checks.ledger import Row, build_ledger
from harness.core.faults import Layer
from harness.core.judging import select_stations

if TYPE_CHECKING:
    from harness.core.experiments import Experiment, LedgerRule
    from harness.core.history import History

THROUGH = frozenset({Row.POSTED, Row.FULFILLED})
CLOSED = "closed"


def find_canary(history: History, experiment: Experiment, *, breaking: bool) -> int | None:
    """
    Find an order that came through the handoff under test after the last fault bit; None where that shows nothing yet.

    It does only where every other order is through as well, nothing is put aside, all breakers are shown to be closed, if
    the stack is `breaking` at all, and the faults were those of one system. Items are never asked: they do not end.
    """
    rule = select_stations(experiment)
    if experiment.subject != "order" or len({fault.system for fault in experiment.faults}) > 1:
        return None
    if breaking and not _are_closed(history):
        return None
    if any(history.waiting(station.handoff) or history.open_cases(station.handoff) for station in rule.stations):
        return None
    orders = build_ledger(history, rule)
    if not all(order.row in THROUGH for order in orders):
        return None
    return next((each.order for each in orders if _came_through(history, experiment, rule, each.order)), None)


def _are_closed(history: History) -> bool:
    shown = history.observed("breakers")
    return shown is not None and all(item.get("state") == CLOSED for item in shown.items)


def _came_through(history: History, experiment: Experiment, rule: LedgerRule, order: int) -> bool:
    """Tell whether an order is through, and called with success where calls were made to fail, after the last fault bit."""
    bitten = max((hit.t for hit in history.receipts), default=0.0)
    ends = [each.end for each in rule.stations if each.handoff == experiment.handoff and each.end is not None]
    if not any(end.find(history, order) for end in ends):
        return False
    calls = [fault.operations for fault in experiment.faults if fault.layer is not Layer.WEBHOOK]
    if calls:
        return all(_got_through(history, operations, order, bitten) for operations in calls)
    return any(end.find(history, order) and end.reached_at(history, order) > bitten for end in ends)


def _got_through(history: History, operations: tuple[str, ...], order: int, bitten: float) -> bool:
    # What a lost answer was about may be done although its caller never learnt so: only a later call shows the way free.
    made = history.attempts(operations, order)
    return bool(made) and made[-1].succeeded and made[-1].started > bitten
