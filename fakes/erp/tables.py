"""The tables SuiteQL knows: their columns, and how values of a column compare with what a query writes."""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fakes.erp.record import Record

Value = str | float | datetime | None
Column = Callable[[Record], Value]

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""What each comparison sign means."""


class BadQueryError(Exception):
    """The query cannot be understood, or uses what this part does not have."""


def _field(name: str) -> Column:
    return lambda record: record.fields.get(name)


_ANY_TABLE: dict[str, Column] = {
    "id": lambda record: float(record.id),
    "externalid": lambda record: record.external_id,
    "lastmodifieddate": lambda record: datetime.fromtimestamp(record.modified_at, UTC),
}
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "transaction": {
        **_ANY_TABLE,
        "tranid": _field("tranId"),
        "type": lambda record: record.record_type.code,
        "status": lambda record: record.status["id"],
        "memo": _field("memo"),
        "otherrefnum": _field("otherRefNum"),
        "total": lambda record: float(record.total),
        "createddate": lambda record: datetime.fromtimestamp(record.created_at, UTC),
    },
    "customer": {
        **_ANY_TABLE,
        "entityid": _field("entityId"),
        "companyname": _field("companyName"),
        "email": _field("email"),
        "datecreated": lambda record: datetime.fromtimestamp(record.created_at, UTC),
    },
}
"""The columns of each table, by their lower-case names."""


def compare_values(compare: Callable[[Any, Any], bool], value: Value, sought: Value) -> bool:
    """
    Compare a column's value with what a query wrote, in the column's own terms; an empty value compares with nothing.

    Raises BadQueryError when a date column is compared with text that is no date.
    """
    if isinstance(value, datetime) and isinstance(sought, str):
        sought = _read_literal_date(sought)
    elif isinstance(value, float) and isinstance(sought, str):
        sought = float(sought) if _NUMBER.fullmatch(sought) else None
    elif isinstance(value, str) and isinstance(sought, float):
        sought = write_number(sought)
    return value is not None and type(value) is type(sought) and compare(value, sought)


def _read_literal_date(text: str) -> datetime:
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%m/%d/%Y")):  # noqa: DTZ007 -- UTC below
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise BadQueryError(f"Invalid or unsupported date '{text}'.")


def write_number(number: float) -> str:
    """Write a number as rows show it."""
    return f"{number:.15g}"
