"""What the storefront offers: the legacy REST surface an order integration uses, its errors, its webhook topics."""

from __future__ import annotations

from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.kinds import API_KINDS, REMOVAL_KINDS, WEBHOOK_KINDS

TOPICS = (
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
)

_BASE = r"/admin(?:/api/(?P<version>[a-z0-9-]{1,20}))?"
_ORDER = _BASE + r"/orders/(?P<id>\d{1,19})"
_REQUEST = _BASE + r"/fulfillment_orders/(?P<fulfillment_order>\d{1,19})"
_FULFILLMENT = _BASE + r"/fulfillments/(?P<fulfillment>\d{1,19})"
_LOCATION = _BASE + r"/locations/(?P<location>\d{1,19})"
_PRODUCT = _BASE + r"/products/(?P<product>\d{1,19})"
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
    Operation("refund.create", "POST", _ORDER + r"/refunds\.json"),
    Operation("refund.calculate", "POST", _ORDER + r"/refunds/calculate\.json"),
    Operation("refund.read", "GET", _ORDER + r"/refunds/(?P<refund>\d{1,19})\.json"),
    Operation("transaction.count", "GET", _ORDER + r"/transactions/count\.json"),
    Operation("transaction.list", "GET", _ORDER + r"/transactions\.json"),
    Operation("transaction.create", "POST", _ORDER + r"/transactions\.json"),
    Operation("transaction.read", "GET", _ORDER + r"/transactions/(?P<transaction>\d{1,19})\.json"),
    Operation("fulfillment_order.list", "GET", _ORDER + r"/fulfillment_orders\.json"),
    Operation("fulfillment_order.read", "GET", _REQUEST + r"\.json"),
    Operation("fulfillment_order.hold", "POST", _REQUEST + r"/hold\.json"),
    Operation("fulfillment_order.release_hold", "POST", _REQUEST + r"/release_hold\.json"),
    Operation("fulfillment_order.cancel", "POST", _REQUEST + r"/cancel\.json"),
    Operation("fulfillment.create", "POST", _BASE + r"/fulfillments\.json"),
    Operation("fulfillment.list", "GET", _ORDER + r"/fulfillments\.json"),
    Operation("fulfillment.list", "GET", _REQUEST + r"/fulfillments\.json"),
    Operation("fulfillment.read", "GET", _ORDER + r"/fulfillments/(?P<fulfillment>\d{1,19})\.json"),
    Operation("fulfillment.update_tracking", "POST", _FULFILLMENT + r"/update_tracking\.json"),
    Operation("fulfillment.cancel", "POST", _FULFILLMENT + r"/cancel\.json"),
    Operation("location.list", "GET", _BASE + r"/locations\.json", shared=True),
    Operation("location.read", "GET", _LOCATION + r"\.json", shared=True),
    Operation("inventory_level.list", "GET", _BASE + r"/inventory_levels\.json"),
    Operation("inventory_level.list", "GET", _LOCATION + r"/inventory_levels\.json"),
    Operation("inventory_level.set", "POST", _BASE + r"/inventory_levels/set\.json"),
    Operation("inventory_level.adjust", "POST", _BASE + r"/inventory_levels/adjust\.json"),
    Operation("inventory_level.connect", "POST", _BASE + r"/inventory_levels/connect\.json"),
    Operation("inventory_level.delete", "DELETE", _BASE + r"/inventory_levels\.json"),
    Operation("inventory_item.list", "GET", _BASE + r"/inventory_items\.json", shared=True),
    Operation("inventory_item.read", "GET", _BASE + r"/inventory_items/(?P<item>\d{1,19})\.json"),
    Operation("product.list", "GET", _BASE + r"/products\.json", shared=True),
    Operation("product.read", "GET", _PRODUCT + r"\.json"),
    Operation("variant.list", "GET", _PRODUCT + r"/variants\.json"),
    Operation("variant.read", "GET", _BASE + r"/variants/(?P<variant>\d{1,19})\.json"),
    Operation("variant.update", "PUT", _BASE + r"/variants/(?P<variant>\d{1,19})\.json"),
    Operation("variant.update", "PUT", _PRODUCT + r"/variants/(?P<variant>\d{1,19})\.json"),
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

CATALOGUE = Catalogue(
    "storefront", OPERATIONS, CODES, API_KINDS + WEBHOOK_KINDS + REMOVAL_KINDS, TOPICS, open_codes=True
)
