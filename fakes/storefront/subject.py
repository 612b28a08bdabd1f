"""Whom a call is about: the order or the item that its path, query or body names by a vendor's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import dig, texts
from fakes.kit.entities import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.kit.exchange import Exchange
    from fakes.kit.records import Collection
    from fakes.storefront.shop import Shop


def build_subject(shop: Shop, exchange: Exchange) -> Subject:
    """Return the records a call touches, the most telling first."""
    return Subject() if exchange.shared else Subject(records=tuple(_find_records(shop, exchange)))


def _find_records(shop: Shop, exchange: Exchange) -> Iterator[str]:
    named: dict[str, Collection[Any]] = {
        "id": shop.orders,
        "fulfillment_order": shop.fulfilment.requests,
        "fulfillment": shop.fulfilment.fulfillments,
        "item": shop.stock.items,
    }
    for name, collection in named.items():
        if name in exchange.params:
            yield collection.link_key(exchange.params[name])
    for index in ("product", "variant"):
        for item in shop.stock.items.find(index, exchange.params.get(index, "")):
            yield shop.stock.items.link_key(item.id)
    if exchange.operation is None:
        return
    if exchange.operation.name == "fulfillment.create":
        for request_id in _read_request_ids(exchange.json()):
            yield shop.fulfilment.requests.link_key(request_id)
    elif exchange.operation.name.startswith("inventory_level."):
        for item_id in _read_item_ids(exchange):
            yield shop.stock.items.link_key(item_id)


def _read_request_ids(body: Any) -> tuple[str, ...]:
    rows = dig(body, "fulfillment", "line_items_by_fulfillment_order")
    return texts(*(dig(row, "fulfillment_order_id") for row in rows)) if isinstance(rows, list) else ()


def _read_item_ids(exchange: Exchange) -> tuple[str, ...]:
    """Return the item a call names; a list of several is about none of them."""
    if exchange.method == "POST":
        return texts(dig(exchange.json(), "inventory_item_id"))
    query = exchange.query
    named = query.get("inventory_item_ids", query.get("inventory_item_id", ""))
    return (named.strip(),) if named and "," not in named else ()
