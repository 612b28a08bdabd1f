"""What the storefront offers: the legacy REST surface an order integration uses, its errors, its webhook topics."""

from __future__ import annotations

from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.kinds import API_KINDS, WEBHOOK_KINDS

TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "refunds/create",
)

_BASE = r"/admin(?:/api/(?P<version>[a-z0-9-]{1,20}))?"
_ORDER = _BASE + r"/orders/(?P<id>\d{1,19})"
_WEBHOOK = _BASE + r"/webhooks/(?P<id>\d{1,19})"

OPERATIONS = (
    Operation("order.count", "GET", _BASE + r"/orders/count\.json", shared=True),
    Operation("order.list", "GET", _BASE + r"/orders\.json", shared=True),
    Operation("order.create", "POST", _BASE + r"/orders\.json"),
    Operation("order.read", "GET", _ORDER + r"\.json"),
    Operation("order.update", "PUT", _ORDER + r"\.json"),
    Operation("order.cancel", "POST", _ORDER + r"/cancel\.json"),
    Operation("order.close", "POST", _ORDER + r"/close\.json"),
    Operation("order.open", "POST", _ORDER + r"/open\.json"),
    Operation("refund.list", "GET", _ORDER + r"/refunds\.json"),
    Operation("transaction.list", "GET", _ORDER + r"/transactions\.json"),
    Operation("webhook.count", "GET", _BASE + r"/webhooks/count\.json", shared=True),
    Operation("webhook.list", "GET", _BASE + r"/webhooks\.json", shared=True),
    Operation("webhook.create", "POST", _BASE + r"/webhooks\.json", shared=True),
    Operation("webhook.read", "GET", _WEBHOOK + r"\.json", shared=True),
    Operation("webhook.update", "PUT", _WEBHOOK + r"\.json", shared=True),
    Operation("webhook.delete", "DELETE", _WEBHOOK + r"\.json", shared=True),
    Operation("shop.read", "GET", _BASE + r"/shop\.json", shared=True),
)

# REST bodies carry no codes: these names stand for what the vendor's response-code page lists.
CODES = (
    ErrorCode("BAD_REQUEST", 400, "Bad Request"),
    ErrorCode("UNAUTHORIZED", 401, "[API] Invalid API key or access token (unrecognized login or wrong password)"),
    ErrorCode("PAYMENT_REQUIRED", 402, "Unavailable Shop"),
    ErrorCode("FORBIDDEN", 403, "[API] This action requires merchant approval for write_orders scope."),
    ErrorCode("NOT_FOUND", 404, "Not Found"),
    ErrorCode("METHOD_NOT_ALLOWED", 405, "Method Not Allowed"),
    ErrorCode("NOT_ACCEPTABLE", 406, "Not Acceptable"),
    ErrorCode("CONFLICT", 409, "Conflict", retriable=True),
    ErrorCode("TOO_LARGE", 413, "Request Entity Too Large"),
    ErrorCode("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type"),
    ErrorCode("UNPROCESSABLE", 422, "The request could not be processed"),
    ErrorCode("LOCKED", 423, "This shop is locked"),
    ErrorCode(
        "THROTTLED",
        429,
        "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.",
        retriable=True,
    ),
    ErrorCode("INTERNAL_SERVER_ERROR", 500, "Internal Server Error", retriable=True),
    ErrorCode("BAD_GATEWAY", 502, "Bad Gateway", retriable=True),
    ErrorCode("SERVICE_UNAVAILABLE", 503, "Service Unavailable", retriable=True),
    ErrorCode("GATEWAY_TIMEOUT", 504, "Gateway Timeout", retriable=True),
)

CATALOGUE = Catalogue("storefront", OPERATIONS, CODES, API_KINDS + WEBHOOK_KINDS, TOPICS)
