"""An order as this integration understands it: read from the storefront's JSON, kept as a document, written as the ERP's sales order."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from reference.fields import UnusableError, parse_json, read_field, read_money, read_stamp
from reference.refunds import Refund, read_refund

PAYMENT_INTENT = "payment_intent"
_CUSTOMER = ("email", "first_name", "last_name")
_ADDRESS = ("name", "address1", "address2", "city", "zip", "province_code", "country_code", "phone")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what, how many, the price of one, and the storefront's id of it (0 where it gave none)."""

    sku: str
    quantity: int
    price: Decimal
    id: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """
    What is taken from a storefront order.

    `number` ("411001") is its key here and in the ERP's external id; `name` ("#411001") is what people call it; `updated_at` is the
    storefront's own stamp, in epoch seconds. `payment` is the gateway's id of its payment; an order without one is paid elsewhere. `customer`
    says who ordered, with at least an email address; it is empty where nobody gave one.
    """

    id: int
    number: str
    name: str
    updated_at: float
    currency: str
    total: Decimal
    note: str
    lines: tuple[Line, ...]
    payment: str | None = None
    cancelled: bool = False
    ship_to: Mapping[str, str] = field(default_factory=dict)
    customer: Mapping[str, str] = field(default_factory=dict)
    refunds: tuple[Refund, ...] = ()


def parse_order(body: bytes) -> Order:
    """Read an order from a raw JSON body; raise `UnusableError` when it is none."""
    return read_order(parse_json(body))


def read_order(payload: Any) -> Order:
    """Read an order from the storefront's JSON; raise `UnusableError` for anything missing or of the wrong type."""
    if not isinstance(payload, Mapping):
        raise UnusableError("not an object")
    lines = read_field(payload, "line_items", list)
    if not lines:
        raise UnusableError("line_items is empty")
    name = read_field(payload, "name", str)
    if not name:
        raise UnusableError("name is empty")
    return Order(
        id=read_field(payload, "id", int),
        number=str(read_field(payload, "order_number", int)),
        name=name,
        updated_at=read_stamp(read_field(payload, "updated_at", str)),
        currency=read_field(payload, "currency", str),
        total=read_money(payload, "total_price"),
        note=read_field(payload, "note", str) if payload.get("note") is not None else "",
        lines=tuple(_read_line(line) for line in lines),
        payment=_read_payment(payload),
        cancelled=payload.get("cancelled_at") is not None,
        ship_to=_read_texts(payload.get("shipping_address"), _ADDRESS),
        customer=_read_customer(payload),
        refunds=_read_refunds(payload),
    )


def guess_name(body: bytes) -> str | None:
    """Return the name of the order an unusable body is about, if it parses and says so; never a guess from broken JSON."""
    try:
        payload = parse_json(body)
    except UnusableError:
        return None
    name = payload.get("name") if isinstance(payload, Mapping) else None
    return name if isinstance(name, str) and name.startswith("#") and len(name) <= 40 else None


def dump_order(order: Order) -> bytes:
    """Return an order as the document it is kept as, always the same bytes for the same order; refunds are kept apart."""
    return json.dumps({**asdict(order), "refunds": []}, default=str, separators=(",", ":"), sort_keys=True).encode()


def load_order(document: bytes) -> Order:
    """Return the order a document was made of."""
    kept = json.loads(document)
    lines = tuple(Line(**{**line, "price": Decimal(line["price"])}) for line in kept["lines"])
    return Order(**{**kept, "total": Decimal(kept["total"]), "lines": lines, "refunds": ()})


def build_sales_order(order: Order) -> bytes:
    """
    Build the ERP's sales order for an order, always the same bytes for the same order.

    The external id is not in it: it stands in the address of the upsert.
    """
    return json.dumps(
        {
            "entity": {"externalId": "WEB-STORE"},
            "otherRefNum": order.name,
            "memo": f"{order.name} {order.note}".rstrip(),
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
        raise UnusableError("a line item is not an object")
    sku, quantity = read_field(payload, "sku", str), read_field(payload, "quantity", int)
    if not sku or quantity < 1:
        raise UnusableError("a line item without a sku or a quantity")
    line_id = read_field(payload, "id", int) if "id" in payload else 0
    return Line(sku, quantity, read_money(payload, "price"), line_id)


def _read_payment(payload: Mapping[str, Any]) -> str | None:
    attributes = read_field(payload, "note_attributes", list) if payload.get("note_attributes") is not None else []
    for attribute in attributes:
        if isinstance(attribute, Mapping) and attribute.get("name") == PAYMENT_INTENT:
            return str(read_field(attribute, "value", str))
    return None


def _read_customer(payload: Mapping[str, Any]) -> dict[str, str]:
    given = payload.get("customer")
    known = {"email": payload.get("email"), **given} if isinstance(given, Mapping) else payload
    customer = _read_texts(known, _CUSTOMER)
    return customer if customer.get("email") else {}


def _read_texts(given: Any, names: tuple[str, ...]) -> dict[str, str]:
    texts = given if isinstance(given, Mapping) else {}
    return {name: value for name in names if isinstance(value := texts.get(name), str) and value.isprintable()}


def _read_refunds(payload: Mapping[str, Any]) -> tuple[Refund, ...]:
    refunds = read_field(payload, "refunds", list) if payload.get("refunds") is not None else []
    return tuple(read_refund(refund) for refund in refunds)
