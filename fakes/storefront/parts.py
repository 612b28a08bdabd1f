"""What belongs to an order beside itself, as values: payments, refunds, fulfilments."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money; ``parent_id`` is the one it settles, ``amount`` is in minor units."""

    id: int
    order_id: int
    kind: str
    status: str
    amount: int
    currency: str
    gateway: str
    created_at: float
    authorization: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Goods of a refund; ``restock_type``: ``no_restock``, ``cancel`` or ``return``; ``subtotal`` in minor units."""

    id: int
    line_id: int
    quantity: int
    restock_type: str
    location_id: int | None
    subtotal: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, goods taken back, or both; ``amount`` in minor units is what its transactions add up to."""

    id: int
    order_id: int
    created_at: float
    note: str | None = None
    lines: tuple[RefundLine, ...] = ()
    transactions: tuple[Transaction, ...] = ()

    @property
    def amount(self) -> int:
        """What was given back."""
        return sum(one.amount for one in self.transactions)


@dataclass(frozen=True, slots=True)
class FulfillmentOrderLine:
    """What is to be sent of one line; ``remaining`` is not sent yet."""

    id: int
    line_id: int
    sku: str
    quantity: int
    remaining: int
    variant_id: int | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """What is to be sent from one location: ``open``, ``in_progress``, ``on_hold``, ``closed`` or ``cancelled``."""

    id: int
    order_id: int
    location_id: int
    lines: tuple[FulfillmentOrderLine, ...]
    created_at: float
    updated_at: float
    status: str = "open"
    hold_reason: str | None = None
    hold_notes: str | None = None

    @property
    def remaining(self) -> int:
        """How many units are not sent yet."""
        return sum(line.remaining for line in self.lines)


@dataclass(frozen=True, slots=True)
class FulfillmentLine:
    """Units of one line that were sent, and the line of the fulfillment order they came from."""

    line_id: int
    sku: str
    quantity: int
    fulfillment_order_id: int
    fulfillment_order_line_id: int


@dataclass(frozen=True, slots=True)
class Tracking:
    """How a parcel can be followed."""

    company: str | None = None
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """A parcel: ``success`` or ``cancelled``."""

    id: int
    order_id: int
    name: str
    location_id: int
    lines: tuple[FulfillmentLine, ...]
    created_at: float
    updated_at: float
    tracking: Tracking = field(default_factory=Tracking)
    status: str = "success"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything of one order beside itself, in order of creation."""

    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()

    def returned(self, line_id: int, *, unsent: bool = False) -> int:
        """Return how many units of a line were refunded; with ``unsent``, of those that were never to be sent."""
        return sum(
            line.quantity
            for refund in self.refunds
            for line in refund.lines
            if line.line_id == line_id and (not unsent or line.restock_type == "cancel")
        )

    def fulfilled(self, line_id: int) -> int:
        """Return how many units of a line were sent."""
        return sum(
            line.quantity
            for fulfillment in self.fulfillments
            if fulfillment.status == "success"
            for line in fulfillment.lines
            if line.line_id == line_id
        )
