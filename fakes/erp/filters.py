"""
The `q` parameter of a record list: conditions on body fields, joined with AND and OR, grouped with parentheses.

Source: NetSuite help, "Record Collection Filtering". Supported: the text operators, the number operators without the ranges, the
boolean ones, EMPTY, ANY_OF, and the date operators; every operator with its `_NOT` form.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fakes.erp.errors import INVALID_PARAMETER, RefusalError
from fakes.erp.model import RecordType
from fakes.erp.record import Record

Condition = Callable[[Record], bool]

DEEPEST = 20
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()\[\],])|([^\s()\[\],"]+))')
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "IS": operator.eq,
    "CONTAIN": lambda value, sought: sought in value,
    "START_WITH": str.startswith,
    "END_WITH": str.endswith,
}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "GREATER": operator.gt,
    "GREATER_OR_EQUAL": operator.ge,
    "LESS": operator.lt,
    "LESS_OR_EQUAL": operator.le,
}
_DAYS: Mapping[str, Callable[[Any, Any], bool]] = {
    "ON": operator.eq,
    "AFTER": operator.gt,
    "ON_OR_AFTER": operator.ge,
    "BEFORE": operator.lt,
    "ON_OR_BEFORE": operator.le,
}


class _Bad(Exception):  # noqa: N818 -- turned into the vendor's answer where the whole query is known
    """The query cannot be understood."""


def build_condition(record_type: RecordType, query: str) -> Condition:
    """Build the condition `query` describes; raises RefusalError (`INVALID_PARAMETER`) when it cannot be understood."""
    try:
        return _Parser(record_type, _split(query)).read_all()
    except _Bad as error:
        detail = f"Invalid search query. Detailed unprocessed description follows. {error}"
        raise RefusalError(INVALID_PARAMETER, detail, where={"o:errorQueryParam": "q"}) from error


def _split(query: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(query.rstrip())
    while at < end:
        match = _TOKEN.match(query, at, end)
        if match is None:
            raise _Bad(f"Unexpected text at position {at + 1}.")
        if match[1] is not None:
            tokens.append(("value", re.sub(r"\\(.)", r"\1", match[1])))
        else:
            tokens.append(("mark", match[2]) if match[2] else ("word", match[3]))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens: any (OR) of all (AND) of conditions."""

    def __init__(self, record_type: RecordType, tokens: Sequence[tuple[str, str]]) -> None:
        self._type = record_type
        self._tokens = tokens
        self._at = 0

    def read_all(self) -> Condition:
        condition = self._read_any(depth=0)
        if self._at < len(self._tokens):
            raise _Bad(f"Unexpected '{self._tokens[self._at][1]}'.")
        return condition

    def _read_any(self, depth: int) -> Condition:
        parts = [self._read_every(depth)]
        while self._take("word", "OR"):
            parts.append(self._read_every(depth))
        return lambda record: any(part(record) for part in parts)

    def _read_every(self, depth: int) -> Condition:
        parts = [self._read_one(depth)]
        while self._take("word", "AND"):
            parts.append(self._read_one(depth))
        return lambda record: all(part(record) for part in parts)

    def _read_one(self, depth: int) -> Condition:
        if self._take("mark", "("):
            if depth >= DEEPEST:
                raise _Bad("The query is nested too deeply.")
            condition = self._read_any(depth + 1)
            self._ensure_mark(")")
            return condition
        name = self._next("word")
        if name not in _DERIVED and self._type.kind_of(name) in {None, "subrecord"}:
            raise _Bad(f"Field '{name}' was not found on record {self._type.name}.")
        return self._read_test(name, self._next("word").upper())

    def _read_test(self, name: str, word: str) -> Condition:
        wanted = not word.endswith("_NOT")
        test = self._build_test(word.removesuffix("_NOT"))
        return lambda record: test(_value_of(record, name)) is wanted

    def _build_test(self, word: str) -> Callable[[Any], bool]:
        if word == "EMPTY":
            return lambda value: value is None
        if word == "ANY_OF":
            choices = {choice.casefold() for choice in self._read_list()}
            return lambda value: value is not None and _text(value).casefold() in choices
        sought = self._next("value", "word")
        if word in _TEXT:
            compare, text = _TEXT[word], sought.casefold()
            return lambda value: value is not None and compare(_text(value).casefold(), text)
        if word in _ORDER:
            return _build_comparison(_ORDER[word], _read_number(sought), _read_number)
        if word in _DAYS:
            return _build_comparison(_DAYS[word], _read_day(sought), _read_day)
        raise _Bad(f"Operator '{word}' is not supported.")

    def _read_list(self) -> list[str]:
        self._ensure_mark("[")
        values = [self._next("value", "word")]
        while self._take("mark", ","):
            values.append(self._next("value", "word"))
        self._ensure_mark("]")
        return values

    def _take(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] in {(kind, text), (kind, text.lower())}:
            self._at += 1
            return True
        return False

    def _ensure_mark(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise _Bad(f"Expected '{mark}'.")

    def _next(self, *kinds: str) -> str:
        if self._at >= len(self._tokens):
            raise _Bad("The query ends too early.")
        kind, text = self._tokens[self._at]
        if kind not in kinds:
            raise _Bad(f"Unexpected '{text}'.")
        self._at += 1
        return text


_DERIVED: Mapping[str, Callable[[Record], Any]] = {
    "id": lambda record: record.id,
    "total": lambda record: record.total,
    "createdDate": lambda record: datetime.fromtimestamp(record.created_at, UTC),
    "dateCreated": lambda record: datetime.fromtimestamp(record.created_at, UTC),
    "lastModifiedDate": lambda record: datetime.fromtimestamp(record.modified_at, UTC),
}


def _value_of(record: Record, name: str) -> Any:
    return _DERIVED[name](record) if name in _DERIVED else record.fields.get(name)


def _build_comparison(
    compare: Callable[[Any, Any], bool], sought: Any, read: Callable[[str], Any]
) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        try:
            return value is not None and compare(read(_text(value)), sought)
        except _Bad:
            return False

    return test


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("id") or value.get("externalId") or value.get("refName") or "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read_number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise _Bad(f"'{text}' is not a number.") from error
    if number.is_nan():
        raise _Bad(f"'{text}' is not a number.")
    return number


def _read_day(text: str) -> date:
    for pattern in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text[:10], pattern).date()  # noqa: DTZ007 -- a calendar day has no zone
        except ValueError:
            continue
    raise _Bad(f"'{text}' is not a date.")
