"""Which quantity of which sales order line a fulfilment takes: what its body names, and what it leaves unsaid."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fakes.erp.content import build_bad_value
from fakes.erp.errors import USER_ERROR, RefusalError
from fakes.erp.open_lines import names_same_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fakes.erp.record import Line, Record

Shares = dict[int, Decimal]
"""Quantities by the number of the sales order line they are taken from."""

# Of what a body says of a line, this decides the share; all else is kept with the fulfilment's line.
_DECIDING = frozenset({"line", "orderLine", "item", "quantity", "itemReceive", "itemreceive"})


def build_shares(
    order: Record, given: Sequence[Line], *, room: Mapping[int, Decimal], unnamed: Mapping[int, Decimal]
) -> tuple[Shares, dict[int, Line]]:
    """
    Share out what the lines of a body ask for, and return it with whatever else they say, both by order line.

    `room` is what may be taken of each order line at most, `unnamed` what is taken of those the body does not name. A line names an
    order line by `orderLine`, or all those of an `item`; without a quantity it takes all there is, with `itemReceive` false nothing.
    Source: NetSuite help, "Use Case For Fulfilling Your Sales Order"; naming by item alone is this fake's.
    Raises RefusalError: `INVALID_CONTENT` for a line that cannot be read, `USER_ERROR` for more than there is or nothing at all.
    """
    left, kept, shares = dict(room), dict(unnamed), Shares()
    said: dict[int, Line] = {}
    for index, line in enumerate(given):
        numbers = _find_numbers(order, line, path=f"item.items[{index}]")
        for number in numbers:
            kept.pop(number, None)
            said[number] = {**said.get(number, {}), **{key: line[key] for key in line.keys() - _DECIDING}}
        for number, quantity in _take(numbers, left, line, path=f"item.items[{index}]"):
            left[number] -= quantity
            shares[number] = shares.get(number, Decimal()) + quantity
    taken = {number: quantity for number, quantity in sorted({**kept, **shares}.items()) if quantity > 0}
    if not taken:
        detail = "Error while accessing a resource. You must have at least one valid line item for this transaction."
        raise RefusalError(USER_ERROR, detail)
    return taken, said


def _find_numbers(order: Record, line: Line, *, path: str) -> list[int]:
    number = line.get("orderLine")
    if number is not None:
        if not any(each["line"] == number for each in order.lines):
            raise build_bad_value(f"{path}.orderLine")
        return [int(number)]
    numbers = [each["line"] for each in order.lines if names_same_item(each, line)]
    if not numbers:
        raise build_bad_value(f"{path}.item" if line.get("item") else f"{path}.orderLine")
    return numbers


def _take(
    numbers: Sequence[int], left: Mapping[int, Decimal], line: Line, *, path: str
) -> Iterator[tuple[int, Decimal]]:
    if line.get("itemReceive", line.get("itemreceive")) is False:
        return
    asked = line.get("quantity")
    if asked is None:
        asked = sum((left[number] for number in numbers), Decimal())
    if asked < 0:
        raise build_bad_value(f"{path}.quantity")
    for number in numbers:
        share = min(asked, left[number])
        yield number, share
        asked -= share
    if asked > 0:
        detail = "Error while accessing a resource. The quantity to fulfill exceeds the quantity remaining on the order line."
        raise RefusalError(USER_ERROR, detail)
