"""The goods of a lab: what ordinary orders are made of, and how much of it there is at the start."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SKUS = ("TEE-BLACK-M", "MUG-WHITE", "CAP-NAVY", "POSTER-A2", "SOCKS-RED-42")
LOCATIONS = ("MAIN", "EAST")
# More than all the orders of a run ask for: a shortage is something a fault makes.
PLENTY = 1_000_000
ITEM_LEVELS: Mapping[str, int] = MappingProxyType({"MAIN": 100, "EAST": 50})
"""What the warehouse opens an item with that is taken in for one experiment; the shop is told the same."""


def build_goods(fake: str) -> Mapping[str, Any]:
    """
    Build what a fake's `POST /seed` takes so that it knows the goods; nothing for a vendor that keeps none.

    Shop and warehouse begin with the same numbers. The warehouse refuses what it does not know, as most do.
    """
    if fake == "shopify":
        levels = dict.fromkeys(LOCATIONS, PLENTY)
        return {"records": {"items": [{"sku": sku, "levels": levels} for sku in SKUS]}}
    if fake == "wms":
        stock = [{"sku": sku, "location": location, "on_hand": PLENTY} for sku in SKUS for location in LOCATIONS]
        return {"records": {"stock": stock}, "settings": {"unknown_items": "refuse"}}
    return {}
