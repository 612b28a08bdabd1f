"""
The ledger: whatever the clause, every order is where it may be; nothing is lost, nothing doubled, and the money adds up.

Where an order is, is asked at rest; that it never had too much, of every moment (see `excess`). The rows are those of
docs/contract.md and the design's table: posted (in flight), fulfilled, parked, cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.core.checks.excess import Excess, count_live, is_live, list_excess, tell_changes
from harness.core.checks.money import (
    captured,
    describe_missing_money,
    describe_short_money,
    describe_surplus_money,
    is_cancelled,
    list_causes,
)
from harness.core.checks.quantities import describe_goods, describe_growth, describe_surplus
from harness.core.starts import Start
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.core.checks.excess import Due
    from harness.core.ends import EndState
    from harness.core.experiments import LedgerRule, Station
    from harness.core.history import History

# What happened to an order shows in these records; each of them makes the stations of its kind due once.
CAUSES: Mapping[Start, str] = {Start.SHIPPED: "shipments", Start.REFUNDED: "refunds"}


class Row(StrEnum):
    """Where one order stands."""

    POSTED = "posted"
    FULFILLED = "fulfilled"
    PARKED = "parked"
    CANCELLED = "cancelled"
    UNSEEN = "unseen"  # not posted, and nobody shows whether it is parked
    LOST = "lost"
    DUPLICATED = "duplicated"


# How an ERP says that nothing more comes of an order, and a warehouse that something will.
CLOSED = frozenset({"Cancelled", "Closed"})
TO_BE_SENT = frozenset({"received", "held", "allocated", "partially_allocated", "backordered", "picking", "packed"})
# Where an order may stay.
RESTING = frozenset({Row.POSTED, Row.FULFILLED, Row.PARKED, Row.CANCELLED})


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One order, its row, its story across the systems, and whether money was taken for it.

    `excess` is what it had too much of at any time, where that was asked.
    """

    order: int
    name: str
    row: Row
    story: tuple[str, ...]
    captured: bool = False
    excess: tuple[Excess, ...] = ()


@dataclass(frozen=True, slots=True)
class _Standing:
    """
    One order at one station: how often its end is due and was reached, and how much of it is put aside there.

    `live` is how many of the records that reached it stand there for good. `grown`, `surplus` and `short` say what of its
    goods is there that should not be, or is not.
    """

    station: Station
    end: EndState
    due: int
    reached: int
    live: int
    aside: int
    grown: str
    surplus: str = ""
    short: str = ""

    @property
    def doubled(self) -> bool:
        return max(self.live, self.aside) > max(self.due, 1) or bool(self.grown or self.surplus)


def build_ledger(history: History, rule: LedgerRule) -> tuple[Entry, ...]:
    """Put every placed order of the experiment into its row, by where it is now."""
    placed = sorted({order for action in history.actions if action.kind == "place" for order in action.orders})
    return tuple(_entry(history, order, rule) for order in placed)


def audit_ledger(history: History, rule: LedgerRule) -> tuple[Entry, ...]:
    """Put every placed order into its row by all that became of it: what had too much once is doubled, wherever it is now."""
    ends = tuple(dict.fromkeys((end, CAUSES.get(station.start, "")) for station, end in _list_ends(rule)))
    return tuple(_audit(history, entry, ends) for entry in build_ledger(history, rule))


