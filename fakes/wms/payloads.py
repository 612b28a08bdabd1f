"""Records and events as JSON: what the API answers, what webhooks carry, what the control plane shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.wms.model import Event, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.wms.model import Line, Order, Shipment, ShortPick, Stock, Subscription


def build_order(order: Order) -> dict[str, Any]:
    """Return an order as the API shows it."""
    return {
        "id": order.id,
        "reference": order.reference,
        "status": order.status,
        "location": order.location,
        "ship_to": order.ship_to,
        "lines": [_build_line(line) for line in order.lines],
        "allocations": _build_allocations(order),
        "shipments": [build_shipment(shipment) for shipment in order.shipments],
        "short_picks": [_build_short_pick(short) for short in order.short_picks],
        "created_at": format_time(order.created_at),
        "updated_at": format_time(order.updated_at),
        "cancelled_at": None if order.cancelled_at is None else format_time(order.cancelled_at),
        "cancel_reason": order.cancel_reason,
    }


def build_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return a shipment as orders and webhooks show it."""
    return {
        "id": shipment.id,
        "tracking": shipment.tracking,
        "carrier": shipment.carrier,
        "location": shipment.location,
        "shipped_at": format_time(shipment.shipped_at),
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in shipment.lines],
    }


def build_stock(stock: Stock) -> dict[str, Any]:
    """Return stock as the API shows it."""
    return {
        "sku": stock.sku,
        "location": stock.location,
        "on_hand": stock.on_hand,
        "allocated": stock.allocated,
        "available": stock.available,
        "updated_at": format_time(stock.updated_at),
    }


def build_subscription(subscription: Subscription) -> dict[str, Any]:
    """Return a webhook subscription as the API shows it."""
    return {
        "id": subscription.id,
        "url": subscription.url,
        "topics": list(subscription.topics),
        "created_at": format_time(subscription.created_at),
    }


def show_order(order: Order) -> dict[str, Any]:
    """Return what the control plane shows of an order."""
    shown = build_order(order)
    names = ("reference", "status", "location", "lines", "allocations", "shipments", "short_picks", "cancel_reason")
    return {name: shown[name] for name in names}


def show_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return what the control plane shows of a shipment."""
    return {"order_id": shipment.order_id, "reference": shipment.reference, **build_shipment(shipment)}


def show_stock(stock: Stock) -> dict[str, Any]:
    """Return what the control plane shows of stock: the whole sum."""
    return {
        "sku": stock.sku,
        "location": stock.location,
        "opening": stock.opening,
        "received": stock.received,
        "shipped": stock.shipped,
        "adjusted": stock.adjusted,
        "on_hand": stock.on_hand,
        "allocated": stock.allocated,
        "available": stock.available,
    }


def show_subscription(subscription: Subscription) -> dict[str, Any]:
    """Return what the control plane shows of a subscription."""
    return {"url": subscription.url, "topics": list(subscription.topics), "removable": subscription.removable}


def build_allocated(order: Order) -> Event:
    """Return the event of units set aside for an order."""
    data = {
        **_name(order),
        "lines": [_build_line(line) for line in order.lines],
        "allocations": _build_allocations(order),
    }
    return Event("order.allocated", data, order.entity, order.updated_at)


def build_short_picked(order: Order, shorts: Iterable[ShortPick]) -> Event:
    """Return the event of units that could not be picked."""
    data = {**_name(order), "short_picks": [_build_short_pick(short) for short in shorts]}
    return Event("order.short_picked", data, order.entity, order.updated_at)


def build_shipped(order: Order, shipment: Shipment) -> Event:
    """Return the event of one shipment."""
    data = {
        "order_id": order.id,
        "reference": order.reference,
        "shipment": build_shipment(shipment),
        "status": order.status,
    }
    return Event("order.shipped", data, order.entity, shipment.shipped_at)


def build_cancelled(order: Order) -> Event:
    """Return the event of an order's end."""
    return Event("order.cancelled", {**_name(order), "reason": order.cancel_reason}, order.entity, order.updated_at)


def build_adjusted(stock: Stock, delta: int, reason: str) -> Event:
    """Return the event of stock that was corrected or came in."""
    return Event(
        "inventory.adjusted", {**build_stock(stock), "delta": delta, "reason": reason}, stock.sku, stock.updated_at
    )


def build_snapshot(stock: Iterable[Stock], at: float) -> Event:
    """Return the event of a count of everything, as it was at one moment."""
    data = {"taken_at": format_time(at), "items": [build_stock(one) for one in stock]}
    return Event("inventory.snapshot", data, None, at)


def build_envelope(event: Event) -> dict[str, Any]:
    """Return a webhook's body (Standard Webhooks: payload structure)."""
    return {"type": event.topic, "timestamp": format_time(event.at), "data": event.data}


def _name(order: Order) -> dict[str, Any]:
    return {"order_id": order.id, "reference": order.reference, "status": order.status}


def _build_line(line: Line) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "quantity": line.quantity,
        "allocated": line.allocated,
        "picked": line.picked,
        "packed": line.packed,
        "shipped": line.shipped,
    }


def _build_allocations(order: Order) -> list[dict[str, Any]]:
    return [{"sku": one.sku, "location": one.location, "quantity": one.quantity} for one in order.allocations]


def _build_short_pick(short: ShortPick) -> dict[str, Any]:
    return {"sku": short.sku, "location": short.location, "quantity": short.quantity, "reason": short.reason}
