"""
The ledger: whatever the clause, every order is where it may be; nothing is lost, nothing doubled.

The rows are those of docs/contract.md and the design's table: in flight, posted, parked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.core.checks.quantities import describe_growth
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.experiments import LedgerRule
    from harness.core.history import History


class Row(StrEnum):
    """Where one order stands."""

    POSTED = "posted"
    PARKED = "parked"
    LOST = "lost"
    DUPLICATED = "duplicated"


@dataclass(frozen=True, slots=True)
class Entry:
    """One order, its row, and its story across the systems."""

    order: int
    name: str
    row: Row
    story: tuple[str, ...]


def build_ledger(history: History, rule: LedgerRule) -> tuple[Entry, ...]:
    """Put every placed order of the experiment into its row."""
    placed = sorted({order for action in history.actions if action.kind == "place" for order in action.orders})
    return tuple(_entry(history, order, rule) for order in placed)


def check_ledger(history: History, rule: LedgerRule) -> CheckResult:
    """
    Judge that every placed order is posted once or parked in exactly one dead letter a handoff, and that no other is posted.

    Unknown while an order is missing and the dead letters could not be read.
    """
    declared = "every order posted once or parked once"
    entries = build_ledger(history, rule)
    invented = _list_invented(history, rule, {entry.order for entry in entries})
    if invented:
        observed = f"in {rule.collection}, but never placed: {', '.join(invented)}"
        return build_violated("ledger", declared, observed)
    if not entries:
        return build_held("ledger", declared, "no order was placed")
    evidence = [Evidence(f"{entry.name}: {entry.row} ({'; '.join(entry.story)})") for entry in entries]
    doubled = [entry for entry in entries if entry.row is Row.DUPLICATED]
    lost = [entry for entry in entries if entry.row is Row.LOST]
    if doubled:
        return build_violated("ledger", declared, f"doubled: {_names(doubled)}", evidence)
    if lost and history.observed("dead_letters") is None:
        observed = f"not posted, and the dead letters could not be read: {_names(lost)}"
        return build_unknown("ledger", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if lost:
        return build_violated("ledger", declared, f"lost: {_names(lost)}", evidence)
    counts = {row: sum(entry.row is row for entry in entries) for row in (Row.POSTED, Row.PARKED)}
    return build_held(
        "ledger", declared, ", ".join(f"{count} {row}" for row, count in counts.items() if count), evidence
    )


def _list_invented(history: History, rule: LedgerRule, placed: set[int]) -> list[str]:
    """List the orders that have records although nobody placed them, such as forged ones."""
    reserved = (order for order in history.orders if order.ordinal not in placed)
    return [order.name for order in reserved if history.records(rule.collection, order.ordinal)]


def _entry(history: History, order: int, rule: LedgerRule) -> Entry:
    records = history.records(rule.collection, order)
    waiting = [len(history.waiting(handoff, order)) for handoff in rule.handoffs]
    grown = describe_growth(history, rule.collection, order)
    story = (*_tell(history, order, rule.collection, len(records), sum(waiting)), *filter(None, [grown]))
    if len(records) > 1 or max(waiting, default=0) > 1 or grown:
        row = Row.DUPLICATED
    elif records:
        row = Row.POSTED
    elif any(waiting):
        row = Row.PARKED
    else:
        row = Row.LOST
    return Entry(order, history.order(order).name, row, story)


def _tell(history: History, order: int, collection: str, records: int, waiting: int) -> list[str]:
    sent = history.sent_by(order)
    acked = sum(delivery.status is not None and 200 <= delivery.status < 300 for delivery in sent)
    story = ["placed at the storefront", f"{len(sent)} webhooks, {acked} acknowledged"]
    calls = [call for call in history.exchanges if call.order == order]
    if calls:
        story.append(f"{len(calls)} calls, the last {calls[-1]}")
    story.append(f"{records} in {collection}")
    story.append(f"{waiting} dead letters waiting")
    return story


def _names(entries: list[Entry]) -> str:
    return ", ".join(entry.name for entry in entries)
