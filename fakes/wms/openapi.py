"""The document of the warehouse's API (OpenAPI 3.1): paths from the catalogue, request schemas from the models of bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from fakes.wms.bodies import Cancellation, NewAllocation, NewOrder, NewWebhook
from fakes.wms.catalogue import CODES, OPERATIONS, TOPICS
from fakes.wms.errors import MEDIA_TYPE
from fakes.wms.schemas import EVENTS, LOCATION, SCHEMAS, STATUS, TEXT, TIME, build_object, refer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from fakes.kit.catalogue import Operation
    from fakes.wms.schemas import Schema

_BODIES: tuple[type[BaseModel], ...] = (NewOrder, NewAllocation, Cancellation, NewWebhook)
_PAGING: Schema = {
    "updated_since": {**TIME, "description": "only what changed at this moment or later"},
    "cursor": {**TEXT, "description": "next_cursor of the page before, with the same filters"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 250, "default": 50},
}


@dataclass(frozen=True, slots=True)
class _Call:
    """What is told of an operation: its answer, its body, its query, and the codes it refuses with beside the usual."""

    summary: str
    status: int
    answer: str | None = None
    body: type[BaseModel] | None = None
    body_needed: bool = True
    query: Schema | None = None
    codes: tuple[str, ...] = ()


_WRITES = ("malformed_request", "unsupported_media_type", "validation_failed")
_CALLS = {
    "wms_order.list": _Call(
        "List orders, the one changed longest ago first",
        200,
        "OrderPage",
        query={"reference": TEXT, "status": STATUS, **_PAGING},
        codes=("validation_failed",),
    ),
    "wms_order.create": _Call(
        "Take in an order and allocate it at once at its location, in whole, in part or not at all",
        201,
        "Order",
        NewOrder,
        codes=(*_WRITES, "duplicate_reference", "unknown_item"),
    ),
    "wms_order.read": _Call("Read an order", 200, "Order", codes=("not_found",)),
    "wms_order.allocate": _Call(
        "Set aside at a location what is still missing of an order",
        200,
        "Order",
        NewAllocation,
        codes=(*_WRITES, "not_found", "nothing_to_allocate"),
    ),
    "wms_order.cancel": _Call(
        "Cancel an order of which nothing is picked",
        200,
        "Order",
        Cancellation,
        body_needed=False,
        codes=(*_WRITES, "not_found", "not_cancellable"),
    ),
    "inventory.list": _Call(
        "List stock, what changed longest ago first",
        200,
        "StockPage",
        query={"location": LOCATION, "sku": TEXT, **_PAGING},
        codes=("validation_failed",),
    ),
    "wms_webhook.list": _Call("List webhook subscriptions", 200, "WebhookList"),
    "wms_webhook.create": _Call("Subscribe an address to topics", 201, "Webhook", NewWebhook, codes=_WRITES),
    "wms_webhook.read": _Call("Read a webhook subscription", 200, "Webhook", codes=("not_found",)),
    "wms_webhook.delete": _Call("Unsubscribe", 204, codes=("not_found",)),
    "openapi.read": _Call("Read this document", 200),
}


def build_path(operation: Operation) -> str:
    """Return an operation's path as OpenAPI writes it: ``/orders/{id}/cancel``."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", operation.path).replace("\\.", ".")


def _build_document() -> Schema:
    paths: Schema = {}
    for operation in OPERATIONS:
        described = _describe(operation, _CALLS[operation.name])
        paths.setdefault(build_path(operation), {})[operation.method.lower()] = described
    _, requests = models_json_schema(
        [(model, "validation") for model in _BODIES], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warehouse management",
            "version": "1.0",
            "description": "Orders, allocations, shipments and stock of a warehouse with two locations.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "webhooks": {topic: {"post": _describe_webhook(topic)} for topic in TOPICS},
        "components": {
            "schemas": {**SCHEMAS, **requests["$defs"]},
            "responses": _describe_problems(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(operation: Operation, call: _Call) -> Schema:
    path = build_path(operation)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in (call.query or {}).items()]
    is_open = operation.name == "openapi.read"
    described: Schema = {
        "operationId": operation.name,
        "summary": call.summary,
        "responses": {str(call.status): _describe_answer(call), **_refer_problems(call, is_open=is_open)},
    }
    if is_open:
        described["security"] = []
    if parameters:
        described["parameters"] = parameters
    if call.body is not None:
        content = {"application/json": {"schema": refer(call.body.__name__)}}
        described["requestBody"] = {"required": call.body_needed, "content": content}
    return described


def _describe_answer(call: _Call) -> Schema:
    if call.status == 204:
        return {"description": "done"}
    schema = {"type": "object"} if call.answer is None else refer(call.answer)
    answer: Schema = {"description": "done", "content": {"application/json": {"schema": schema}}}
    if call.status == 201:
        answer["headers"] = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
    return answer


def _refer_problems(call: _Call, *, is_open: bool) -> Schema:
    usual: tuple[str, ...] = ("internal_error", "service_unavailable")
    if not is_open:
        usual = ("unauthorized", "forbidden", "payload_too_large", "rate_limited", *usual)
    statuses = sorted({code.status for code in CODES if code.code in {*call.codes, *usual}})
    return {
        **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses},
        "default": {"$ref": "#/components/responses/Problem"},
    }


def _describe_problems() -> Schema:
    content = {MEDIA_TYPE: {"schema": refer("Problem")}}
    described: Schema = {"Problem": {"description": "any other problem", "content": content}}
    for status in dict.fromkeys(code.status for code in CODES):
        texts = [f"{code.code}: {code.text}" for code in CODES if code.status == status]
        described[f"Problem{status}"] = {"description": " ".join(texts), "content": content}
    described["Problem429"]["headers"] = {"Retry-After": {"schema": {"type": "number", "minimum": 0}}}
    described["Problem401"]["headers"] = {"WWW-Authenticate": {"schema": TEXT}}
    return described


def _describe_webhook(topic: str) -> Schema:
    body = build_object({"type": {"const": topic}, "timestamp": TIME, "data": EVENTS[topic]}, closed=False)
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": topic,
        "summary": f"Told when it happens: {topic}",
        "parameters": [{"name": name, "in": "header", "required": True, "schema": TEXT} for name in names],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"2XX": {"description": "taken; anything else is tried again"}},
    }


DOCUMENT: dict[str, Any] = _build_document()
