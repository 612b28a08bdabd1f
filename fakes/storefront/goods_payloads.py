"""The REST shapes of locations, products, variants, inventory items and their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.storefront.model import format_time
from fakes.storefront.money import format_money

if TYPE_CHECKING:
    from fakes.storefront.goods import Item, Level, Location


def build_location(location: Location) -> dict[str, Any]:
    """Return a location as the Admin API shows it."""
    return {
        "id": location.id,
        "admin_graphql_api_id": f"gid://shopify/Location/{location.id}",
        "name": location.name,
        "active": True,
        "legacy": False,
    }


def build_product(item: Item, available: int) -> dict[str, Any]:
    """Return a product with its one variant; ``available`` is what all locations have together."""
    return {
        "id": item.product_id,
        "admin_graphql_api_id": f"gid://shopify/Product/{item.product_id}",
        "title": item.title,
        "handle": item.sku.lower(),
        "status": "active",
        "created_at": format_time(item.created_at),
        "updated_at": format_time(item.updated_at),
        "variants": [build_variant(item, available)],
    }


def build_variant(item: Item, available: int) -> dict[str, Any]:
    """Return a variant; its inventory item is what stock is kept of."""
    return {
        "id": item.variant_id,
        "admin_graphql_api_id": f"gid://shopify/ProductVariant/{item.variant_id}",
        "product_id": item.product_id,
        "title": "Default Title",
        "sku": item.sku,
        "price": format_money(item.price),
        "inventory_item_id": item.id,
        "inventory_management": "shopify",
        "inventory_policy": "continue",
        "inventory_quantity": available,
    }


def build_item(item: Item) -> dict[str, Any]:
    """Return an inventory item."""
    return {
        "id": item.id,
        "admin_graphql_api_id": f"gid://shopify/InventoryItem/{item.id}",
        "sku": item.sku,
        "tracked": True,
        "requires_shipping": True,
        "created_at": format_time(item.created_at),
        "updated_at": format_time(item.created_at),
    }


def build_level(level: Level) -> dict[str, Any]:
    """Return an inventory level, which has no id of its own."""
    return {
        "inventory_item_id": level.item_id,
        "location_id": level.location.id,
        "available": level.available,
        "updated_at": format_time(level.updated_at),
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{level.location.id}?inventory_item_id={level.item_id}",
    }


def show_item(item: Item) -> dict[str, Any]:
    """Return an item as the control plane shows it."""
    return {
        "sku": item.sku,
        "title": item.title,
        "product_id": str(item.product_id),
        "variant_id": str(item.variant_id),
        "price": format_money(item.price),
    }


def show_level(level: Level) -> dict[str, Any]:
    """Return a level as the control plane shows it."""
    return {
        "sku": level.sku,
        "inventory_item_id": str(level.item_id),
        "location": level.location.name,
        "available": level.available,
    }
