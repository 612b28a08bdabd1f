"""
Excess: whether an order ever had more than it may, also where that was put right before the lab came to rest.

Asked is only what is certain at every moment, which is less than what is asked at rest: sums of money, and how many live
records of an end there are. Two systems are compared as well as their clocks can be: what makes room counts a grain of the
clocks before it was written, what takes room away a grain after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import groupby
from math import inf
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, TypeAlias

from harness.core.checks.money import (
    NONE,
    are_summed,
    is_cancelled,
    list_causes,
    read_captured,
    read_credited,
    read_given,
    read_price,
    read_refunded,
    read_written,
)
from harness.core.ends import IN_SYNC
from harness.core.memo import group
from harness.core.witnesses import CLOCK_GRAIN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.core.ends import EndState
    from harness.core.history import Change, History

# By how much something grew or shrank, and when.
Moves: TypeAlias = list[tuple[float, Decimal]]
# An end of orders, and in which records it shows how often it is due; without any it is once.
Due: TypeAlias = "tuple[EndState, str]"

# How vendors write that a record counts no more, or never did.
VOID = frozenset({"cancelled", "canceled", "void", "voided", "refunded", "expired", "failed", "failure", "error"})
# Where they write it; the other state fields tell of an order's money or parcels, or what a record is for.
VOIDED_IN = ("status", "state")
# Where money and its causes show, what is told of a record, and how many changes are told.
TOLD = frozenset({"orders", "payment_intents", "transactions", "refunds", "credit_memos", "shipments"})
FIELDS = ("status", "kind", "financial_status", "amount_received", "amount_refunded", "amount", "total", "total_price")
LONGEST = 24


@dataclass(frozen=True, slots=True)
class Excess:
    """What an order had too much of, since when, and until when: seconds of the experiment, None where it still has."""

    what: str
    since: float
    until: float | None = None

    def __str__(self) -> str:
        """Say what and when."""
        return f"{self.what} from {self.since:.3f} s {'on' if self.until is None else f'to {self.until:.3f} s'}"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The first time there was more than there was room for, and how much of both as it began."""

    held: Decimal
    room: Decimal
    since: float
    until: float | None = None


def list_excess(history: History, order: int, ends: Sequence[Due]) -> tuple[Excess, ...]:
    """List what an order ever had too much of, in the order of time, and how often it had come to its ends."""
    shown = group(history.changes_of(order), attrgetter("collection"))
    found = [*_list_money(history, order, shown), *_list_records(history, order, shown, ends)]
    return tuple(sorted(found, key=lambda each: each.since))


def tell_changes(history: History, order: int, ends: Sequence[Due]) -> Iterator[str]:
    """Tell, in the order of time, what became of an order's records in the systems that an excess can show in."""
    wanted = TOLD | {end.collection for end, _ in ends}
    told = [change for change in history.changes_of(order) if change.collection in wanted]
    for change in told[:LONGEST]:
        fields = ", ".join(f"{name} {change.record[name]}" for name in FIELDS if change.record.get(name) is not None)
        what = f"{change.system} {change.collection} {change.record_id} {change.action}"
        yield f"{change.t:.3f} s {what}{f' ({fields})' if fields else ''}"
    if len(told) > LONGEST:
        yield f"and {len(told) - LONGEST} changes more"


def is_live(end: EndState, change: Change) -> bool:
    """Tell whether a record stands for an end: one that failed or was called off does not, unless that is the end."""
    said = [str(change.record.get(name)) for name in VOIDED_IN]
    return end.holds(change) and (end.state in said or not any(each.casefold() in VOID for each in said))


def select_live(end: EndState, records: Sequence[Change]) -> tuple[Change, ...]:
    """Select of the records that reached an end those that stand for it; one alone does, whatever became of it."""
    return tuple(records) if len(records) == 1 else tuple(record for record in records if is_live(end, record))


def count_live(history: History, order: int, end: EndState, records: Sequence[Change]) -> int:
    """Count the records that stand for an order's end; captures written back in parts, judged by their sum, count as one."""
    return 1 if are_summed(history, order, records) else len(select_live(end, records))


