"""Quantities: whether what one record holds grew beyond what was ordered, as when a write that adds lines is repeated."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.ends import EndState
    from harness.core.history import History

STOREFRONT, ORDERED = "storefront", "orders"


def describe_growth(history: History, end: EndState, order: int) -> str:
    """
    Say how the units of an order's record grew after it was created, beyond those ordered; nothing when they did not.

    A record that is filled step by step grows too, but not beyond the order; one that holds other units from the start,
    such as the parts of a kit, does not grow.
    """
    ordered = [
        units
        for change in history.changes
        if (change.system, change.collection, change.order) == (STOREFRONT, ORDERED, order)
        and (units := _count(change.record))
    ]
    for record in end.find(history, order):
        states = [
            units
            for change in history.changes
            if (change.system, change.collection, change.record_id) == (end.system, end.collection, record.record_id)
            and (units := _count(change.record))
        ]
        if states and states[-1] > max([states[0], *ordered[-1:]]):
            return f"{states[0]:f} units became {states[-1]:f}"
    return ""


def _count(record: Mapping[str, Any]) -> Decimal:
    """Sum the quantities of a record's lines; 0 where it shows none that can be read."""
    lines = record.get("lines")
    if not isinstance(lines, list | tuple):
        return Decimal(0)
    try:
        return sum((Decimal(str(line["quantity"])) for line in lines), Decimal(0))
    except (KeyError, TypeError, InvalidOperation):
        return Decimal(0)
