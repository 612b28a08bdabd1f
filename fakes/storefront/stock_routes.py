"""Locations, inventory and products in the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, build_json_answer
from fakes.storefront.drafts import read_price, read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.goods_payloads import build_item, build_level, build_location, build_product, build_variant
from fakes.storefront.paging import answer_page, read_ids, read_request
from fakes.storefront.stock import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.exchange import Exchange
    from fakes.storefront.goods import Item, Level, Location
    from fakes.storefront.shop import Shop

_NOT_STOCKED = "Inventory item does not have inventory at the specified location."


class StockRoutes:
    """Handlers of locations, levels, items, products and variants."""

    def __init__(self, shop: Shop) -> None:
        self._stock = shop.stock

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "location.list": self.list_locations,
            "location.read": self.read_location,
            "inventory_level.list": self.list_levels,
            "inventory_level.set": self.set_level,
            "inventory_level.adjust": self.adjust_level,
            "inventory_level.connect": self.connect,
            "inventory_level.delete": self.disconnect,
            "inventory_item.list": self.list_items,
            "inventory_item.read": self.read_item,
            "product.list": self.list_products,
            "product.read": self.read_product,
            "variant.list": self.list_variants,
            "variant.read": self.read_variant,
            "variant.update": self.update_variant,
        }

    def list_locations(self, _: Exchange) -> Answer:
        """Answer the locations."""
        return build_json_answer(200, {"locations": [build_location(one) for one in self._stock.locations]})

    def read_location(self, exchange: Exchange) -> Answer:
        """Answer one location."""
        found = self._stock.find_location(int(exchange.params["location"]))
        if found is None:
            raise not_found()
        return build_json_answer(200, {"location": build_location(found)})

    def list_levels(self, exchange: Exchange) -> Answer:
        """Answer the levels of the items or locations asked for; one or the other must be."""
        request = read_request(exchange.query, ("inventory_item_ids", "location_ids"))
        items = read_ids(request.filters, "inventory_item_ids")
        places = read_ids(request.filters, "location_ids")
        if "location" in exchange.params:
            places = [exchange.params["location"]]
        if items is None and places is None:
            raise refuse(422, {"base": ["Either inventory_item_ids or location_ids must be given"]})
        if items is None:
            found = list(self._stock.levels)
        else:
            found = [level for item_id in dict.fromkeys(items) for level in self._stock.levels_of(int(item_id))]
        shown = [level for level in found if places is None or str(level.location.id) in places]
        return answer_page(exchange, "inventory_levels", request, shown, build_level)

    def set_level(self, exchange: Exchange) -> Answer:
        """Set what can be sold of an item at a location."""
        given = exchange.object()
        item, location = self._find(given)
        available = _read_units(given, "available")
        return _answer_level(self._stock.set_level(item, location, available, exchange))

    def adjust_level(self, exchange: Exchange) -> Answer:
        """Change what can be sold of an item at a location that stocks it."""
        given = exchange.object()
        item, location = self._find(given)
        change = _read_units(given, "available_adjustment")
        level = self._stock.level_at(item.id, location)
        if level is None:
            raise refuse(422, [_NOT_STOCKED])
        if abs(level.available + change) > LIMIT:
            raise refuse(422, {"available": ["is out of range"]})
        return _answer_level(self._stock.set_level(item, location, level.available + change, exchange))

    def connect(self, exchange: Exchange) -> Answer:
        """Stock an item at a location, with nothing there yet."""
        item, location = self._find(exchange.object())
        level = self._stock.level_at(item.id, location)
        return _answer_level(level or self._stock.set_level(item, location, 0, exchange), status=201)

    def disconnect(self, exchange: Exchange) -> Answer:
        """Stop stocking an item at a location; each item stays at one."""
        item, location = self._find(exchange.query)
        level = self._stock.level_at(item.id, location)
        if level is None:
            raise not_found()
        if len(self._stock.levels_of(item.id)) == 1:
            raise refuse(422, ["Inventory item must be stocked at at least one location"])
        self._stock.remove(level, exchange)
        return Answer(204)

    def list_items(self, exchange: Exchange) -> Answer:
        """Answer the inventory items asked for by id."""
        request = read_request(exchange.query, ("ids",))
        ids = read_ids(request.filters, "ids")
        if ids is None:
            raise refuse(422, {"ids": "Required parameter missing or invalid"})
        found = [item for item_id in dict.fromkeys(ids) if (item := self._stock.items.get(item_id)) is not None]
        return answer_page(exchange, "inventory_items", request, found, build_item)

    def read_item(self, exchange: Exchange) -> Answer:
        """Answer one inventory item."""
        return build_json_answer(200, {"inventory_item": build_item(self._find_by("item", exchange))})

    def list_products(self, exchange: Exchange) -> Answer:
        """Answer the products, the first made first."""
        request = read_request(exchange.query, ("ids", "since_id", "title", "handle"))
        ids, since = read_ids(request.filters, "ids"), read_ids(request.filters, "since_id")
        found = [
            item
            for item in self._stock.items
            if (ids is None or str(item.product_id) in ids)
            and (since is None or item.product_id > int(since[0]))
            and item.title == request.filters.get("title", item.title)
            and item.sku.lower() == request.filters.get("handle", item.sku.lower())
        ]
        return answer_page(exchange, "products", request, found, self._build_product)

    def read_product(self, exchange: Exchange) -> Answer:
        """Answer one product."""
        return build_json_answer(200, {"product": self._build_product(self._find_by("product", exchange))})

    def list_variants(self, exchange: Exchange) -> Answer:
        """Answer a product's variants."""
        return build_json_answer(200, {"variants": [self._build_variant(self._find_by("product", exchange))]})

    def read_variant(self, exchange: Exchange) -> Answer:
        """Answer one variant."""
        return build_json_answer(200, {"variant": self._build_variant(self._find_by("variant", exchange))})

    def update_variant(self, exchange: Exchange) -> Answer:
        """Change a variant's price; what else is given is ignored."""
        item = self._find_by("variant", exchange)
        if exchange.params.get("product") not in (None, str(item.product_id)):
            raise not_found()
        given = read_root(exchange, "variant")
        if "price" in given:
            item = self._stock.reprice(item, read_price(given["price"]), exchange)
        return build_json_answer(200, {"variant": self._build_variant(item)})

    def _build_product(self, item: Item) -> dict[str, Any]:
        return build_product(item, self._stock.available(item))

    def _build_variant(self, item: Item) -> dict[str, Any]:
        return build_variant(item, self._stock.available(item))

    def _find_by(self, name: str, exchange: Exchange) -> Item:
        given = exchange.params[name]
        found = self._stock.items.get(given) if name == "item" else None
        if name != "item":
            found = next(iter(self._stock.items.find(name, given)), None)
        if found is None:
            raise not_found()
        return found

    def _find(self, given: Mapping[str, Any]) -> tuple[Item, Location]:
        item_id, location_id = (_read_id(given, name) for name in ("inventory_item_id", "location_id"))
        item, location = self._stock.items.get(item_id), self._stock.find_location(location_id)
        if item is None or location is None:
            raise not_found()
        return item, location


def _read_id(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    raise refuse(400, {name: "Required parameter missing or invalid"})


def _read_units(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 12:
        value = int(value)
    if type(value) is not int or abs(value) > LIMIT:
        raise refuse(422, {name: ["is not a number"]})
    return value


def _answer_level(level: Level, *, status: int = 200) -> Answer:
    return build_json_answer(status, {"inventory_level": build_level(level)})
