"""The shop's stock: what it sells, where it lies, and how much of it can still be sold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.kit.records import Collection
from fakes.storefront.goods import Item, Level, Location
from fakes.storefront.goods_payloads import build_level, build_product, show_item, show_level
from fakes.storefront.news import News

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fakes.kit.exchange import Exchange
    from fakes.storefront.shop import Shop

LOCATIONS = ("MAIN", "EAST")
LIMIT = 1_000_000_000  # the vendor keeps no more units of an item at a location, nor fewer than minus that


class Stock:
    """Keep items and their levels; orders take from the location they are to be sent from."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.locations = tuple(Location(shop.ids.number("location"), name) for name in LOCATIONS)
        self.items: Collection[Item] = Collection(
            "items",
            show=show_item,
            journal=shop.journal,
            entities=shop.entities,
            indexes={
                "sku": lambda item: item.sku,
                "product": lambda item: str(item.product_id),
                "variant": lambda item: str(item.variant_id),
            },
        )
        self.levels: Collection[Level] = Collection(
            "inventory_levels",
            show=show_level,
            journal=shop.journal,
            entities=shop.entities,
            indexes={"item": lambda level: str(level.item_id)},
        )

    @property
    def main(self) -> Location:
        """The location orders are sent from unless somebody decides otherwise."""
        return self.locations[0]

    def find_location(self, location_id: int) -> Location | None:
        """Return a location by id."""
        return next((one for one in self.locations if one.id == location_id), None)

    def locate(self, location_id: int) -> Location:
        """Return a location that is known to exist."""
        return next(one for one in self.locations if one.id == location_id)

    def find_sku(self, sku: str) -> Item | None:
        """Return an item by SKU."""
        return next(iter(self.items.find("sku", sku)), None)

    def levels_of(self, item_id: int) -> list[Level]:
        """Return an item's levels, one for each location that stocks it."""
        return self.levels.find("item", str(item_id))

    def level_at(self, item_id: int, location: Location) -> Level | None:
        """Return the level of an item at a location, None when it is not stocked there."""
        return self.levels.get(f"{item_id}@{location.name}")

    def available(self, item: Item) -> int:
        """Return what all locations have of an item together."""
        return sum(level.available for level in self.levels_of(item.id))

    def stock(self, sku: str, levels: Mapping[str, int], *, title: str | None = None, price: int = 0) -> Item:
        """Take an item in, or set the levels of one that is known, without telling anyone; it is its own entity."""
        item = self.find_sku(sku)
        if item is None:
            ids, now = self._shop.ids, self._shop.clock.wall()
            item = Item(
                ids.number("item"),
                sku,
                title or sku,
                ids.number("product"),
                ids.number("variant"),
                price,
                now,
                now,
            )
            self._shop.entities.register(sku, [str(item.id)])
            self.items.put(item.id, item, entity=sku)
        for location in self.locations:
            if location.name in levels:
                self._put(item, location, levels[location.name], None)
        return item

    def reprice(self, item: Item, price: int, exchange: Exchange) -> Item:
        """Sell an item for another price, in minor units, and announce it; orders keep theirs."""
        changed = replace(item, price=price, updated_at=self._shop.clock.wall())
        self.items.put(changed.id, changed, exchange=exchange)
        self._shop.tell([self.build_product_news(changed)], exchange)
        return changed

    def set_level(self, item: Item, location: Location, available: int, exchange: Exchange | None = None) -> Level:
        """Set what can be sold of an item at a location, stocking it there if need be, and announce it."""
        level = self._put(item, location, available, exchange)
        self._shop.tell([self.build_news(level)], exchange)
        return level

    def take(self, sku: str, location: Location, units: int, exchange: Exchange | None) -> list[News]:
        """Take units of an item from a location, or put them back if negative; what is not stocked there is let pass."""
        item = self.find_sku(sku)
        level = None if item is None else self.level_at(item.id, location)
        if item is None or level is None or units == 0:
            return []
        return [self.build_news(self._put(item, location, level.available - units, exchange))]

    def take_all(self, goods: Iterable[tuple[str, int]], location: Location, exchange: Exchange | None) -> list[News]:
        """Take several (sku, units) from a location."""
        return [news for sku, units in goods for news in self.take(sku, location, units, exchange)]

    def build_news(self, level: Level) -> News:
        """Return what is told of a level that changed."""
        return News("inventory_levels/update", level.sku, lambda: build_level(level))

    def build_product_news(self, item: Item) -> News:
        """Return what is told of a product that changed."""
        return News("products/update", item.sku, lambda: build_product(item, self.available(item)))

    def _put(self, item: Item, location: Location, available: int, exchange: Exchange | None) -> Level:
        made = Level(item.id, item.sku, location, available, self._shop.clock.wall())
        self.levels.put(f"{item.id}@{location.name}", made, entity=item.sku, exchange=exchange)
        return made

    def remove(self, level: Level, exchange: Exchange | None = None) -> None:
        """Stop stocking an item at a location."""
        self.levels.delete(f"{level.item_id}@{level.location.name}", exchange=exchange)
