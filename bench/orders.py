"""An order as a shop, a gateway and everybody behind them know it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One order and the names it has."""

    ordinal: int
    lines: list[Data]

    @property
    def number(self) -> str:
        """The number customers know."""
        return f"69477{self.ordinal:08d}"

    @property
    def name(self) -> str:
        """The number as a name."""
        return f"#{self.number}"

    @property
    def id(self) -> str:
        """The shop's id."""
        return f"58104{self.ordinal:08d}"

    @property
    def token(self) -> str:
        """What its payment and its parcel are called by."""
        return digest(self.id)[:24]

    @property
    def tracking(self) -> str:
        """The number of its parcel."""
        return f"1Z{self.token[:14].upper()}"

    @property
    def units(self) -> int:
        """How many units it is of."""
        return sum(line["quantity"] for line in self.lines)

    @property
    def minor(self) -> int:
        """What it is worth, in cents."""
        return self.units * 1000

    @property
    def total(self) -> str:
        """What it is worth, as text."""
        return f"{self.units * 10}.00"

    def named(self) -> Data:
        """Name it as the driver does."""
        return {
            "ordinal": self.ordinal,
            "name": self.name,
            "id": self.id,
            "number": self.number,
            "aliases": [self.token],
        }

    def shown(self, paid: str, fulfilled: str | None = None) -> Data:
        """Show the order as the storefront does."""
        state = {"cancelled_at": None, "financial_status": paid, "fulfillment_status": fulfilled}
        return {"lines": self.lines, "name": self.name, "number": int(self.number), "total_price": self.total, **state}

    def payment(self, status: str, *, captured: bool = False) -> Data:
        """Show its payment as the gateway does."""
        taken = self.minor if captured else 0
        given = {
            "amount": self.minor,
            "amount_capturable": self.minor - taken,
            "amount_received": taken,
            "amount_refunded": 0,
        }
        return {
            **given,
            "capture_method": "manual",
            "metadata": {"order_id": self.id, "order_name": self.name},
            "status": status,
        }


def digest(text: str) -> str:
    """Return the hash of a text, as witnesses write those of bodies."""
    return sha256(text.encode()).hexdigest()
