"""An order as this integration understands it: read from the storefront's JSON, written as the ERP's sales order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST_AMOUNT = Decimal(10) ** 12


class UnusableOrderError(ValueError):
    """The payload is not an order that could be posted; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what, how many, and the price of one."""

    sku: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """
    What is taken from a storefront order.

    `number` ("411001") is its key here and in the ERP's external id; `name` ("#411001") is what people call it; `updated_at` is the
    storefront's own stamp, in epoch seconds.
    """

    id: int
    number: str
    name: str
    updated_at: float
    currency: str
    total: Decimal
    note: str
    lines: tuple[Line, ...]


def parse_order(body: bytes) -> Order:
    """Read an order from a raw JSON body; raise `UnusableOrderError` when it is none."""
    return read_order(parse_json(body))


def parse_json(body: bytes) -> Any:
    """Parse JSON; raise `UnusableOrderError` when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnusableOrderError(f"not JSON: {error}") from None


def read_order(payload: Any) -> Order:
    """Read an order from the storefront's JSON; raise `UnusableOrderError` for anything missing or of the wrong type."""
    if not isinstance(payload, Mapping):
        raise UnusableOrderError("not an object")
    lines = _get(payload, "line_items", list)
    if not lines:
        raise UnusableOrderError("line_items is empty")
    name = _get(payload, "name", str)
    if not name:
        raise UnusableOrderError("name is empty")
    return Order(
        id=_get(payload, "id", int),
        number=str(_get(payload, "order_number", int)),
        name=name,
        updated_at=read_stamp(_get(payload, "updated_at", str)),
        currency=_get(payload, "currency", str),
        total=_money(payload, "total_price"),
        note=_get(payload, "note", str) if payload.get("note") is not None else "",
        lines=tuple(_read_line(line) for line in lines),
    )


def guess_name(body: bytes) -> str | None:
    """Return the name of the order an unusable body is about, if it parses and says so; never a guess from broken JSON."""
    try:
        payload = parse_json(body)
    except UnusableOrderError:
        return None
    name = payload.get("name") if isinstance(payload, Mapping) else None
    return name if isinstance(name, str) and name.startswith("#") and len(name) <= 40 else None


def read_stamp(text: str) -> float:
    """Read an ISO 8601 time with an offset into epoch seconds; raise `UnusableOrderError` otherwise."""
    try:
        stamp = datetime.fromisoformat(text)
        if stamp.tzinfo is not None:
            return stamp.timestamp()
    except (ValueError, OverflowError):
        pass  # said below, as for a time without an offset
    raise UnusableOrderError(f"not a time with an offset: {text[:40]!r}")


def build_sales_order(order: Order) -> bytes:
    """
    Build the ERP's sales order for an order, always the same bytes for the same order.

    The external id is not in it: it stands in the address of the upsert.
    """
    return json.dumps(
        {
            "entity": {"externalId": "WEB-STORE"},
            "otherRefNum": order.name,
            "memo": order.note,
            "currency": {"refName": order.currency},
            "item": {"items": [_build_line(line) for line in order.lines]},
        },
        separators=(",", ":"),
    ).encode()


def build_external_id(number: str, attempt: int) -> str:  # noqa: ARG001 -- one order, one id, whatever the attempt
    """Build the external id an order has in the ERP: the same for every attempt, which is what makes sending again harmless."""
    return f"SHP-{number}"


def _build_line(line: Line) -> dict[str, Any]:
    # JSON has one kind of number; the shortest text of this float is the decimal it was made from.
    return {"item": {"externalId": line.sku}, "quantity": line.quantity, "rate": float(line.price)}


def _read_line(payload: Any) -> Line:
    if not isinstance(payload, Mapping):
        raise UnusableOrderError("a line item is not an object")
    sku, quantity = _get(payload, "sku", str), _get(payload, "quantity", int)
    if not sku or quantity < 1:
        raise UnusableOrderError("a line item without a sku or a quantity")
    return Line(sku, quantity, _money(payload, "price"))


def _get(payload: Mapping[str, Any], field: str, kind: type) -> Any:
    value = payload.get(field)
    # bool is an int to Python, but true is no id and no quantity.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UnusableOrderError(f"{field} is missing" if field not in payload else f"{field} is not a {kind.__name__}")
    if isinstance(value, str) and not value.isascii():
        _ensure_text(field, value)
    return value


def _ensure_text(field: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: legal in JSON, storable nowhere
        raise UnusableOrderError(f"{field} is not text") from None


def _money(payload: Mapping[str, Any], field: str) -> Decimal:
    try:
        amount = Decimal(_get(payload, field, str))
    except InvalidOperation:
        raise UnusableOrderError(f"{field} is not an amount") from None
    if not amount.is_finite() or not 0 <= amount < LARGEST_AMOUNT:
        raise UnusableOrderError(f"{field} is not an amount")
    return amount
