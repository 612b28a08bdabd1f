"""What can happen to an order, as functions from one order to the next; the stock follows from the difference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fakes.wms.model import Allocation, NotPossibleError, ShortPick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.wms.model import Line, Location, Order


@dataclass(frozen=True, slots=True)
class Parcel:
    """Units of an item that leave a location."""

    sku: str
    location: Location
    quantity: int


def allocate(order: Order, location: Location, free: Callable[[str], int], *, limit: int | None = None) -> Order:
    """Set aside at a location what is missing and free there, line by line, at most ``limit`` units in all."""
    left = order.missing if limit is None else limit
    taken: Counter[str] = Counter()
    lines, made = list(order.lines), []
    for i, line in enumerate(order.lines):
        units = min(line.missing, free(line.sku) - taken[line.sku], left)
        if units > 0:
            lines[i] = replace(line, allocated=line.allocated + units)
            made.append(Allocation(i, line.sku, location, units))
            taken[line.sku] += units
            left -= units
    allocations = _merge((*order.allocations, *made))
    return replace(order, lines=tuple(lines), allocations=allocations, tried=True)


def cancel(order: Order, reason: str, at: float) -> Order:
    """Give everything back and end the order; only before anything of it is picked."""
    if order.cancelled_at is not None:
        raise NotPossibleError(f"the order {order.reference} is cancelled already", code="not_cancellable")
    if any(line.picked for line in order.lines):
        raise NotPossibleError(f"the order {order.reference} is {order.status}", code="not_cancellable")
    lines = tuple(replace(line, allocated=0) for line in order.lines)
    return replace(order, lines=lines, allocations=(), held=False, cancelled_at=at, cancel_reason=reason)


def hold(order: Order, *, held: bool) -> Order:
    """Stop an order before it is picked, or let it go on."""
    if held:
        ensure_workable(order)
    elif not order.held:
        raise NotPossibleError(f"the order {order.reference} is not on hold")
    if any(line.picked for line in order.lines):
        raise NotPossibleError(f"the order {order.reference} is {order.status}")
    return replace(order, held=held)


def pick(order: Order) -> Order:
    """Take everything that is set aside from the shelves."""
    return _advance(order, "pick", lambda line: {"picked": line.allocated})


def pack(order: Order) -> Order:
    """Put everything that is set aside into cartons, picking it first where that is still to be done."""
    return _advance(order, "pack", lambda line: {"picked": line.allocated, "packed": line.allocated})


def pick_short(order: Order, sku: str | None, quantity: int, reason: str) -> tuple[Order, tuple[ShortPick, ...]]:
    """
    Fail to find units of an item that were set aside, and pick the rest of the order.

    Without an item it is the first that is still to be picked. The locations where units lacked have no more for this order.
    """
    ensure_workable(order)
    open_units: Counter[str] = Counter()
    for line in order.lines:
        open_units[line.sku] += line.allocated - line.picked
    wanted = sku or next((item for item, units in open_units.items() if units > 0), None)
    if wanted is None or open_units[wanted] < quantity:
        found = open_units[wanted] if wanted else 0
        raise NotPossibleError(f"{found} of {wanted or 'no item'} are still to be picked for {order.reference}")
    lines, allocations, lacking = _take_back(order, wanted, quantity)
    shorts = tuple(ShortPick(wanted, place, units, reason) for place, units in lacking.items())
    shortened = replace(
        order,
        lines=lines,
        allocations=allocations,
        short_picks=(*order.short_picks, *shorts),
        exhausted=order.exhausted | set(lacking),
    )
    picked = tuple(replace(line, picked=line.allocated) for line in shortened.lines)
    return replace(shortened, lines=picked), shorts


def ship(order: Order, wanted: Mapping[str, int] | None = None) -> tuple[Order, list[Parcel]]:
    """Send off what is set aside: all of it, or so many units of some items."""
    ensure_workable(order)
    reserved: Counter[str] = Counter()
    for allocation in order.allocations:
        reserved[allocation.sku] += allocation.quantity
    left = Counter(reserved if wanted is None else wanted)
    if not +left:
        raise NotPossibleError(f"nothing is set aside for the order {order.reference}, which is {order.status}")
    for sku, units in left.items():
        if units > reserved[sku]:
            raise NotPossibleError(f"{reserved[sku]} of {sku} are set aside for the order {order.reference}")
    lines, kept, parcels = list(order.lines), [], []
    for allocation in order.allocations:
        units = min(allocation.quantity, left[allocation.sku])
        left[allocation.sku] -= units
        if units:
            lines[allocation.line] = _send(lines[allocation.line], units)
            parcels.append(Parcel(allocation.sku, allocation.location, units))
        if units < allocation.quantity:
            kept.append(replace(allocation, quantity=allocation.quantity - units))
    return replace(order, lines=tuple(lines), allocations=tuple(kept)), parcels


def ensure_workable(order: Order) -> None:
    """Raise NotPossibleError for an order that is at an end or on hold."""
    if order.status in {"cancelled", "held", "shipped"}:
        raise NotPossibleError(f"the order {order.reference} is {order.status}")


def _advance(order: Order, what: str, change: Callable[[Line], Mapping[str, Any]]) -> Order:
    ensure_workable(order)
    lines = tuple(replace(line, **change(line)) for line in order.lines)
    if lines == order.lines:
        raise NotPossibleError(f"there is nothing to {what} for the order {order.reference}, which is {order.status}")
    return replace(order, lines=lines)


def _send(line: Line, units: int) -> Line:
    shipped = line.shipped + units
    return replace(line, shipped=shipped, picked=max(line.picked, shipped), packed=max(line.packed, shipped))


def _take_back(
    order: Order, sku: str, quantity: int
) -> tuple[tuple[Line, ...], tuple[Allocation, ...], dict[Location, int]]:
    lines, kept = list(order.lines), []
    lacking: Counter[Location] = Counter()
    left = quantity
    for allocation in reversed(order.allocations):
        line = lines[allocation.line]
        open_units = line.allocated - line.picked if allocation.sku == sku else 0
        units = min(open_units, allocation.quantity, left)
        if units:
            lines[allocation.line] = replace(line, allocated=line.allocated - units)
            lacking[allocation.location] += units
            left -= units
        if units < allocation.quantity:
            kept.append(replace(allocation, quantity=allocation.quantity - units))
    return tuple(lines), tuple(reversed(kept)), dict(lacking)


def _merge(allocations: tuple[Allocation, ...]) -> tuple[Allocation, ...]:
    units: Counter[tuple[int, str, Location]] = Counter()
    for allocation in allocations:
        units[allocation.line, allocation.sku, allocation.location] += allocation.quantity
    return tuple(Allocation(line, sku, location, total) for (line, sku, location), total in units.items())
