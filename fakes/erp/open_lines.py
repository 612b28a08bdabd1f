"""
What of a sales order is fulfilled and what is open.

Its lines carry `quantityFulfilled` once something of the order was fulfilled, and its status follows from them.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from fakes.erp.errors import USER_ERROR, RefusalError
from fakes.erp.model import ORDER_STATUSES

if TYPE_CHECKING:
    from fakes.erp.record import Line, Record

FULFILLABLE = frozenset("BDE")
"""The states in which a sales order can be fulfilled: approved, and neither shipped whole nor billed, cancelled or closed."""

_FOLLOWING = FULFILLABLE | {"F"}
_NAMES = ("externalId", "id", "refName")
_TOO_FEW = "Error while accessing a resource. The quantity of an item cannot be less than the quantity that is already fulfilled."


def fulfilled_of(line: Line) -> Decimal:
    """Return how much of a line was fulfilled."""
    return line.get("quantityFulfilled") or Decimal()


def open_of(line: Line) -> Decimal:
    """Return how much of a line may still be fulfilled: nothing of one that is closed or has no quantity."""
    return Decimal() if line.get("isClosed") else max(_room(line), Decimal())


def names_same_item(line: Line, other: Line) -> bool:
    """Tell whether two lines name the same item, by any kind of reference that both have."""
    mine, theirs = line.get("item") or {}, other.get("item") or {}
    return any(mine[name] == theirs[name] for name in _NAMES if name in mine and name in theirs)


def settle(old: Record, new: Record) -> Record:
    """
    Return a rewritten sales order with what was fulfilled before: lines that went hand it to lines of the same item.

    Raises RefusalError (`USER_ERROR`) when less is ordered than was fulfilled.
    """
    if not any("quantityFulfilled" in line for line in (*old.lines, *new.lines)):
        return new
    lines = [*new.lines]
    kept = {line["line"] for line in lines}
    for gone in old.lines:
        if gone["line"] not in kept:
            _hand_on(gone, lines)
    if any(_room(line) < 0 for line in lines if fulfilled_of(line)):
        raise RefusalError(USER_ERROR, _TOO_FEW)
    return _follow(replace(new, lines=tuple(lines)))


def ensure_deletable(record: Record) -> None:
    """Raise RefusalError (`USER_ERROR`) for a sales order of which something was fulfilled."""
    if any(fulfilled_of(line) for line in record.lines):
        detail = "Error while accessing a resource. This record can not be deleted because it has dependent records."
        raise RefusalError(USER_ERROR, detail)


def _room(line: Line) -> Decimal:
    return (line.get("quantity") or Decimal()) - fulfilled_of(line)


def _hand_on(gone: Line, lines: list[Line]) -> None:
    left = fulfilled_of(gone)
    for index, line in enumerate(lines):
        if left > 0 and names_same_item(gone, line):
            share = min(left, max(_room(line), Decimal()))
            lines[index] = {**line, "quantityFulfilled": fulfilled_of(line) + share}
            left -= share
    if left > 0:
        raise RefusalError(USER_ERROR, _TOO_FEW)


def _follow(record: Record) -> Record:
    if record.status["id"] not in _FOLLOWING:
        return record
    is_begun = any(fulfilled_of(line) for line in record.lines)
    is_open = any(open_of(line) for line in record.lines)
    letter = "B" if not is_begun else "D" if is_open else "F"
    return replace(record, fields={**record.fields, "orderStatus": {"id": letter, "refName": ORDER_STATUSES[letter]}})
