"""The gateway's records as values: money in minor units of a currency, times in epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CANCELABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent; ``extra`` holds fields that are stored and shown but change nothing."""

    id: str
    secret: str
    amount: int
    currency: str
    created: float
    capture_method: str = "automatic"
    status: str = "requires_payment_method"
    payment_method: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    amount_capturable: int = 0
    captures: tuple[int, ...] = ()
    amount_refunded: int = 0
    latest_charge: str | None = None
    last_payment_error: Mapping[str, Any] | None = None
    canceled_at: float | None = None
    cancellation_reason: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def amount_received(self) -> int:
        """What was captured."""
        return sum(self.captures)


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt to take money; ``released`` means the hold ended without being captured."""

    id: str
    intent: str
    amount: int
    currency: str
    created: float
    payment_method: str
    status: str = "succeeded"
    captured: bool = False
    amount_captured: int = 0
    amount_refunded: int = 0
    released: bool = False
    failure: Mapping[str, Any] | None = None
    capture_before: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back."""

    id: str
    intent: str
    charge: str
    amount: int
    currency: str
    created: float
    reason: str | None = None
    status: str = "succeeded"
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """The request an event came of; both are None when the vendor acted by itself."""

    request: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object, as the object was right after it."""

    id: str
    type: str
    created: float
    object: Mapping[str, Any]
    cause: Cause
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint; ``topics`` may hold ``*``. Those that were not made through the API sign with the account's secret."""

    id: str
    url: str
    topics: tuple[str, ...]
    created: float
    secret: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    api_version: str | None = None

    def wants(self, topic: str) -> bool:
        """Tell whether events of this type go here."""
        return topic in self.topics or "*" in self.topics
