"""What the shop sells and where it lies, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds stock."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something the shop sells: a product of one variant, and its inventory item; ``price`` in minor units."""

    id: int
    sku: str
    title: str
    product_id: int
    variant_id: int
    price: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Level:
    """How many units of an item can be sold at a location; below zero when more was sold than there was."""

    item_id: int
    sku: str
    location: Location
    available: int
    updated_at: float
