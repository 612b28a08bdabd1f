"""
What the vendors behind the fakes call things: their operations, their webhook topics, their records and the states of those.

A name that is none of them never shows, so a handoff that is to be told by it would be found broken whatever it does. Systems
behind mappings have names of their own and are not listed. A test keeps the table equal to what the fakes serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.stack import Fake


@dataclass(frozen=True, slots=True)
class Vendor:
    """
    The names of one vendor.

    `records` are what can be an end state, in singular, each with every word that can stand in its state fields; a record
    without such a field has none. `usual` are the topics a receiver is for where no handoff names any. `codes` are its error
    codes; scripts and apps of an account may have more.
    """

    operations: tuple[str, ...]
    topics: tuple[str, ...]
    records: Mapping[str, frozenset[str]]
    codes: frozenset[str]
    usual: tuple[str, ...] = ()


def _list_operations(**verbs: str) -> tuple[str, ...]:
    return tuple(f"{record}.{verb}" for record, names in verbs.items() for verb in names.split())


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STATELESS: frozenset[str] = frozenset()

VENDORS: Mapping[Fake, Vendor] = {
    "shopify": Vendor(
        operations=_list_operations(
            order="count list create read update cancel close open",
            refund="list create calculate read",
            transaction="count list create read",
            fulfillment_order="list read hold release_hold cancel",
            fulfillment="create list read update_tracking cancel",
            location="list read",
            inventory_level="list set adjust connect delete",
            inventory_item="list read",
            product="list read",
            variant="list read update",
            webhook="count list create read update delete",
            shop="read",
        ),
        topics=(
            "orders/create",
            "orders/updated",
            "orders/paid",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/partially_fulfilled",
            "order_transactions/create",
            "refunds/create",
            "fulfillments/create",
            "inventory_levels/update",
            "products/update",
        ),
        usual=("orders/create", "orders/updated"),
        codes=_words(
            "BAD_REQUEST UNAUTHORIZED PAYMENT_REQUIRED FORBIDDEN NOT_FOUND METHOD_NOT_ALLOWED NOT_ACCEPTABLE CONFLICT TOO_LARGE "
            "UNSUPPORTED_MEDIA_TYPE UNPROCESSABLE LOCKED THROTTLED INTERNAL_SERVER_ERROR BAD_GATEWAY SERVICE_UNAVAILABLE "
            "GATEWAY_TIMEOUT"
        ),
        records={
            "order": _words(
                "pending authorized partially_paid paid partially_refunded refunded voided partial fulfilled"
            ),
            "transaction": _words("authorization capture sale refund void pending success"),
            "refund": _STATELESS,
            "fulfillment_order": _words("open in_progress on_hold closed cancelled"),
            "fulfillment": _words("success cancelled"),
            "item": _STATELESS,
            "inventory_level": _STATELESS,
        },
    ),
    "netsuite": Vendor(
        operations=_list_operations(
            token="create",  # noqa: S106 - a record, no password
            suiteql="query",
            sales_order="create list upsert read update delete",
            customer="create list upsert read update delete",
            item_fulfillment="list read update delete transform",
            credit_memo="create list upsert read update delete",
        ),
        topics=(),
        codes=_words(
            "INVALID_LOGIN INSUFFICIENT_PERMISSION NONEXISTENT_ID NONEXISTENT_RECORD_TYPE NONEXISTENT_URL METHOD_NOT_ALLOWED "
            "USER_ERROR INVALID_CONTENT INVALID_KEY_OR_REF INVALID_PARAMETER INVALID_HEADER INVALID_ID RCRD_HAS_BEEN_CHANGED "
            "CONCURRENCY_LIMIT_EXCEEDED UNEXPECTED_ERROR invalid_request invalid_client invalid_grant invalid_scope"
        ),
        records={
            "sales_order": frozenset(
                {
                    "Pending Approval",
                    "Pending Fulfillment",
                    "Cancelled",
                    "Partially Fulfilled",
                    "Pending Billing/Partially Fulfilled",
                    "Pending Billing",
                    "Billed",
                    "Closed",
                }
            ),
            "customer": _STATELESS,
            "item_fulfillment": _words("Picked Packed Shipped"),
            "credit_memo": frozenset({"Open", "Fully Applied"}),
        },
    ),
    "stripe": Vendor(
        operations=_list_operations(
            payment_intent="create list search read update confirm capture cancel",
            refund="create list read update",
            charge="list read",
            event="list read",
            webhook_endpoint="create list read delete",
        ),
        topics=(
            "payment_intent.created",
            "payment_intent.requires_action",
            "payment_intent.amount_capturable_updated",
            "payment_intent.succeeded",
            "payment_intent.payment_failed",
            "payment_intent.canceled",
            "charge.succeeded",
            "charge.failed",
            "charge.captured",
            "charge.refunded",
            "charge.expired",
            "refund.created",
            "refund.updated",
        ),
        usual=("payment_intent.succeeded",),
        codes=_words(
            "card_declined expired_card incorrect_cvc processing_error authentication_required payment_intent_unexpected_state "
            "charge_already_refunded amount_too_large amount_too_small parameter_missing parameter_unknown "
            "parameter_invalid_integer parameter_invalid_empty parameter_invalid_string_blank url_invalid resource_missing "
            "api_key_expired more_permissions_required idempotency_key_in_use lock_timeout rate_limit invalid_request_error "
            "invalid_api_key unrecognized_url too_large idempotency_error api_error"
        ),
        records={
            "payment_intent": _words(
                "requires_payment_method requires_confirmation requires_action requires_capture canceled succeeded"
            ),
            "charge": _words("succeeded failed"),
            "refund": _words("succeeded"),
        },
    ),
    "wms": Vendor(
        operations=_list_operations(
            wms_order="list create read allocate cancel",
            inventory="list",
            wms_webhook="list create read delete",
            openapi="read",
        ),
        topics=(
            "order.allocated",
            "order.short_picked",
            "order.shipped",
            "order.cancelled",
            "inventory.adjusted",
            "inventory.snapshot",
        ),
        usual=("order.shipped",),
        codes=_words(
            "malformed_request unauthorized forbidden not_found method_not_allowed conflict not_cancellable nothing_to_allocate "
            "payload_too_large unsupported_media_type validation_failed duplicate_reference unknown_item rate_limited "
            "internal_error service_unavailable"
        ),
        records={
            "order": _words(
                "received held allocated partially_allocated backordered picking packed shipped partially_shipped cancelled"
            ),
            "shipment": _STATELESS,
        },
    ),
}


def find_vendor(fake: str | None) -> Vendor | None:
    """Find the vendor a fake plays; None for mappings, and for what is no fake at all."""
    return next((vendor for name, vendor in VENDORS.items() if name == fake), None)
