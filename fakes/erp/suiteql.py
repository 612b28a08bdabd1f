"""
A small part of SuiteQL: one table, chosen columns, conditions joined with AND, and an order.

    SELECT id, externalid, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed
    FROM transaction WHERE externalid = 'SO-1' AND lastmodifieddate >= TO_DATE('2026-11-01', 'YYYY-MM-DD') ORDER BY id

Rows hold lower-case names and text values, and leave out what is empty; a date without TO_CHAR shows as MM/DD/YYYY, the day only.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fakes.erp.errors import INVALID_PARAMETER, RefusalError
from fakes.erp.model import RECORD_TYPES
from fakes.erp.record import Record
from fakes.erp.records import RecordStore
from fakes.erp.tables import COLUMNS, COMPARISONS, BadQueryError, Column, Value, compare_values, write_number

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(<=|>=|<>|!=|[=<>(),;])|([A-Za-z_][\w.]*|-?\d+(?:\.\d+)?))")
_DATE_MARKS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """One selected column: its name in the rows, where it comes from, and how its dates are written."""

    name: str
    column: Column
    date_format: str = "%m/%d/%Y"


@dataclass(frozen=True, slots=True)
class Query:
    """A query understood: run it over a store with `run`."""

    table: str
    shown: tuple[_Shown, ...]
    conditions: tuple[Callable[[Record], bool], ...]
    orders: tuple[tuple[Column, bool], ...]

    def run(self, store: RecordStore) -> list[dict[str, Any]]:
        """Answer the query: one flat object a row. Raises RefusalError for a date that cannot be read."""
        with _refusing():
            return self._run(store)

    def _run(self, store: RecordStore) -> list[dict[str, Any]]:
        types = [each for each in RECORD_TYPES.values() if each.table == self.table]
        rows = [row for each in types for row in store.every(each) if all(fits(row) for fits in self.conditions)]
        for column, descending in reversed(self.orders):
            rows.sort(key=partial(_sort_key, column), reverse=descending)
        return [_build_row(row, self.shown) for row in rows]


def read_query(text: Any) -> Query:
    """Read a query; raises RefusalError (`INVALID_PARAMETER`, on `q`) for what is wrong or outside this part of SuiteQL."""
    with _refusing():
        if not isinstance(text, str) or not text.strip():
            raise BadQueryError("The query is missing.")
        return _Parser(_split(text)).read_all()


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except BadQueryError as error:
        detail = f"Invalid search query. Detailed unprocessed description follows. {error}"
        raise RefusalError(INVALID_PARAMETER, detail, where={"o:errorQueryParam": "q"}) from error


def _split(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise BadQueryError(f"Invalid or unsupported search, at position {at + 1}.")
        if match[1] is not None:
            tokens.append(("text", match[1].replace("''", "'")))
        else:
            tokens.append(("mark", match[2]) if match[2] else ("word", match[3].lower()))
        at = match.end()
    return tokens


class _Parser:
    """Reads the clauses in their order; the table is looked up first, since it tells which columns there are."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = [*tokens]
        if self._tokens and self._tokens[-1] == ("mark", ";"):
            self._tokens.pop()
        self._at = 0
        self._alias = ""
        self._columns: Mapping[str, Column] = {}

    def read_all(self) -> Query:
        table = self._find_table()
        self._ensure("word", "select")
        shown = self._read_shown()
        self._ensure("word", "from")
        self._next("word")
        if self._alias:
            self._next("word")
        conditions = self._read_conditions() if self._take("word", "where") else ()
        orders = self._read_orders() if self._take("word", "order") else ()
        if self._at < len(self._tokens):
            raise BadQueryError(f"Invalid or unsupported search, at '{self._tokens[self._at][1]}'.")
        return Query(table, shown, conditions, orders)

    def _find_table(self) -> str:
        places = [index for index, token in enumerate(self._tokens) if token == ("word", "from")]
        names = [text for kind, text in self._tokens[places[0] + 1 :][:2] if kind == "word"] if places else []
        if not names or names[0] not in COLUMNS:
            raise BadQueryError(f"Record '{names[0] if names else ''}' was not found.")
        if len(names) > 1 and names[1] not in {"where", "order"}:
            self._alias = names[1]
        self._columns = COLUMNS[names[0]]
        return names[0]

    def _read_shown(self) -> tuple[_Shown, ...]:
        shown = [self._read_one_shown()]
        while self._take("mark", ","):
            shown.append(self._read_one_shown())
        return tuple(shown)

    def _read_one_shown(self) -> _Shown:
        word = self._next("word")
        date_format = "%m/%d/%Y"
        if word == "to_char" and self._take("mark", "("):
            word = self._next("word")
            self._ensure("mark", ",")
            date_format = _read_format(self._next("text"))
            self._ensure("mark", ")")
            name = "to_char"
        else:
            name = self._bare(word)
        column = self._column(word)
        if self._take("word", "as"):
            name = self._next("word")
        return _Shown(name, column, date_format)

    def _read_conditions(self) -> tuple[Callable[[Record], bool], ...]:
        conditions = [self._read_condition()]
        while self._take("word", "and"):
            conditions.append(self._read_condition())
        return tuple(conditions)

    def _read_condition(self) -> Callable[[Record], bool]:
        column = self._column(self._next("word"))
        if self._take("word", "is"):
            wanted = not self._take("word", "not")
            self._ensure("word", "null")
            return lambda record: (column(record) is None) is wanted
        if self._take("word", "in"):
            values = self._read_values()
            return lambda record: any(compare_values(operator.eq, column(record), value) for value in values)
        mark = self._next("mark")
        if mark not in COMPARISONS:
            raise BadQueryError(f"Invalid or unsupported search, at '{mark}'.")
        compare, sought = COMPARISONS[mark], self._read_value()
        return lambda record: compare_values(compare, column(record), sought)

    def _read_values(self) -> list[Value]:
        self._ensure("mark", "(")
        values = [self._read_value()]
        while self._take("mark", ","):
            values.append(self._read_value())
        self._ensure("mark", ")")
        return values

    def _read_value(self) -> Value:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "text":
            return self._next("text")
        word = self._next("word")
        if word in {"to_date", "to_timestamp"}:
            self._ensure("mark", "(")
            text = self._next("text")
            self._ensure("mark", ",")
            moment = _read_moment(text, _read_format(self._next("text")))
            self._ensure("mark", ")")
            return moment
        try:
            return float(word)
        except ValueError:
            raise BadQueryError(f"Invalid or unsupported search, at '{word}'.") from None

    def _read_orders(self) -> tuple[tuple[Column, bool], ...]:
        self._ensure("word", "by")
        orders: list[tuple[Column, bool]] = []
        while not orders or self._take("mark", ","):
            column = self._column(self._next("word"))
            descending = self._take("word", "desc")
            if not descending:
                self._take("word", "asc")
            orders.append((column, descending))
        return tuple(orders)

    def _bare(self, word: str) -> str:
        return word.removeprefix(f"{self._alias}.") if self._alias else word

    def _column(self, word: str) -> Column:
        column = self._columns.get(self._bare(word))
        if column is None:
            raise BadQueryError(f"Search error occurred: Field '{word}' for record was not found.")
        return column

    def _take(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == (kind, text):
            self._at += 1
            return True
        return False

    def _ensure(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise BadQueryError(f"Invalid or unsupported search: expected '{text}'.")

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise BadQueryError("Invalid or unsupported search.")
        self._at += 1
        return self._tokens[self._at - 1][1]


def _read_format(text: str) -> str:
    pattern = re.sub("YYYY|MM|DD|HH24|MI|SS", lambda mark: _DATE_MARKS[mark[0]], text.upper().replace("%", ""))
    if "%" not in pattern:
        raise BadQueryError(f"Invalid or unsupported date format '{text}'.")
    return pattern


def _read_moment(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except (ValueError, re.error):  # a mark that stands twice is an error of the pattern
        raise BadQueryError(f"Invalid or unsupported date '{text}'.") from None


def _sort_key(column: Column, record: Record) -> tuple[bool, Any]:
    value = column(record)
    return (value is None, "" if value is None else value)


def _build_row(record: Record, shown: Sequence[_Shown]) -> dict[str, Any]:
    row: dict[str, Any] = {"links": []}
    for each in shown:
        value = each.column(record)
        if isinstance(value, datetime):
            row[each.name] = value.strftime(each.date_format)
        elif value is not None:
            row[each.name] = write_number(value) if isinstance(value, float) else value
    return row
