"""What the warehouse offers: its operations, its error codes, its webhook topics, and the fault that is its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.kinds import API_KINDS, REMOVAL_KINDS, WEBHOOK_KINDS, FaultKind, Params

TOPICS = (
    "order.allocated",
    "order.short_picked",
    "order.shipped",
    "order.cancelled",
    "inventory.adjusted",
    "inventory.snapshot",
)

_ORDER = r"/orders/(?P<id>[A-Za-z0-9_-]{1,64})"
_WEBHOOK = r"/webhooks/(?P<id>[A-Za-z0-9_-]{1,64})"

OPERATIONS = (
    Operation("wms_order.list", "GET", r"/orders", shared=True),
    Operation("wms_order.create", "POST", r"/orders"),
    Operation("wms_order.read", "GET", _ORDER),
    Operation("wms_order.allocate", "POST", _ORDER + r"/allocations"),
    Operation("wms_order.cancel", "POST", _ORDER + r"/cancel"),
    Operation("inventory.list", "GET", r"/inventory", shared=True),
    Operation("wms_webhook.list", "GET", r"/webhooks", shared=True),
    Operation("wms_webhook.create", "POST", r"/webhooks", shared=True),
    Operation("wms_webhook.read", "GET", _WEBHOOK, shared=True),
    Operation("wms_webhook.delete", "DELETE", _WEBHOOK, shared=True),
    Operation("openapi.read", "GET", r"/openapi\.json", shared=True),
)

# Where several codes share a status, the first stands for the status alone.
CODES = (
    ErrorCode("malformed_request", 400, "The body is not a JSON object."),
    ErrorCode("unauthorized", 401, "The token is missing, wrong or no longer good."),
    ErrorCode("forbidden", 403, "The token does not allow this."),
    ErrorCode("not_found", 404, "There is nothing here."),
    ErrorCode("method_not_allowed", 405, "This path does not take this method."),
    ErrorCode("conflict", 409, "The state of the order does not allow this."),
    ErrorCode("not_cancellable", 409, "An order can be cancelled only before it is picked."),
    ErrorCode("nothing_to_allocate", 409, "There is nothing to allocate for this order at this location."),
    ErrorCode("payload_too_large", 413, "The body is too large."),
    ErrorCode("unsupported_media_type", 415, "The body has to be application/json."),
    ErrorCode("validation_failed", 422, "The request is not valid."),
    ErrorCode("duplicate_reference", 422, "There is an order with this reference already."),
    ErrorCode("unknown_item", 422, "The warehouse does not know this item."),
    ErrorCode("rate_limited", 429, "Too many calls.", retriable=True),
    ErrorCode("internal_error", 500, "Something went wrong.", retriable=True),
    ErrorCode("service_unavailable", 503, "The warehouse is not available.", retriable=True),
)


class PartialAllocationParams(Params):
    """Parameters of ``partial_allocation``."""

    allocated: Literal["half", "none"] = Field(
        "half", description="how many of the order's units the location still has: half of them, rounded down, or none"
    )


PARTIAL_ALLOCATION = FaultKind("partial_allocation", "api", PartialAllocationParams, operation="wms_order.create")

KINDS = (*API_KINDS, PARTIAL_ALLOCATION, *WEBHOOK_KINDS, *REMOVAL_KINDS)
CATALOGUE = Catalogue("wms", OPERATIONS, CODES, KINDS, TOPICS, open_codes=True)
