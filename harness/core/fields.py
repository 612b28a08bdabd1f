"""The values of stack.yaml: how each is read, and what the JSON Schema says of it."""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.core.durations import PATTERN, POSITIVE_PATTERN, nearest_duration, parse_duration
from harness.core.triggers import THRESHOLD_PATTERN, parse_threshold

DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _read_duration(value: Any) -> float:
    if not isinstance(value, str):
        guess = f"{value}s" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise _wrong("duration", f"{_kind(value)} is not a duration (a number and ms, s, m or h)", guess)
    try:
        return parse_duration(value)
    except ValueError as error:
        near = nearest_duration(value)
        raise _wrong("duration", str(error), "" if near == value else near) from error


def _read_positive_duration(value: Any) -> float:
    seconds = _read_duration(value)
    if seconds <= 0:
        raise _wrong("duration", f"the duration `{value}` must be longer than nothing", "")
    return seconds


def _read_threshold(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("threshold", f"{_kind(value)} is not a comparison such as `amount > 500.00 EUR`", "")
    try:
        parse_threshold(value)
    except ValueError as error:
        raise _wrong("threshold", str(error), "") from error
    return value


def _read_version(value: Any) -> Any:
    # Python takes true for 1.
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 1", {"expected": "1"})
    return value


def _read_date(value: Any) -> dt.date:
    # ISO 8601 has more ways to write a day than editors and people read.
    written = value if isinstance(value, str) and re.fullmatch(DAY_PATTERN, value) else ""
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        raise _wrong("date", f"`{str(value)[:60]}` is not a day such as 2027-03-31", "") from error


def _read_entity(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("entity", f"{_kind(value)} is not a regular expression", "")
    try:
        groups = re.compile(value).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong("entity", f"not a regular expression: {error}", "") from error
    if not groups:
        raise _wrong("entity", "the regular expression has no named group, such as `(?P<order>[0-9]+)`", "")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _wrong(kind: str, message: str, suggestion: str) -> PydanticCustomError:
    return PydanticCustomError("bad_value", "{message}", {"message": message, "kind": kind, "suggestion": suggestion})


def _kind(value: Any) -> str:
    names = {bool: "true or false", type(None): "nothing", list: "a list", dict: "a mapping"}
    return names.get(type(value), f"`{str(value)[:60]}`")


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["250ms", "4s", "10m", "1h"]})
_POSITIVE_SCHEMA = WithJsonSchema({"type": "string", "pattern": POSITIVE_PATTERN, "examples": ["250ms", "4s", "10m"]})
Duration = Annotated[float, BeforeValidator(_read_duration), _DURATION_SCHEMA]
PositiveDuration = Annotated[float, BeforeValidator(_read_positive_duration), _POSITIVE_SCHEMA]
Day = Annotated[
    dt.date,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN, "examples": ["2027-03-31"]}),
]
Comparison = Annotated[
    str,
    BeforeValidator(_read_threshold),
    WithJsonSchema({"type": "string", "pattern": THRESHOLD_PATTERN, "examples": ["amount > 500.00 EUR"]}),
]
EntityPattern = Annotated[
    str,
    BeforeValidator(_read_entity),
    WithJsonSchema({"type": "string", "pattern": r"\(\?P<", "examples": ["order-(?P<order>[0-9]+)"]}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]*$", max_length=80)]
State = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./ -]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
PATH_PATTERN = r"^/[^\s]*$"
UrlPath = Annotated[str, Field(pattern=PATH_PATTERN, max_length=500)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+", max_length=500)]
OperationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$", max_length=100)]
Words = Annotated[list[Text], BeforeValidator(_listed)]
Operations = Annotated[
    list[OperationName],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$"},
                {"type": "array", "items": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$"}},
            ]
        }
    ),
]
Status = Annotated[int, Field(ge=100, le=599)]
Yes = Literal[True]
Version = Annotated[Literal[1], BeforeValidator(_read_version)]
HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", max_length=253)
]
