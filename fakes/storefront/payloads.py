"""The REST shapes of the storefront's records, used in answers and webhooks alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.storefront.fulfilment_payloads import build_fulfillment
from fakes.storefront.line_payloads import build_line
from fakes.storefront.model import format_time
from fakes.storefront.money import format_money
from fakes.storefront.payment_payloads import build_refund

if TYPE_CHECKING:
    from fakes.storefront.model import Customer, Line, Order, Subscription
    from fakes.storefront.parts import Parts


def build_order(order: Order, parts: Parts) -> dict[str, Any]:
    """Return an order with its parts as the Admin API shows it."""
    total = format_money(order.total)
    address = _build_address(order.customer)
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "billing_address": address,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": format_time(order.cancelled_at),
        "closed_at": format_time(order.closed_at),
        "confirmed": True,
        "contact_email": order.customer.email,
        "created_at": format_time(order.created_at),
        "currency": order.currency,
        "current_total_price": format_money(order.total - order.refunded),
        "customer": _build_customer(order.customer, address),
        "discount_codes": [],
        "email": order.customer.email,
        "financial_status": order.financial_status,
        "fulfillment_status": order.fulfillment_status,
        "fulfillments": [build_fulfillment(one, order) for one in parts.fulfillments],
        "line_items": [_build_line(line, parts) for line in order.lines],
        "name": order.name,
        "note": order.note,
        "note_attributes": [{"name": name, "value": value} for name, value in order.note_attributes],
        "number": order.number,
        "order_number": order.number,
        "payment_gateway_names": [order.gateway],
        "phone": order.customer.phone,
        "presentment_currency": order.currency,
        "processed_at": format_time(order.created_at),
        "refunds": [build_refund(refund, order) for refund in parts.refunds],
        "shipping_address": address,
        "source_name": "web",
        "subtotal_price": total,
        "tags": order.tags,
        "tax_lines": [],
        "taxes_included": True,
        "test": False,
        "total_discounts": "0.00",
        "total_line_items_price": total,
        "total_price": total,
        "total_tax": "0.00",
        "updated_at": format_time(order.updated_at),
    }


def build_subscription(subscription: Subscription, api_version: str) -> dict[str, Any]:
    """Return a webhook subscription as the Admin API shows it."""
    return {
        "id": subscription.id,
        "admin_graphql_api_id": f"gid://shopify/WebhookSubscription/{subscription.id}",
        "address": subscription.address,
        "topic": subscription.topic,
        "format": "json",
        "fields": [],
        "metafield_namespaces": [],
        "private_metafield_namespaces": [],
        "api_version": api_version,
        "created_at": format_time(subscription.created_at),
        "updated_at": format_time(subscription.updated_at),
    }


def show_order(order: Order) -> dict[str, Any]:
    """Return an order as the control plane shows it."""
    return {
        "name": order.name,
        "number": order.number,
        "financial_status": order.financial_status,
        "fulfillment_status": order.fulfillment_status,
        "cancelled_at": format_time(order.cancelled_at),
        "total_price": format_money(order.total),
        "currency": order.currency,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "price": format_money(line.price)} for line in order.lines
        ],
        "note": order.note,
        "tags": order.tags,
        "refunded": format_money(order.refunded),
    }


def show_subscription(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription as the control plane shows it."""
    return {
        "topic": subscription.topic,
        "address": subscription.address,
        "removable": subscription.removable,
    }


def _build_line(line: Line, parts: Parts) -> dict[str, Any]:
    returned, withdrawn = parts.returned(line.id), parts.returned(line.id, unsent=True)
    return build_line(line, fulfilled=parts.fulfilled(line.id), returned=returned, withdrawn=withdrawn)


def _build_address(customer: Customer) -> dict[str, Any]:
    name = f"{customer.first_name} {customer.last_name}".strip()
    return {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "name": name,
        "phone": customer.phone,
        "address1": None,
        "address2": None,
        "city": None,
        "zip": None,
        "province": None,
        "country": None,
        "country_code": None,
        **customer.address,
    }


def _build_customer(customer: Customer, address: dict[str, Any]) -> dict[str, Any]:
    return {
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "default_address": address,
    }
