"""What the gateway offers: Stripe's PaymentIntents and what hangs on them, its error codes, its event types."""

from __future__ import annotations

from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.kinds import API_KINDS, REMOVAL_KINDS, WEBHOOK_KINDS

TOPICS = (
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
)

_INTENT = r"/v1/payment_intents/(?P<id>pi_[A-Za-z0-9_]{1,60})"
_REFUND = r"/v1/refunds/(?P<id>re_[A-Za-z0-9_]{1,60})"
_ENDPOINT = r"/v1/webhook_endpoints/(?P<id>we_[A-Za-z0-9_]{1,60})"

OPERATIONS = (
    Operation("payment_intent.create", "POST", r"/v1/payment_intents", handoff_hint="payment-authorisation"),
    Operation("payment_intent.list", "GET", r"/v1/payment_intents", shared=True),
    Operation("payment_intent.search", "GET", r"/v1/payment_intents/search", shared=True),
    Operation("payment_intent.read", "GET", _INTENT),
    Operation("payment_intent.update", "POST", _INTENT),
    Operation("payment_intent.confirm", "POST", _INTENT + "/confirm"),
    Operation("payment_intent.capture", "POST", _INTENT + "/capture", handoff_hint="payment-capture"),
    Operation("payment_intent.cancel", "POST", _INTENT + "/cancel"),
    Operation("refund.create", "POST", r"/v1/refunds", handoff_hint="refund"),
    Operation("refund.list", "GET", r"/v1/refunds", shared=True),
    Operation("refund.read", "GET", _REFUND),
    Operation("refund.update", "POST", _REFUND),
    Operation("charge.list", "GET", r"/v1/charges", shared=True),
    Operation("charge.read", "GET", r"/v1/charges/(?P<id>ch_[A-Za-z0-9_]{1,60})"),
    Operation("event.list", "GET", r"/v1/events", shared=True),
    Operation("event.read", "GET", r"/v1/events/(?P<id>evt_[A-Za-z0-9_]{1,60})"),
    Operation("webhook_endpoint.create", "POST", r"/v1/webhook_endpoints", shared=True),
    Operation("webhook_endpoint.list", "GET", r"/v1/webhook_endpoints", shared=True),
    Operation("webhook_endpoint.read", "GET", _ENDPOINT, shared=True),
    Operation("webhook_endpoint.delete", "DELETE", _ENDPOINT, shared=True),
)

# Stripe: error codes. Names in the last group are not on the wire: there the vendor tells by type and status alone.
CODES = (
    ErrorCode("card_declined", 402, "Your card was declined."),
    ErrorCode("expired_card", 402, "Your card has expired."),
    ErrorCode("incorrect_cvc", 402, "Your card's security code is incorrect."),
    ErrorCode("processing_error", 402, "An error occurred while processing your card. Try again in a little bit."),
    ErrorCode("authentication_required", 402, "Your card was declined. This transaction requires authentication."),
    ErrorCode(
        "payment_intent_unexpected_state",
        400,
        "This PaymentIntent could not be captured because it has already been captured.",
    ),
    ErrorCode("charge_already_refunded", 400, "The charge has already been refunded."),
    ErrorCode("amount_too_large", 400, "The amount is greater than what may be taken."),
    ErrorCode("amount_too_small", 400, "The amount is below the smallest that may be taken."),
    ErrorCode("parameter_missing", 400, "Missing required param."),
    ErrorCode("parameter_unknown", 400, "Received unknown parameter."),
    ErrorCode("parameter_invalid_integer", 400, "Invalid integer."),
    ErrorCode("parameter_invalid_empty", 400, "You passed an empty string for a parameter that must hold one."),
    ErrorCode("parameter_invalid_string_blank", 400, "The parameter may not be blank."),
    ErrorCode("url_invalid", 400, "Invalid URL."),
    ErrorCode("resource_missing", 404, "No such object."),
    ErrorCode("api_key_expired", 401, "Expired API Key provided."),
    ErrorCode("more_permissions_required", 403, "The provided key does not have the required permissions."),
    ErrorCode(
        "idempotency_key_in_use",
        409,
        "There is currently another in-progress request using this Idempotency Key.",
        retriable=True,
    ),
    ErrorCode(
        "lock_timeout",
        429,
        "This object cannot be accessed right now because another API request is accessing it.",
        retriable=True,
    ),
    ErrorCode("rate_limit", 429, "Request rate limit exceeded.", retriable=True),
    ErrorCode("invalid_request_error", 400, "Invalid request."),
    ErrorCode("invalid_api_key", 401, "Invalid API Key provided."),
    ErrorCode("unrecognized_url", 404, "Unrecognized request URL."),
    ErrorCode("too_large", 413, "The request is too large."),
    ErrorCode(
        "idempotency_error",
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with.",
    ),
    ErrorCode("api_error", 500, "An unexpected error occurred on our side.", retriable=True),
)

CATALOGUE = Catalogue("gateway", OPERATIONS, CODES, API_KINDS + WEBHOOK_KINDS + REMOVAL_KINDS, TOPICS, open_codes=True)
