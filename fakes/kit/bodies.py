"""JSON bodies: read strictly, written compactly, looked into without surprises."""

from __future__ import annotations

import json
from typing import Any

# json.dumps with separators of one's own builds an encoder on every call.
_encode = json.JSONEncoder(separators=(",", ":")).encode


class BadBodyError(ValueError):
    """The body is not the JSON it should be."""


def load_json(body: bytes) -> Any:
    """Decode JSON strictly; raises BadBodyError for anything a vendor would not take: NaN, lone surrogates, deep nesting."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if b"\\ud" in body.lower():
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise BadBodyError("nested too deeply") from error
    except ValueError as error:
        raise BadBodyError(f"not valid JSON: {error}") from error
    return value


def dump_json(value: Any) -> bytes:
    """Encode a value as JSON in ASCII, without blanks."""
    return _encode(value).encode()


def dig(value: Any, *path: str | int) -> Any:
    """Return the value at a path of keys and indexes, None where anything on the way is missing or of another type."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def texts(*values: Any) -> tuple[str, ...]:
    """Return those of the values that are non-empty strings or whole numbers, as strings."""
    kept = (str(v) for v in values if isinstance(v, (str, int)) and not isinstance(v, bool))
    return tuple(text for text in kept if text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
