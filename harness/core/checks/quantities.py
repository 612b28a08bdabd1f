"""
Quantities: what records hold of an order's goods.

Whether one grew beyond what was ordered, as when a write that adds lines is repeated, whether it held more than was sold from
the start, and whether what was told of parcels is what was in them.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.core.ends import EndState
    from harness.core.history import Change, History

# Units by SKU.
Goods: TypeAlias = dict[str, Decimal]

STOREFRONT, ORDERED = "storefront", "orders"
NONE = Decimal(0)


def describe_growth(history: History, end: EndState, order: int) -> str:
    """
    Say how the units of an order's record grew after it was created, beyond those ordered; nothing when they did not.

    A record that is filled step by step grows too, but not beyond the order; one that holds other units from the start does
    not grow (see `describe_surplus`).
    """
    for record in end.find(history, order):
        told = history.states(end.system, end.collection, record.record_id)
        states = _count_states(told) if len(told) > 1 else []
        if states and states[-1] > states[0]:
            shown = (
                each for each in history.changes_of(order) if (each.system, each.collection) == (STOREFRONT, ORDERED)
            )
            if states[-1] > max(_count_states(shown)[-1:], default=NONE):
                return f"{states[0]:f} units became {states[-1]:f}"
    return ""


def _count_states(changes: Iterable[Change]) -> list[Decimal]:
    return [units for change in changes if (units := _count(change.record))]


def describe_surplus(history: History, order: int, end: EndState, records: Iterable[Change]) -> str:
    """
    Say what an order's records hold beyond what was ever sold of it, by SKU; nothing where they hold no more.

    Nothing is said where they hold other goods than were sold, such as the parts of a kit: then nobody knows which is which.
    More units that are worth no more were sold in another unit, such as by the box; where prices do not show, so may be
    a multiple of what was sold, unless two of the records hold the same.
    """
    records = tuple(records)
    shown = [each for each in history.changes_of(order) if (each.system, each.collection) == (STOREFRONT, ORDERED)]
    told, sold = _sum_goods(records), _take_most(shown, _sum_goods)
    if told.keys() != sold.keys():
        return ""
    worth, paid = _sum_worth(records), _take_most(shown, _sum_worth)
    held = [goods for record in records if (goods := _sum_goods([record]))]
    repeated = any(held.count(goods) > 1 for goods in held)
    over = []
    for sku in (sku for sku in told if told[sku] > sold[sku]):
        unpriced = repeated or not sold[sku] or bool(told[sku] % sold[sku])
        if _is_worth_more(sku, worth, paid, sold, unpriced):
            over.append(sku)
    return "; ".join(f"{told[sku]:f} {sku} in {end}, {sold[sku]:f} sold" for sku in over)


def _take_most(states: Iterable[Change], read: Callable[[Iterable[Change]], Goods]) -> Goods:
    """Take the most that any state of a record ever showed: who was told of an order before it was changed may not know."""
    most: Goods = {}
    for state in states:
        for sku, held in read([state]).items():
            most[sku] = max(held, most.get(sku, NONE))
    return most


def _is_worth_more(sku: str, worth: Goods, paid: Goods, sold: Goods, unpriced: bool) -> bool:
    """Tell whether what is held is worth more by half a unit at least; `unpriced` is the answer where prices are not shown."""
    if sku not in paid or sku not in worth:
        return unpriced
    return not paid[sku] or worth[sku] - paid[sku] >= paid[sku] / sold[sku] / 2


def describe_goods(history: History, end: EndState, order: int, shipped: Iterable[Change]) -> tuple[str, str]:
    """
    Say what of an order's goods its records hold beyond what was shipped, and what is missing of it, by SKU.

    Nothing is said where a record shows no lines that can be read, or where its system calls the goods of the order by
    other names than the warehouse does: then nobody but the integration knows which is which.
    """
    sent, told = _sum_goods(shipped), _sum_goods(end.find(history, order))
    ordered = _sum_goods(
        each for each in history.changes_of(order) if each.system == end.system and each.collection != end.collection
    )
    if not sent or not told or not sent.keys() <= ordered.keys():
        return "", ""
    differing = [(sku, told.get(sku, NONE), sent.get(sku, NONE)) for sku in {**sent, **told}]
    over = [f"{there:f} {sku} in {end}, {gone:f} shipped" for sku, there, gone in differing if there > gone]
    short = [f"{there:f} {sku} in {end}, {gone:f} shipped" for sku, there, gone in differing if there < gone]
    return "; ".join(over), "; ".join(short)


def _sum_goods(changes: Iterable[Change]) -> Goods:
    goods: Goods = {}
    for change in changes:
        lines = _read_lines(change.record)
        if any(units for _, units in lines):
            for sku, units in lines:
                goods[sku] = goods.get(sku, NONE) + units
    return goods


def _sum_worth(changes: Iterable[Change]) -> Goods:
    """Sum what the lines of records are worth, by SKU; without those of which a price cannot be read."""
    worth: Goods = {}
    unknown: set[str] = set()
    for change in changes:
        for line, (sku, units) in zip(change.record.get("lines") or (), _read_lines(change.record), strict=False):
            try:
                worth[sku] = worth.get(sku, NONE) + units * Decimal(str(line["price"]))
            except (KeyError, InvalidOperation):
                unknown.add(sku)
    return {sku: sum_ for sku, sum_ in worth.items() if sku not in unknown}


def _count(record: Mapping[str, Any]) -> Decimal:
    """Sum the quantities of a record's lines; 0 where it shows none that can be read."""
    return sum((units for _, units in _read_lines(record)), NONE)


def _read_lines(record: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    """Read a record's lines as SKU and units; none where one of them cannot be read."""
    try:
        return [(str(line.get("sku")), Decimal(str(line["quantity"]))) for line in record["lines"]]
    except (AttributeError, KeyError, TypeError, InvalidOperation):
        return []
