"""The REST shapes of transactions and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.storefront.line_payloads import build_line
from fakes.storefront.model import format_time
from fakes.storefront.money import format_money

if TYPE_CHECKING:
    from fakes.storefront.model import Order
    from fakes.storefront.parts import Refund, RefundLine, Transaction


def build_transaction(transaction: Transaction) -> dict[str, Any]:
    """Return a transaction as the Admin API shows it."""
    return {
        "id": transaction.id,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{transaction.id}",
        "order_id": transaction.order_id,
        "parent_id": transaction.parent_id,
        "kind": transaction.kind,
        "status": transaction.status,
        "amount": format_money(transaction.amount),
        "currency": transaction.currency,
        "gateway": transaction.gateway,
        "authorization": transaction.authorization,
        "created_at": format_time(transaction.created_at),
        "processed_at": format_time(transaction.created_at),
        "error_code": None,
        "message": None,
        "receipt": {},
        "source_name": "web",
        "test": False,
    }


def build_refund(refund: Refund, order: Order) -> dict[str, Any]:
    """Return a refund with its goods and transactions."""
    return {
        "id": refund.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "order_id": refund.order_id,
        "created_at": format_time(refund.created_at),
        "processed_at": format_time(refund.created_at),
        "note": refund.note,
        "restock": any(line.restock_type != "no_restock" for line in refund.lines),
        "order_adjustments": [],
        "refund_line_items": [_build_refund_line(line, order) for line in refund.lines],
        "transactions": [build_transaction(one) for one in refund.transactions],
    }


def show_transaction(transaction: Transaction) -> dict[str, Any]:
    """Return a transaction as the control plane shows it."""
    return {
        "order_id": str(transaction.order_id),
        "parent_id": None if transaction.parent_id is None else str(transaction.parent_id),
        "kind": transaction.kind,
        "status": transaction.status,
        "amount": format_money(transaction.amount),
        "currency": transaction.currency,
        "gateway": transaction.gateway,
        "authorization": transaction.authorization,
    }


def show_refund(refund: Refund) -> dict[str, Any]:
    """Return a refund as the control plane shows it."""
    return {
        "order_id": str(refund.order_id),
        "amount": format_money(refund.amount),
        "note": refund.note,
        "lines": [
            {"line_item_id": str(line.line_id), "quantity": line.quantity, "restock_type": line.restock_type}
            for line in refund.lines
        ],
    }


def _build_refund_line(refunded: RefundLine, order: Order) -> dict[str, Any]:
    return {
        "id": refunded.id,
        "line_item_id": refunded.line_id,
        "quantity": refunded.quantity,
        "restock_type": refunded.restock_type,
        "location_id": refunded.location_id,
        "subtotal": format_money(refunded.subtotal),
        "total_tax": "0.00",
        "line_item": next(build_line(line) for line in order.lines if line.id == refunded.line_id),
    }
