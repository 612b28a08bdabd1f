"""What the warehouse answers and tells, as JSON schemas (draft 2020-12, as OpenAPI 3.1 has them)."""

from __future__ import annotations

from typing import Any, get_args

from fakes.wms.catalogue import CODES, TOPICS
from fakes.wms.model import LOCATIONS, Status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TIME: Schema = {"type": "string", "format": "date-time"}
UNITS: Schema = {"type": "integer", "minimum": 0}
SOME: Schema = {"type": "integer", "minimum": 1}
LOCATION: Schema = {"type": "string", "enum": list(LOCATIONS)}
STATUS: Schema = {"type": "string", "enum": list(get_args(Status))}


def refer(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def build_object(properties: Schema, *, optional: tuple[str, ...] = (), closed: bool = True) -> Schema:
    """Return the schema of an object: what is not optional is required; ``closed`` ones have nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        **({"additionalProperties": False} if closed else {}),
    }


def build_list(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def build_nullable(schema: Schema) -> Schema:
    """Return the schema of something that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


_GOODS = build_object({"sku": TEXT, "quantity": SOME})
_NAMED = {"order_id": TEXT, "reference": TEXT, "status": STATUS}

SCHEMAS: Schema = {
    "Line": {
        **build_object(
            {
                "sku": TEXT,
                "quantity": SOME,
                "allocated": UNITS,
                "picked": UNITS,
                "packed": UNITS,
                "shipped": UNITS,
            }
        ),
        "description": "Units of an item; each count includes the later ones, so shipped units are picked and allocated.",
    },
    "Allocation": {
        **build_object({"sku": TEXT, "location": LOCATION, "quantity": SOME}),
        "description": "Units set aside at a location and not shipped yet.",
    },
    "ShortPick": build_object(
        {
            "sku": TEXT,
            "location": LOCATION,
            "quantity": SOME,
            "reason": {"type": "string", "enum": ["not_found", "damaged", "lot_hold"]},
        }
    ),
    "Shipment": {
        **build_object(
            {
                "id": TEXT,
                "tracking": TEXT,
                "carrier": TEXT,
                "location": LOCATION,
                "shipped_at": TIME,
                "lines": build_list(_GOODS),
            }
        ),
        "description": "What left one location in one go; an order shipped from two locations has two.",
    },
    "Order": build_object(
        {
            "id": TEXT,
            "reference": TEXT,
            "status": STATUS,
            "location": LOCATION,
            "ship_to": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            "lines": build_list(refer("Line")),
            "allocations": build_list(refer("Allocation")),
            "shipments": build_list(refer("Shipment")),
            "short_picks": build_list(refer("ShortPick")),
            "created_at": TIME,
            "updated_at": TIME,
            "cancelled_at": build_nullable(TIME),
            "cancel_reason": build_nullable({"type": "string"}),
        }
    ),
    "OrderPage": build_object({"orders": build_list(refer("Order")), "next_cursor": build_nullable(TEXT)}),
    "Stock": {
        **build_object(
            {
                "sku": TEXT,
                "location": LOCATION,
                "on_hand": UNITS,
                "allocated": UNITS,
                "available": UNITS,
                "updated_at": TIME,
            }
        ),
        "description": "available is on_hand less allocated.",
    },
    "StockPage": build_object({"items": build_list(refer("Stock")), "next_cursor": build_nullable(TEXT)}),
    "Webhook": build_object(
        {
            "id": TEXT,
            "url": {"type": "string", "format": "uri"},
            "topics": {**build_list({"type": "string", "enum": list(TOPICS)}), "minItems": 1},
            "created_at": TIME,
        }
    ),
    "WebhookList": build_object({"webhooks": build_list(refer("Webhook"))}),
    "Problem": {
        **build_object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": TEXT,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string"},
                "code": {"type": "string", "examples": [code.code for code in CODES]},
                "errors": build_list(
                    build_object(
                        {"pointer": TEXT, "parameter": TEXT, "detail": TEXT}, optional=("pointer", "parameter")
                    )
                ),
                "order_id": TEXT,
                "reference": TEXT,
                "skus": build_list(TEXT),
            },
            optional=("errors", "order_id", "reference", "skus"),
            closed=False,
        ),
        "description": "A problem document (RFC 9457) with a code to branch on.",
    },
}

EVENTS: Schema = {
    "order.allocated": build_object(
        {**_NAMED, "lines": build_list(refer("Line")), "allocations": build_list(refer("Allocation"))}
    ),
    "order.short_picked": build_object({**_NAMED, "short_picks": build_list(refer("ShortPick"))}),
    "order.shipped": build_object({**_NAMED, "shipment": refer("Shipment")}),
    "order.cancelled": build_object({**_NAMED, "reason": {"type": "string"}}),
    "inventory.adjusted": build_object(
        {**SCHEMAS["Stock"]["properties"], "delta": {"type": "integer"}, "reason": TEXT}
    ),
    "inventory.snapshot": build_object({"taken_at": TIME, "items": build_list(refer("Stock"))}),
}
