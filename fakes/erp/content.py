"""A request body, from bytes to checked field values, under the caller's validation headers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from fakes.erp.errors import INVALID_CONTENT, INVALID_HEADER, RefusalError, build_refusal
from fakes.erp.model import LARGEST_NUMBER, ORDER_STATUSES, SHIP_STATUSES, SMALLEST_STEP, Kind, RecordType
from fakes.kit.answers import RefusedError

Strictness = Literal["error", "warning", "ignore"]
NAME_HEADER = "X-NetSuite-PropertyNameValidation"
DEEPEST_SUBRECORD = 8
VALUE_HEADER = "X-NetSuite-PropertyValueValidation"
# What reading a line back shows beside its fields; a client may send it along.
_SHOWN_WITH_LINES = frozenset({"links", "quantityFulfilled"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a body asks for: body fields (None unsets one) and item lines; `lines` is None when the body has no item sublist."""

    fields: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...] | None


@dataclass(frozen=True, slots=True)
class Validation:
    """How strictly the caller wants unknown names and bad values treated."""

    names: Strictness = "warning"
    values: Strictness = "error"


class _Unfit(Exception):  # noqa: N818 -- one value does not fit; the caller decides what that means
    """A value that its field does not take."""


def read_validation(headers: Mapping[str, str]) -> Validation:
    """
    Read the validation headers; their names in any case, `warning` for names and `error` for values unless told otherwise.

    Raises RefusalError when one holds anything but error, warning or ignore.
    """
    return Validation(
        names=_read_strictness(headers, NAME_HEADER, "warning"), values=_read_strictness(headers, VALUE_HEADER, "error")
    )


def _read_strictness(headers: Mapping[str, str], name: str, default: Strictness) -> Strictness:
    value = headers.get(name.lower(), default).strip().lower()
    for known in ("error", "warning", "ignore"):
        if value == known:
            return known
    raise RefusalError(
        INVALID_HEADER,
        f"Invalid value '{value}' of header {name}. Use error, warning or ignore.",
        where={"o:errorHeader": name},
    )


def ensure_json(media_type: str) -> None:
    """Raise RefusedError (415) when the body is declared to be anything but JSON."""
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        detail = f"The Content-Type '{media_type}' is not supported. Use application/json."
        raise RefusedError(build_refusal(415, INVALID_HEADER.code, detail, where={"o:errorHeader": "Content-Type"}))


def read_content(record_type: RecordType, data: Mapping[str, Any], validation: Validation) -> Content:
    """
    Check a body against its record type.

    Raises RefusalError (`INVALID_CONTENT` with `o:errorPath`) for the first unknown name when names are checked as errors, and for the
    first value that does not fit when values are; otherwise such fields are dropped.
    """
    given = {name: value for name, value in data.items() if name not in record_type.read_only}
    has_lines = bool(record_type.lines)
    sublist = given.pop("item", None) if has_lines else None
    fields = _read_fields(given, record_type.kind_of, validation, path="")
    return Content(fields, None if sublist is None else _read_lines(record_type, sublist, validation))


def _read_lines(record_type: RecordType, sublist: Any, validation: Validation) -> tuple[Mapping[str, Any], ...] | None:
    items = sublist.get("items") if isinstance(sublist, dict) else None
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        if validation.values == "error":
            raise build_bad_value("item")
        return None
    return tuple(
        _read_fields(
            {name: value for name, value in each.items() if name not in _SHOWN_WITH_LINES},
            record_type.kind_of_column,
            validation,
            path=f"item.items[{index}].",
        )
        for index, each in enumerate(items)
    )


def _read_fields(
    data: Mapping[str, Any], kind_of: Callable[[str], Kind | None], validation: Validation, *, path: str
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in data.items():
        kind = kind_of(name)
        if kind is None:
            if validation.names == "error":
                raise _unknown_name(path + name)
            continue
        try:
            fields[name] = None if value is None else _READERS[kind](value)
        except _Unfit as error:
            if validation.values == "error":
                raise build_bad_value(path + name) from error
    return fields


def _unknown_name(path: str) -> RefusalError:
    return RefusalError(
        INVALID_CONTENT,
        f"Unknown reference or property '{path}' in the request body. Provide a property of this record type.",
        where={"o:errorPath": path},
    )


def build_bad_value(path: str) -> RefusalError:
    """Build the refusal of a value that its field, named by `path`, does not take."""
    return RefusalError(
        INVALID_CONTENT,
        f"Invalid value for the resource or sub-resource field '{path}'. Provide a valid value.",
        where={"o:errorPath": path},
    )


def _read_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _Unfit


def _read_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Unfit
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise _Unfit from error
    if not number.is_finite() or number.copy_abs() >= LARGEST_NUMBER:
        raise _Unfit
    return number.quantize(SMALLEST_STEP)


def _read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit


def _read_date(value: Any) -> str:
    try:
        return date.fromisoformat(_read_text(value)[:10]).isoformat()
    except ValueError as error:
        raise _Unfit from error


def _read_datetime(value: Any) -> str:
    try:
        return datetime.fromisoformat(_read_text(value)).isoformat()
    except ValueError as error:
        raise _Unfit from error


def _read_reference(value: Any) -> dict[str, str]:
    if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        return {"id": str(value)}
    if not isinstance(value, dict):
        raise _Unfit
    kept = {name: _read_text(value[name]) for name in ("id", "externalId", "refName") if value.get(name) is not None}
    if not any(kept.values()):
        raise _Unfit
    return kept


def _read_status(names: Mapping[str, str], value: Any) -> dict[str, str]:
    letter = _read_reference(value).get("id", "")
    if letter not in names:
        raise _Unfit
    return {"id": letter, "refName": names[letter]}


def _read_subrecord(value: Any, depth: int = 0) -> dict[str, Any]:
    if not isinstance(value, dict) or depth > DEEPEST_SUBRECORD:
        raise _Unfit
    return {name: _read_part(each, depth + 1) for name, each in value.items()}


def _read_part(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return _read_subrecord(value, depth)
    if isinstance(value, list):
        return [_read_part(each, depth + 1) for each in value if depth <= DEEPEST_SUBRECORD]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _read_number(value)
    return value


def _read_custom(value: Any) -> Any:
    if isinstance(value, dict):
        return _read_reference(value)
    if isinstance(value, list):
        raise _Unfit
    return _read_part(value, 0)


_READERS: Mapping[Kind, Callable[[Any], Any]] = {
    "text": _read_text,
    "number": _read_number,
    "boolean": _read_boolean,
    "date": _read_date,
    "datetime": _read_datetime,
    "reference": _read_reference,
    "order_status": partial(_read_status, ORDER_STATUSES),
    "ship_status": partial(_read_status, SHIP_STATUSES),
    "subrecord": _read_subrecord,
    "custom": _read_custom,
}
