"""The warehouse's records as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Location = Literal["MAIN", "EAST"]
LOCATIONS: tuple[Location, ...] = ("MAIN", "EAST")

Status = Literal[
    "received",
    "held",
    "allocated",
    "partially_allocated",
    "backordered",
    "picking",
    "packed",
    "shipped",
    "partially_shipped",
    "cancelled",
]


class NotPossibleError(Exception):
    """What is asked does not fit the state of an order or of the stock; ``code`` is the API's."""

    def __init__(self, detail: str, *, code: str = "conflict") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    """Units of an item, and how many of them got how far: quantity ≥ allocated ≥ picked ≥ packed ≥ shipped."""

    sku: str
    quantity: int
    allocated: int = 0
    picked: int = 0
    packed: int = 0
    shipped: int = 0

    @property
    def missing(self) -> int:
        """Units that no location has set aside yet."""
        return self.quantity - self.allocated


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units set aside at a location for a line (its index) and not shipped yet."""

    line: int
    sku: str
    location: Location
    quantity: int


@dataclass(frozen=True, slots=True)
class ShortPick:
    """Units that were set aside and could not be picked."""

    sku: str
    location: Location
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """What left one location in one go; lines are (sku, quantity)."""

    id: str
    order_id: str
    reference: str
    tracking: str
    carrier: str
    location: Location
    shipped_at: float
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order to ship; times are epoch seconds.

    ``location`` is the preferred one. ``exhausted`` are locations that turned out to have no more for this order.
    ``revision`` counts all changes in the warehouse, so that later changes have larger ones.
    """

    id: str
    reference: str
    entity: str
    location: Location
    lines: tuple[Line, ...]
    created_at: float
    updated_at: float
    revision: int
    ship_to: dict[str, Any] = field(default_factory=dict)
    allocations: tuple[Allocation, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    short_picks: tuple[ShortPick, ...] = ()
    exhausted: frozenset[Location] = frozenset()
    tried: bool = False
    held: bool = False
    cancelled_at: float | None = None
    cancel_reason: str | None = None

    @property
    def quantity(self) -> int:
        """Units ordered."""
        return sum(line.quantity for line in self.lines)

    @property
    def missing(self) -> int:
        """Units that no location has set aside yet."""
        return sum(line.missing for line in self.lines)

    @property
    def status(self) -> Status:
        """How far the order got: the furthest of what is true of it."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.held:
            return "held"
        return self._progress()

    def _progress(self) -> Status:
        shipped = sum(line.shipped for line in self.lines)
        steps: tuple[tuple[bool, Status], ...] = (
            (shipped == self.quantity, "shipped"),
            (shipped > 0, "partially_shipped"),
            (any(line.packed for line in self.lines), "packed"),
            (any(line.picked for line in self.lines), "picking"),
            (not self.tried, "received"),
            (self.missing == 0, "allocated"),
            (self.missing < self.quantity, "partially_allocated"),
        )
        return next((status for true, status in steps if true), "backordered")


@dataclass(frozen=True, slots=True)
class Stock:
    """An item at a location: what it opened with, and what came, went and was corrected since."""

    sku: str
    location: Location
    opening: int
    updated_at: float
    revision: int
    received: int = 0
    shipped: int = 0
    adjusted: int = 0
    allocated: int = 0

    @property
    def id(self) -> str:
        """The record's id."""
        return f"{self.sku}@{self.location}"

    @property
    def on_hand(self) -> int:
        """Units on the shelf."""
        return self.opening + self.received + self.adjusted - self.shipped

    @property
    def available(self) -> int:
        """Units on the shelf that are set aside for nobody."""
        return self.on_hand - self.allocated


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook subscription to some topics; ``removable`` ones (made through the API) the vendor disables after failures."""

    id: str
    url: str
    topics: tuple[str, ...]
    removable: bool
    created_at: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and is announced; ``entity`` is the order or item it is about."""

    topic: str
    data: dict[str, Any]
    entity: str | None
    at: float


def to_datetime(at: float) -> datetime:
    """Return epoch seconds as a UTC date, to the microsecond."""
    return datetime.fromtimestamp(at, UTC)


def format_time(at: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC, to the microsecond."""
    return to_datetime(at).isoformat(timespec="microseconds").replace("+00:00", "Z")
