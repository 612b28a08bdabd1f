"""Reading fields of vendors' JSON: what is missing, of the wrong type or stored nowhere is told in one sentence."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST_AMOUNT = Decimal(10) ** 12


class UnusableError(ValueError):
    """The payload cannot be used; the message says what is wrong with it."""


def parse_json(body: bytes) -> Any:
    """Parse JSON; raise `UnusableError` when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"not JSON: {error}") from None


def read_field(payload: Mapping[str, Any], field: str, kind: type) -> Any:
    """Return a field of this type; raise `UnusableError` when it is missing or of another."""
    value = payload.get(field)
    # bool is an int to Python, but true is no id and no quantity.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UnusableError(f"{field} is missing" if field not in payload else f"{field} is not a {kind.__name__}")
    if isinstance(value, str) and not value.isascii():
        _ensure_text(field, value)
    return value


def read_money(payload: Mapping[str, Any], field: str) -> Decimal:
    """Return an amount in major units, written as text; raise `UnusableError` when it is none."""
    try:
        amount = Decimal(read_field(payload, field, str))
    except InvalidOperation:
        raise UnusableError(f"{field} is not an amount") from None
    if not amount.is_finite() or not 0 <= amount < LARGEST_AMOUNT:
        raise UnusableError(f"{field} is not an amount")
    return amount


def read_stamp(text: str) -> float:
    """Read an ISO 8601 time with an offset into epoch seconds; raise `UnusableError` otherwise."""
    try:
        stamp = datetime.fromisoformat(text)
        if stamp.tzinfo is not None:
            return stamp.timestamp()
    except (ValueError, OverflowError):
        pass  # said below, as for a time without an offset
    raise UnusableError(f"not a time with an offset: {text[:40]!r}")


def _ensure_text(field: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: legal in JSON, storable nowhere
        raise UnusableError(f"{field} is not text") from None
