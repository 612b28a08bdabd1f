"""Orders and changes to orders as clients send them, checked in the vendor's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import dig
from fakes.storefront.errors import missing_root, refuse
from fakes.storefront.model import Customer
from fakes.storefront.money import read_money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.kit.exchange import Exchange

Goods = tuple[str, str, int, int]
_TEXTS = ("note", "tags")
_STATUSES = ("pending", "authorized", "partially_paid", "paid")
MAX_QUANTITY = 1_000_000


def read_root(exchange: Exchange, root: str) -> dict[str, Any]:
    """Return the root object of a body; refuses other media types and bodies without it."""
    if exchange.media_type not in {"", "application/json"}:
        raise refuse(415, "Unsupported Media Type")
    value = exchange.object().get(root)
    if not isinstance(value, dict):
        raise missing_root(root)
    return value


def read_goods(order: Mapping[str, Any]) -> list[Goods]:
    """Return the line items as (sku, title, quantity, price in minor units)."""
    lines = order.get("line_items")
    if not isinstance(lines, list) or not lines:
        raise refuse(422, {"line_items": ["must have at least one line item"]})
    return [_read_line(line) for line in lines]


def read_customer(order: Mapping[str, Any]) -> Customer:
    """Return who ordered, from customer, email and addresses; anonymous where nothing is given."""
    given = order.get("customer") or order.get("shipping_address") or {}
    address = order.get("shipping_address") or order.get("billing_address") or dig(given, "default_address") or {}
    if not isinstance(given, dict) or not isinstance(address, dict):
        raise refuse(422, {"customer": ["is invalid"]})
    return Customer(
        first_name=_text(given.get("first_name")) or "",
        last_name=_text(given.get("last_name")) or "",
        email=_text(order.get("email")) or _text(given.get("email")) or "",
        phone=_text(order.get("phone")) or _text(given.get("phone")),
        address={name: value for name, value in address.items() if isinstance(value, (str, int, float, type(None)))},
    )


def read_details(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the remaining fields of a new order."""
    details = read_changes(order)
    status = order.get("financial_status", "paid")
    if status not in _STATUSES:
        raise refuse(422, {"financial_status": ["is not included in the list"]})
    currency = order.get("currency", "EUR")
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isalpha():
        raise refuse(422, {"currency": ["is invalid"]})
    return {**details, "financial_status": status, "currency": currency.upper()}


def read_changes(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be changed of an order: note, tags, note_attributes; everything else is ignored, as the vendor does."""
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        if name in order:
            value = order[name]
            if isinstance(value, list) and name == "tags" and all(isinstance(tag, str) for tag in value):
                value = ", ".join(value)
            if value is not None and not isinstance(value, str):
                raise refuse(422, {name: ["is invalid"]})
            changes[name] = value if name == "note" else value or ""
    if "note_attributes" in order:
        changes["note_attributes"] = _read_attributes(order["note_attributes"])
    return changes


def read_price(value: Any, field: str = "price") -> int:
    """Return an amount of money in minor units; refuses what is none under the field's name."""
    try:
        return read_money(value)
    except ValueError as error:
        raise refuse(422, {field: ["is not a number"]}) from error


def _read_line(line: Any) -> Goods:
    if not isinstance(line, dict):
        raise refuse(422, {"line_items": ["is invalid"]})
    quantity = line.get("quantity", 1)
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        raise refuse(422, {"line_items": ["Quantity must be greater than 0"]})
    sku = _text(line.get("sku")) or ""
    title = _text(line.get("title")) or sku
    if not title:
        raise refuse(422, {"line_items": ["Title can't be blank"]})
    return (sku, title, quantity, read_price(line.get("price", "0.00")))


def _read_attributes(value: Any) -> tuple[tuple[str, str], ...]:
    rows = [{"name": name, "value": inner} for name, inner in value.items()] if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise refuse(422, {"note_attributes": ["is invalid"]})
    pairs = [(dig(row, "name"), dig(row, "value")) for row in rows]
    if not all(isinstance(name, str) and isinstance(inner, (str, int, float)) for name, inner in pairs):
        raise refuse(422, {"note_attributes": ["is invalid"]})
    return tuple((str(name), str(inner)) for name, inner in pairs)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
