"""The shelves: items at two locations, and everything that moves them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.kit.records import Collection
from fakes.wms.model import LOCATIONS, NotPossibleError, Stock
from fakes.wms.payloads import show_stock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.clock import Clock
    from fakes.kit.entities import EntityIndex
    from fakes.kit.exchange import Exchange
    from fakes.kit.journal import Journal
    from fakes.wms.model import Location

PLENTY = 1_000_000
RESERVED_AGE_S = 7 * 86_400.0
RESERVED_LEVELS: Mapping[Location, int] = {"MAIN": 100, "EAST": 50}


class Shelves:
    """Hold the stock; a record's entity is its item. ``stamp`` counts the changes of the whole warehouse."""

    def __init__(self, clock: Clock, journal: Journal, entities: EntityIndex, stamp: Callable[[], int]) -> None:
        self._clock = clock
        self._stamp = stamp
        self.stock: Collection[Stock] = Collection(
            "stock",
            show=show_stock,
            journal=journal,
            entities=entities,
            indexes={"sku": lambda stock: stock.sku},
        )

    def knows(self, sku: str) -> bool:
        """Tell whether the item was ever heard of."""
        return bool(self.stock.find("sku", sku))

    def read(self, sku: str, location: Location) -> Stock:
        """Return an item's stock at a location; an item never heard of opens with plenty, a known one with none."""
        held = self.stock.get(f"{sku}@{location}")
        return held or self._build(sku, location, 0 if self.knows(sku) else PLENTY)

    def open(
        self, sku: str, levels: Mapping[Location, int], exchange: Exchange | None = None, *, aged_s: float = 0.0
    ) -> None:
        """Take an item in with what lies there, one location or several, ``aged_s`` seconds ago."""
        for location, units in levels.items():
            opened = self._build(sku, location, units)
            self._put(replace(opened, updated_at=opened.updated_at - aged_s), exchange)

    def open_plenty(self, sku: str, exchange: Exchange | None = None) -> None:
        """Take in an item that nobody announced."""
        self.open(sku, dict.fromkeys(LOCATIONS, PLENTY), exchange)

    def count(self, sku: str, location: Location, on_hand: int) -> None:
        """Set what lies there: a new record opens with it, a known one is corrected."""
        held = self.stock.get(f"{sku}@{location}")
        if held is None:
            self.open(sku, {location: on_hand})
        elif held.on_hand != on_hand:
            self.change(sku, location, adjusted=on_hand - held.on_hand)

    def change(
        self,
        sku: str,
        location: Location,
        *,
        received: int = 0,
        shipped: int = 0,
        adjusted: int = 0,
        allocated: int = 0,
        exchange: Exchange | None = None,
    ) -> Stock:
        """Add to what came, went, was corrected and is set aside; raises NotPossibleError where too little is left."""
        held = self.read(sku, location)
        changed = replace(
            held,
            received=held.received + received,
            shipped=held.shipped + shipped,
            adjusted=held.adjusted + adjusted,
            allocated=held.allocated + allocated,
            updated_at=self._clock.wall(),
            revision=self._stamp(),
        )
        if min(changed.available, changed.allocated, changed.on_hand) < 0:
            raise NotPossibleError(f"{held.available} of {sku} are available at {location}")
        self._put(changed, exchange)
        return changed

    def _build(self, sku: str, location: Location, opening: int) -> Stock:
        return Stock(sku, location, opening, updated_at=self._clock.wall(), revision=self._stamp())

    def _put(self, stock: Stock, exchange: Exchange | None) -> None:
        self.stock.put(stock.id, stock, entity=stock.sku, exchange=exchange)
