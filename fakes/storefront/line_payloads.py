"""The REST shape of an order's line items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.storefront.money import format_money

if TYPE_CHECKING:
    from fakes.storefront.model import Line


def build_line(
    line: Line, *, fulfilled: int = 0, returned: int = 0, withdrawn: int = 0, quantity: int | None = None
) -> dict[str, Any]:
    """
    Return a line item; ``quantity`` is how many of its units are meant, all of them unless given.

    Of all units, ``fulfilled`` were sent, ``returned`` were refunded, among these ``withdrawn`` before they were sent.
    """
    left = max(0, line.quantity - fulfilled - withdrawn)
    status = None if not fulfilled else "partial" if left else "fulfilled"
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "current_quantity": line.quantity - returned,
        "fulfillable_quantity": left,
        "fulfillment_service": "manual",
        "fulfillment_status": status,
        "gift_card": False,
        "grams": 0,
        "name": line.title,
        "price": format_money(line.price),
        "product_exists": line.product_id is not None,
        "product_id": line.product_id,
        "quantity": line.quantity if quantity is None else quantity,
        "requires_shipping": True,
        "sku": line.sku,
        "taxable": True,
        "title": line.title,
        "total_discount": "0.00",
        "variant_id": line.variant_id,
        "vendor": None,
    }
