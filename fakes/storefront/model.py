"""The storefront's records as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """A line item; ``price`` is one unit's, in minor units."""

    id: int
    sku: str
    title: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered and where it goes."""

    first_name: str
    last_name: str
    email: str
    phone: str | None = None
    address: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, in minor units."""

    id: int
    amount: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Order:
    """An order; times are epoch seconds, money is in minor units of the currency."""

    id: int
    number: int
    customer: Customer
    lines: tuple[Line, ...]
    created_at: float
    updated_at: float
    financial_status: str = "paid"
    fulfillment_status: str | None = None
    cancelled_at: float | None = None
    cancel_reason: str | None = None
    closed_at: float | None = None
    currency: str = "EUR"
    note: str | None = None
    tags: str = ""
    note_attributes: tuple[tuple[str, str], ...] = ()
    refunds: tuple[Refund, ...] = ()

    @property
    def name(self) -> str:
        """The order's name as merchants see it."""
        return f"#{self.number}"

    @property
    def total(self) -> int:
        """What the lines add up to."""
        return sum(line.price * line.quantity for line in self.lines)

    @property
    def refunded(self) -> int:
        """What was given back so far."""
        return sum(refund.amount for refund in self.refunds)


@dataclass(frozen=True, slots=True)
class Reservation:
    """An order that was announced but not placed."""

    id: int
    number: int
    lines: tuple[Line, ...]
    customer: Customer

    @property
    def name(self) -> str:
        """The name the order will have."""
        return f"#{self.number}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook subscription; ``removable`` ones (made through the Admin API) the vendor deletes after failures."""

    id: int
    topic: str
    address: str
    removable: bool
    created_at: float
    updated_at: float


def format_time(at: float | None) -> str | None:
    """Return epoch seconds as ISO 8601 with an offset, to the second, as the vendor does."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).isoformat()
