"""Starts: what sets a handoff in motion for one order, and what the harness does to bring that about."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.core.outcomes import ResolvedWhen

Subject = Literal["order", "item"]


class Start(StrEnum):
    """What makes a handoff due."""

    PLACED = "placed"  # an order is placed
    SHIPPED = "shipped"  # the warehouse ships an order
    REFUNDED = "refunded"  # the merchant gives an order's money back
    ADJUSTED = "adjusted"  # the warehouse counts an item anew

    @property
    def subject(self) -> Subject:
        """Return what moves through the handoff."""
        return "item" if self is Start.ADJUSTED else "order"

    @property
    def action(self) -> str:
        """Return the kind of the driver's action that sets it in motion."""
        return "place" if self in {Start.PLACED, Start.ADJUSTED} else "act"


# What a record tells of its cause: nobody writes a fulfilment before something was shipped.
_CAUSES = {
    "item_fulfillment": Start.SHIPPED,
    "fulfillment": Start.SHIPPED,
    "shipment": Start.SHIPPED,
    "label": Start.SHIPPED,
    "credit_memo": Start.REFUNDED,
    "refund": Start.REFUNDED,
    "inventory_level": Start.ADJUSTED,
}


def choose_start(resolved_when: ResolvedWhen | None) -> Start:
    """Choose what sets a handoff in motion by the record it ends in."""
    return _CAUSES.get(resolved_when.record, Start.PLACED) if resolved_when else Start.PLACED