def check_ledger(history: History, rule: LedgerRule, entries: tuple[Entry, ...] | None = None) -> CheckResult:
    """
    Judge that every placed order is where it may be, and that no other is posted; `entries` is its ledger where that is known.

    Unknown while an order is missing and the dead letters could not be read.
    """
    declared = "every order posted once or parked once"
    entries = audit_ledger(history, rule) if entries is None else entries
    invented = list(_list_invented(history, rule, {entry.order for entry in entries}))
    if invented:
        return build_violated("ledger", declared, f"never placed, but {', '.join(invented)}")
    if not entries:
        return build_held("ledger", declared, "no order was placed")
    evidence = [
        Evidence(
            f"{entry.name}: {entry.row} ({'; '.join(entry.story)})", entry.excess[0].since if entry.excess else None
        )
        for entry in entries
    ]
    rows = {row: [entry for entry in entries if entry.row is row] for row in Row}
    if rows[Row.DUPLICATED]:
        return build_violated("ledger", declared, f"doubled: {_names(rows[Row.DUPLICATED])}", evidence)
    if rows[Row.UNSEEN]:
        observed = f"not posted, and the dead letters could not be read: {_names(rows[Row.UNSEEN])}"
        return build_unknown("ledger", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if rows[Row.LOST]:
        return build_violated("ledger", declared, f"lost: {_names(rows[Row.LOST])}", evidence)
    counts = (f"{len(found)} {row}" for row, found in rows.items() if found)
    return build_held("ledger", declared, ", ".join(counts), evidence)


def _list_invented(history: History, rule: LedgerRule, placed: set[int]) -> Iterator[str]:
    """List the orders that reached an end although nobody placed them, such as forged ones."""
    for order in history.orders:
        if order.ordinal not in placed:
            found = next((end for _, end in _list_ends(rule) if end.find(history, order.ordinal)), None)
            if found is not None:
                yield f"{order.name} in {found}"


def _list_ends(rule: LedgerRule) -> Iterator[tuple[Station, EndState]]:
    """List where orders, not items, end."""
    for station in rule.stations:
        if station.end is not None and station.start.subject == "order":
            yield station, station.end


def _entry(history: History, order: int, rule: LedgerRule) -> Entry:
    standings = [_stand(history, order, station, end) for station, end in _list_ends(rule)]
    story = [*_tell(history, order), *dict.fromkeys(_tell_standing(each) for each in standings if each.due)]
    letters = sum(len(history.waiting(station.handoff, order)) for station in rule.stations)
    story.append(f"{letters} dead letters waiting")
    surplus, missing = describe_surplus_money(history, order), describe_missing_money(history, order)
    short = list(filter(None, [describe_short_money(history, order), *dict.fromkeys(each.short for each in standings)]))
    grown = dict.fromkeys(text for each in standings for text in (each.grown, each.surplus))
    story += filter(None, [*grown, surplus])
    owed = [each for each in standings if each.reached < each.due]
    if surplus or any(each.doubled for each in standings):
        row = Row.DUPLICATED
    elif _is_cancelled(history, order):
        going_on = _describe_going_on(history, order)
        row = Row.LOST if missing or going_on else Row.CANCELLED
        story += filter(None, [missing, going_on])
    elif not owed and short:
        row = Row.LOST
        story += short
    elif all(_is_parked(history, order, each.station, rule) for each in owed):
        shipped = any(each.due for each in standings if each.station.start is Start.SHIPPED)
        row = Row.PARKED if owed else Row.FULFILLED if shipped else Row.POSTED
    else:
        row = Row.LOST if _shows_what_waits(history, rule) else Row.UNSEEN
    return Entry(order, history.order(order).name, row, tuple(story), captured=captured(history, order) > 0)


def _stand(history: History, order: int, station: Station, end: EndState) -> _Standing:
    causes = CAUSES.get(station.start)
    due = len(list_causes(history, order, causes)) if causes is not None else 1
    aside = max(len(history.waiting(station.handoff, order)), len(history.open_cases(station.handoff, order)))
    # Where a branch or a decision led it elsewhere, it is there instead.
    found = end.find(history, order)
    reached = len(found) or max((len(other.find(history, order)) for other in station.others), default=0)
    live = count_live(history, order, end, found) if found else reached
    grown = describe_growth(history, end, order)
    standing = _Standing(station, end, due, reached, live, aside, grown)
    if station.start is not Start.SHIPPED:
        kept = [each for each in found if is_live(end, each)]
        return standing if grown else replace(standing, surplus=describe_surplus(history, order, end, kept))
    # What is told of parcels is held to what was in them: they may be packed in another unit, or one be sent again.
    if reached != due:
        return standing
    surplus, short = describe_goods(history, end, order, list_causes(history, order, CAUSES[Start.SHIPPED]))
    return replace(standing, surplus=surplus, short=short)


def _audit(history: History, entry: Entry, ends: tuple[Due, ...]) -> Entry:
    excess = list_excess(history, entry.order, ends)
    if not excess:
        return entry
    story = (*entry.story, *map(str, excess), *tell_changes(history, entry.order, ends))
    return replace(entry, row=Row.DUPLICATED, story=story, excess=excess)


def _is_parked(history: History, order: int, station: Station, rule: LedgerRule) -> bool:
    """Tell whether an order is put aside at a station, or at one before it: what waits there cannot have come further."""
    before = {each.handoff: each for each in rule.stations}
    asked, open_ = set[str](), [station.handoff]
    while open_:
        handoff = open_.pop()
        if history.waiting(handoff, order) or history.open_cases(handoff, order):
            return True
        asked.add(handoff)
        open_ += (
            [name for name in before[handoff].after if name in before and name not in asked]
            if handoff in before
            else []
        )
    # Where two handoffs end in the same record, such as a webhook and the call it leads to, either may hold it.
    return any(
        each.end == station.end
        and bool(history.waiting(each.handoff, order) or history.open_cases(each.handoff, order))
        for each in rule.stations
    )


def _shows_what_waits(history: History, rule: LedgerRule) -> bool:
    asked = {"dead_letters"} | ({"queues"} if any(station.queues for station in rule.stations) else set())
    return all(history.is_shown(what) for what in asked)


def _is_cancelled(history: History, order: int) -> bool:
    return any(map(is_cancelled, history.records("orders", order)))


def _describe_going_on(history: History, order: int) -> str:
    """Say where a cancelled order goes on as if it were none: in the ERP, neither closed nor credited, or at the warehouse."""
    credited = bool(history.records("credit_memos", order))
    posted = [str(each.record["status"]) for each in history.records("sales_orders", order) if "status" in each.record]
    stored = [each.record for each in history.records("orders", order) if "reference" in each.record]
    found = [f"its sales order is {status}" for status in posted if not credited and status not in CLOSED]
    found += [f"the warehouse has it {record['status']}" for record in stored if record.get("status") in TO_BE_SENT]
    return "; ".join(found)


def _tell(history: History, order: int) -> list[str]:
    sent = history.sent_by(order)
    acked = sum(delivery.status is not None and 200 <= delivery.status < 300 for delivery in sent)
    story = ["placed at the storefront", f"{len(sent)} webhooks, {acked} acknowledged"]
    calls = history.calls_of(order)
    if calls:
        story.append(f"{len(calls)} calls, the last {calls[-1]}")
    return story


def _tell_standing(standing: _Standing) -> str:
    return f"{standing.reached} in {standing.end}" + (f" of {standing.due} due" if standing.due > 1 else "")


def _names(entries: list[Entry]) -> str:
    """Name orders, each with what it had too much of and has no more: nobody would find that by looking at it now."""
    over = ([str(each) for each in entry.excess if each.until is not None] for entry in entries)
    return ", ".join(
        f"{entry.name} ({'; '.join(was)})" if was else entry.name for entry, was in zip(entries, over, strict=True)
    )
