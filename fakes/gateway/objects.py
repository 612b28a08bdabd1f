"""The gateway's objects as clients see them, and as the control plane shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.gateway.cards import brand_of
from fakes.gateway.settings import API_VERSION

if TYPE_CHECKING:
    from fakes.gateway.model import Charge, Endpoint, Event, Intent, Refund


def build_intent(intent: Intent) -> dict[str, Any]:
    """Return a PaymentIntent."""
    return {
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.amount_capturable,
        "amount_details": {"tip": {}},
        "amount_received": intent.amount_received,
        "application": None,
        "automatic_payment_methods": None,
        "canceled_at": _seconds(intent.canceled_at),
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "client_secret": intent.secret,
        "confirmation_method": "automatic",
        "created": int(intent.created),
        "currency": intent.currency,
        "customer": None,
        "description": None,
        "last_payment_error": intent.last_payment_error and dict(intent.last_payment_error),
        "latest_charge": intent.latest_charge,
        "livemode": False,
        "metadata": dict(intent.metadata),
        "next_action": _build_next_action(intent),
        "payment_method": intent.payment_method,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": intent.status,
        **intent.extra,
    }


def show_intent(intent: Intent) -> dict[str, Any]:
    """Return a PaymentIntent as the control plane shows it."""
    return {
        "status": intent.status,
        "amount": intent.amount,
        "amount_capturable": intent.amount_capturable,
        "amount_received": intent.amount_received,
        "amount_refunded": intent.amount_refunded,
        "currency": intent.currency,
        "capture_method": intent.capture_method,
        "metadata": dict(intent.metadata),
        "captures": list(intent.captures),
        "cancellation_reason": intent.cancellation_reason,
        "latest_charge": intent.latest_charge,
    }


def build_charge(charge: Charge) -> dict[str, Any]:
    """Return a charge; a hold that was let go reads as refunded, as the vendor has it."""
    failure = charge.failure or {}
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount if charge.released else charge.amount_refunded,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": charge.captured,
        "created": int(charge.created),
        "currency": charge.currency,
        "customer": None,
        "disputed": False,
        "failure_code": failure.get("code"),
        "failure_message": failure.get("message"),
        "livemode": False,
        "metadata": dict(charge.metadata),
        "outcome": _build_outcome(failure.get("decline_code")),
        "paid": charge.status == "succeeded",
        "payment_intent": charge.intent,
        "payment_method": charge.payment_method,
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": brand_of(charge.payment_method),
                "capture_before": _seconds(charge.capture_before),
                "last4": "4242",
            },
        },
        "refunded": charge.released or (charge.captured and charge.amount_refunded >= charge.amount_captured),
        "status": charge.status,
    }


def show_charge(charge: Charge) -> dict[str, Any]:
    """Return a charge as the control plane shows it: ``amount_refunded`` is money given back, not a hold let go."""
    return {
        "payment_intent": charge.intent,
        "status": charge.status,
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "captured": charge.captured,
        "released": charge.released,
        "currency": charge.currency,
        "failure_code": (charge.failure or {}).get("code"),
    }


def build_refund(refund: Refund) -> dict[str, Any]:
    """Return a refund."""
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None,
        "charge": refund.charge,
        "created": int(refund.created),
        "currency": refund.currency,
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": dict(refund.metadata),
        "payment_intent": refund.intent,
        "reason": refund.reason,
        "receipt_number": None,
        "status": refund.status,
    }


def show_refund(refund: Refund) -> dict[str, Any]:
    """Return a refund as the control plane shows it."""
    return {
        "payment_intent": refund.intent,
        "charge": refund.charge,
        "amount": refund.amount,
        "currency": refund.currency,
        "status": refund.status,
        "reason": refund.reason,
        "metadata": dict(refund.metadata),
    }


def build_event(event: Event) -> dict[str, Any]:
    """Return an event with the object as it was then."""
    return {
        "id": event.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(event.created),
        "data": {"object": dict(event.object)},
        "livemode": False,
        "pending_webhooks": event.pending,
        "request": {"id": event.cause.request, "idempotency_key": event.cause.key},
        "type": event.type,
    }


def show_event(event: Event) -> dict[str, Any]:
    """Return an event as the control plane shows it."""
    return {
        "type": event.type,
        "object": event.object.get("id"),
        "created": int(event.created),
        "idempotency_key": event.cause.key,
    }


def build_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Return a webhook endpoint without its secret, which the vendor shows once."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": endpoint.api_version,
        "application": None,
        "created": int(endpoint.created),
        "description": endpoint.description,
        "enabled_events": list(endpoint.topics),
        "livemode": False,
        "metadata": dict(endpoint.metadata),
        "status": "enabled",
        "url": endpoint.url,
    }


def show_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Return a webhook endpoint as the control plane shows it."""
    return {"url": endpoint.url, "enabled_events": list(endpoint.topics), "seeded": endpoint.secret is None}


def _build_next_action(intent: Intent) -> dict[str, Any] | None:
    if intent.status != "requires_action":
        return None
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}


def _build_outcome(decline_code: str | None) -> dict[str, Any]:
    declined = decline_code is not None
    return {
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": decline_code,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _seconds(at: float | None) -> int | None:
    return None if at is None else int(at)