def _list_money(history: History, order: int, shown: Mapping[str, Sequence[Change]]) -> Iterator[Excess]:
    price = _list_prices(shown.get("orders", ()))
    if not price:
        return
    payments = shown.get("payment_intents", ())
    taken, back = _list_moves(payments, read_captured), _list_moves(payments, read_refunded)
    yield from _compare("captured", taken, price)
    yield from _compare("refunded", back, taken, grain_s=0.0)
    written = _list_moves(shown.get("transactions", ()), read_written)
    # Who was answered that money is taken, and it was not, writes back what it was told.
    misled = any(call.garbled for call in history.calls_of(order))
    yield from _compare("written back as captured", written, taken if payments and not misled else price)
    # An order that is undone may be credited before its money is given back: neither is the other's cause.
    if not any(map(is_cancelled, shown["orders"])):
        credited = _list_moves(shown.get("credit_memos", ()), read_credited)
        given = _list_moves(shown.get("refunds", ()), read_given)
        yield from _compare("credited", credited, _take_higher(given, back))


def _list_records(
    history: History, order: int, shown: Mapping[str, Sequence[Change]], ends: Sequence[Due]
) -> Iterator[Excess]:
    for end, cause in ends:
        found = [change for change in shown.get(end.collection, ()) if change.system == end.system]
        if len({change.record_id for change in found}) < 2 or end.state == IN_SYNC:
            continue
        due = max(len(list_causes(history, order, cause)), 1)
        stretch = _find_stretch(_list_moves(found, partial(is_live, end)), [(-inf, Decimal(due))])
        if stretch is not None and not are_summed(history, order, found):
            yield Excess(f"{stretch.held:f} {end} of {due} due", stretch.since, stretch.until)


def _compare(what: str, moves: Moves, room: Moves, *, grain_s: float = CLOCK_GRAIN_S) -> Iterator[Excess]:
    stretch = _find_stretch(moves, [(t - grain_s if by > 0 else t + grain_s, by) for t, by in room]) if moves else None
    if stretch is not None:
        yield Excess(f"{what} {stretch.held:.2f} of {stretch.room:.2f}", stretch.since, stretch.until)


def _find_stretch(moves: Moves, room: Moves) -> _Stretch | None:
    """Find the first time more was there than there was room for; what was written at one time is taken as one."""
    steps = [(t, by, NONE) for t, by in moves] + [(t, NONE, by) for t, by in room]
    held = most = NONE
    found: _Stretch | None = None
    for t, together in groupby(sorted(steps, key=itemgetter(0)), key=itemgetter(0)):
        for _, moved, made in together:
            held, most = held + moved, most + made
        if found is None and held > most:
            found = _Stretch(held, most, t)
        elif found is not None and held <= most:
            return replace(found, until=t)
    return found


def _list_moves(changes: Iterable[Change], read: Callable[[Change], Decimal | int]) -> Moves:
    """List how the sum of what records hold moved; one that is deleted holds nothing."""
    held: dict[tuple[str, str], Decimal] = {}
    moves: Moves = []
    for change in changes:
        place = change.system, change.record_id
        now = NONE if change.action == "deleted" else Decimal(read(change))
        moved = now - held.get(place, NONE)
        if moved:
            held[place] = now
            moves.append((change.t, moved))
    return moves


def _list_prices(changes: Iterable[Change]) -> Moves:
    """List what an order was worth at most, which it was from the start: money may be taken before it is placed."""
    most = NONE
    moves: Moves = []
    for change in changes:
        worth = read_price(change)
        if worth > most:
            moves.append((change.t if moves else -inf, worth - most))
            most = worth
    return moves


def _take_higher(one: Moves, other: Moves) -> Moves:
    """Take the higher of two sums at every time: what either system knows of."""
    steps = [(t, by, NONE) for t, by in one] + [(t, NONE, by) for t, by in other]
    first = second = highest = NONE
    moves: Moves = []
    for t, here, there in sorted(steps, key=itemgetter(0)):
        first, second = first + here, second + there
        moves.append((t, max(first, second) - highest))
        highest = max(first, second)
    return moves
