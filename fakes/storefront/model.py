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
    variant_id: int | None = None
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered and where it goes."""

    first_name: str
    last_name: str
    email: str
    phone: str | None = None
    address: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """An order; times are epoch seconds, money is in minor units of the currency."""

    id: int
    number: int
    customer: Customer
    lines: tuple[Line, ...]
    created_at: float
    updated_at: float
    fulfillment_order_id: int
    gateway: str = "bogus"
    financial_status: str = "paid"
    fulfillment_status: str | None = None
    cancelled_at: float | None = None
    cancel_reason: str | None = None
    closed_at: float | None = None
    currency: str = "EUR"
    note: str | None = None
    tags: str = ""
    note_attributes: tuple[tuple[str, str], ...] = ()
    refunded: int = 0

    @property
    def name(self) -> str:
        """The order's name as merchants see it."""
        return f"#{self.number}"

    @property
    def total(self) -> int:
        """What the lines add up to."""
        return add_up(self.lines)


@dataclass(frozen=True, slots=True)
class Reservation:
    """An order that was announced but not placed; ``authorization`` names its payment at another gateway, if any."""

    id: int
    number: int
    lines: tuple[Line, ...]
    customer: Customer
    fulfillment_order_id: int
    authorization: str | None = None
    currency: str = "EUR"

    @property
    def name(self) -> str:
        """The name the order will have."""
        return f"#{self.number}"

    @property
    def total(self) -> int:
        """What the lines add up to."""
        return add_up(self.lines)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook subscription; ``removable`` ones (made through the Admin API) the vendor deletes after failures."""

    id: int
    topic: str
    address: str
    removable: bool
    created_at: float
    updated_at: float


def add_up(lines: tuple[Line, ...]) -> int:
    """Return what lines cost together, in minor units."""
    return sum(line.price * line.quantity for line in lines)


def format_time(at: float | None) -> str | None:
    """Return epoch seconds as ISO 8601 with an offset, to the second, as the vendor does."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).isoformat()
