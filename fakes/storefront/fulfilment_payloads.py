"""The REST shapes of fulfillment orders and fulfillments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.storefront.line_payloads import build_line
from fakes.storefront.model import format_time

if TYPE_CHECKING:
    from fakes.storefront.goods import Location
    from fakes.storefront.model import Order
    from fakes.storefront.parts import Fulfillment, FulfillmentOrder

_ACTIONS = {
    "open": ("create_fulfillment", "hold", "move", "cancel_fulfillment_order"),
    "in_progress": ("create_fulfillment", "hold"),
    "on_hold": ("release_hold",),
}


def build_fulfillment_order(fulfillment_order: FulfillmentOrder, location: Location) -> dict[str, Any]:
    """Return a fulfillment order as the Admin API shows it."""
    order_id = fulfillment_order.order_id
    hold = {"reason": fulfillment_order.hold_reason, "reason_notes": fulfillment_order.hold_notes}
    return {
        "id": fulfillment_order.id,
        "admin_graphql_api_id": f"gid://shopify/FulfillmentOrder/{fulfillment_order.id}",
        "order_id": order_id,
        "assigned_location_id": location.id,
        "assigned_location": {"location_id": location.id, "name": location.name},
        "status": fulfillment_order.status,
        "request_status": "unsubmitted",
        "supported_actions": list(_ACTIONS.get(fulfillment_order.status, ())),
        "fulfillment_holds": [hold] if fulfillment_order.status == "on_hold" else [],
        "created_at": format_time(fulfillment_order.created_at),
        "updated_at": format_time(fulfillment_order.updated_at),
        "line_items": [
            {
                "id": line.id,
                "order_id": order_id,
                "fulfillment_order_id": fulfillment_order.id,
                "line_item_id": line.line_id,
                "variant_id": line.variant_id,
                "quantity": line.quantity,
                "fulfillable_quantity": line.remaining,
            }
            for line in fulfillment_order.lines
        ],
    }


def build_fulfillment(fulfillment: Fulfillment, order: Order) -> dict[str, Any]:
    """Return a fulfillment with what was sent."""
    tracking = fulfillment.tracking
    lines = {line.id: line for line in order.lines}
    return {
        "id": fulfillment.id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{fulfillment.id}",
        "order_id": fulfillment.order_id,
        "name": fulfillment.name,
        "status": fulfillment.status,
        "shipment_status": None,
        "service": "manual",
        "location_id": fulfillment.location_id,
        "created_at": format_time(fulfillment.created_at),
        "updated_at": format_time(fulfillment.updated_at),
        "tracking_company": tracking.company,
        "tracking_number": next(iter(tracking.numbers), None),
        "tracking_numbers": list(tracking.numbers),
        "tracking_url": next(iter(tracking.urls), None),
        "tracking_urls": list(tracking.urls),
        "line_items": [
            build_line(lines[line.line_id], fulfilled=line.quantity, quantity=line.quantity)
            for line in fulfillment.lines
        ],
    }


def show_fulfillment_order(fulfillment_order: FulfillmentOrder, location: Location) -> dict[str, Any]:
    """Return a fulfillment order as the control plane shows it."""
    return {
        "order_id": str(fulfillment_order.order_id),
        "status": fulfillment_order.status,
        "location": location.name,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "remaining": line.remaining}
            for line in fulfillment_order.lines
        ],
    }


def show_fulfillment(fulfillment: Fulfillment, location: Location) -> dict[str, Any]:
    """Return a fulfillment as the control plane shows it."""
    return {
        "order_id": str(fulfillment.order_id),
        "status": fulfillment.status,
        "location": location.name,
        "tracking_number": next(iter(fulfillment.tracking.numbers), None),
        "tracking_company": fulfillment.tracking.company,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in fulfillment.lines],
    }
