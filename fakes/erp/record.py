"""One record as stored, and what follows from its fields and lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fakes.erp.model import CENT, RecordType

Line = Mapping[str, Any]
"""One item line: its fields by name, `line` (from 1) among them."""

_EXTRAS = ("shippingCost", "handlingCost", "taxTotal", "discountTotal")


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `created_at` and `modified_at` are epoch seconds; `revision` counts its writes from 1."""

    id: str
    record_type: RecordType
    fields: Mapping[str, Any]
    lines: tuple[Line, ...]
    created_at: float
    modified_at: float
    revision: int = 1

    @property
    def external_id(self) -> str | None:
        """The record's external id, None when it has none."""
        return self.fields.get("externalId")

    @property
    def status(self) -> dict[str, str]:
        """The record's state, `id` its letter and `refName` its words; empty where its type has none."""
        states = self.record_type.statuses
        if states is None:
            return {}
        given: dict[str, str] | None = self.fields.get(states.field) if states.field else None
        return given or {"id": states.first, "refName": states.names[states.first]}

    @property
    def subtotal(self) -> Decimal:
        """The sum of the item lines."""
        return sum((line["amount"] for line in self.lines if "amount" in line), Decimal()).quantize(CENT)

    @property
    def total(self) -> Decimal:
        """The sum of lines, shipping, handling, tax and discount (which the vendor keeps negative)."""
        return (self.subtotal + sum((self.fields.get(name) or Decimal() for name in _EXTRAS), Decimal())).quantize(CENT)


def set_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Write `new` over `old`; None unsets a field."""
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def merge_lines(old: tuple[Line, ...], new: tuple[Line, ...], *, keep_unnamed: bool = True) -> tuple[Line, ...]:
    """
    Write the lines of a body over those of a record.

    A line that names an existing `line` changes it, every other one is added; `keep_unnamed` keeps those the body does not name.
    Source: NetSuite help, "Updating a Sublist" and "Replacing a Sublist".
    """
    existing = {line["line"]: line for line in old}
    merged = dict(existing) if keep_unnamed else {}
    last = max(existing, default=0)
    for given in new:
        number = int(given.get("line") or 0)
        if number not in existing:
            last += 1
            number = last
        merged[number] = _price({**existing.get(number, {}), **given, "line": number}, given)
    return tuple(merged[number] for number in sorted(merged))


def _price(line: dict[str, Any], given: Line) -> Line:
    kept = {name: value for name, value in line.items() if value is not None}
    quantity, rate = kept.get("quantity"), kept.get("rate")
    is_repriced = given.get("amount") is None and not given.keys().isdisjoint(("quantity", "rate", "amount"))
    if is_repriced and quantity is not None and rate is not None:
        kept["amount"] = (quantity * rate).quantize(CENT)
    return kept
