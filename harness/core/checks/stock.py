"""
Stock: whether the warehouse's numbers add up at every change of them.

Per item and location: on hand = opening + received + adjusted - shipped, available = on hand - allocated, nothing below
zero; what it opened with never changes, and what came in or went out is never undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.core.ends import STOCK
from harness.core.verdict import CheckResult, Evidence, build_held, build_violated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.core.history import Change, History

NAME = "stock"
DECLARED = (
    "stock adds up at every change: on hand = opening + received + adjusted - shipped, available = on hand - allocated"
)
COUNTED = ("opening", "received", "adjusted", "shipped", "on_hand", "allocated", "available")
ONWARD = ("received", "shipped")
# What moves when an order does; everything else is somebody's count or delivery.
MOVED_BY_ORDERS = ("allocated", "shipped")

Units: TypeAlias = dict[str, int]
# A change of stock, and the next change of anything else in the same system.
Move: TypeAlias = "tuple[Change, Change | None]"


def has_stock(history: History) -> bool:
    """Tell whether any stock moved, so that there is something to ask."""
    return any(change.collection == STOCK for change in history.changes)


def check_stock(history: History) -> CheckResult:
    """Judge every change of stock; a violation names item, location and the order whose change broke it."""
    moves = _list_moves(history.changes)
    before: dict[tuple[str, str], Units] = {}
    broken: list[Evidence] = []
    for move in moves:
        change = move[0]
        place, units = (change.system, change.record_id), _count(change.record)
        wrong = list(_list_wrong(before.get(place, {}), units)) if change.action != "deleted" else []
        if wrong:
            whose = _name_mover(history, move, before.get(place, {}), units)
            broken.append(Evidence(f"{_name_place(change.record)}: {'; '.join(wrong)} ({whose})", change.t))
        before[place] = units
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return build_violated(NAME, DECLARED, f"{broken[0].what}{more}", broken)
    return build_held(NAME, DECLARED, f"{len(moves)} changes of {len(before)} stocks add up")


def _list_wrong(before: Units, now: Units) -> Iterator[str]:
    if now.keys() >= {"on_hand", "opening", "received", "adjusted", "shipped"}:
        expected = now["opening"] + now["received"] + now["adjusted"] - now["shipped"]
        if now["on_hand"] != expected:
            yield f"{now['on_hand']} on hand, but {expected} by what came and went"
    if now.keys() >= {"available", "on_hand", "allocated"}:
        expected = now["on_hand"] - now["allocated"]
        if now["available"] != expected:
            yield f"{now['available']} available, but {expected} by what is allocated"
    yield from (
        f"{now[name]} {name.replace('_', ' ')}" for name in COUNTED if name != "adjusted" and now.get(name, 0) < 0
    )
    if before.get("opening", now.get("opening")) != now.get("opening"):
        yield f"opened with {before['opening']}, now with {now.get('opening')}"
    for name in ONWARD:
        if now.get(name, 0) < before.get(name, 0):
            yield f"{name} fell from {before[name]} to {now.get(name, 0)}"


def _list_moves(changes: Sequence[Change]) -> list[Move]:
    newest: dict[str, Change] = {}
    moves: list[Move] = []
    for change in reversed(changes):
        if change.collection == STOCK:
            moves.append((change, newest.get(change.system)))
        else:
            newest[change.system] = change
    return moves[::-1]


def _name_mover(history: History, move: Move, before: Units, now: Units) -> str:
    """Name the order whose change this was: a warehouse writes down what an order takes, and then the order."""
    change, after = move
    order = change.order
    moved = any(now.get(name) != before.get(name) for name in MOVED_BY_ORDERS)
    if order is None and moved and after is not None and _holds(after, change.record.get("sku")):
        order = after.order
    return f"changed by {history.order(order).name}" if order is not None else "changed by no order of this experiment"


def _holds(change: Change, sku: object) -> bool:
    lines = change.record.get("lines")
    return isinstance(lines, list | tuple) and any(line.get("sku") == sku for line in lines)


def _name_place(record: Mapping[str, object]) -> str:
    return f"{record.get('sku')} at {record.get('location')}"


def _count(record: Mapping[str, object]) -> Units:
    return {name: value for name in COUNTED if isinstance(value := record.get(name), int)}
