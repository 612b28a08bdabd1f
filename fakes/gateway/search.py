"""The search language (Stripe: search query language), as far as PaymentIntents need it: clauses joined by all AND or all OR."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakes.gateway.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakes.gateway.model import Intent

_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_CLAUSE = re.compile(
    rf"\s*(?P<not>-?)(?P<field>[a-z_]+)(?:\[(?P<key>{_TEXT})\])?\s*(?P<operator>:|~|>=|<=|>|<)\s*"
    rf"(?P<value>{_TEXT}|null\b|-?\d{{1,18}})\s*"
)
_JOINT = re.compile(r"\s*(AND|OR)\b|\s*(?=\S)", re.IGNORECASE)
_NUMBERS = ("amount", "created")
_WORDS = ("status", "currency", "customer", "description")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition; ``key`` is the key within metadata."""

    field: str
    operator: str
    value: str | None
    key: str | None = None
    negated: bool = False

    def fits(self, intent: Intent) -> bool:
        """Tell whether a payment meets the condition."""
        return self._compare(self._read(intent)) is not self.negated

    def _read(self, intent: Intent) -> str | int | None:
        if self.field == "metadata":
            return intent.metadata.get(self.key or "")
        if self.field == "created":
            return int(intent.created)
        found: str | int | None = getattr(intent, self.field, None) or intent.extra.get(self.field)
        return found

    def _compare(self, found: str | int | None) -> bool:
        if found is None or self.value is None:
            return found is None and self.value is None
        if isinstance(found, int):
            bound = int(self.value)
            return {
                ":": found == bound,
                ">": found > bound,
                ">=": found >= bound,
                "<": found < bound,
                "<=": found <= bound,
            }[self.operator]
        wanted, held = self.value.lower(), str(found).lower()
        return wanted in held if self.operator == "~" else wanted == held


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    clauses: Sequence[Clause]
    any_of: bool

    def fits(self, intent: Intent) -> bool:
        """Tell whether a payment is found."""
        found = (clause.fits(intent) for clause in self.clauses)
        return any(found) if self.any_of else all(found)


def read_query(text: str) -> Query:
    """Return a query; raises RefusedError 400 for what is none."""
    clauses: list[Clause] = []
    joints: set[str] = set()
    at = 0
    while at < len(text):
        if clauses:
            joint = _JOINT.match(text, at)
            if joint is None:
                raise _unreadable(text, at)
            joints.add((joint[1] or "AND").upper())
            at = joint.end()
        found = _CLAUSE.match(text, at)
        if found is None:
            raise _unreadable(text, at)
        clauses.append(_build_clause(found))
        at = found.end()
    if not clauses:
        raise _unreadable(text, 0)
    if len(joints) > 1:
        raise invalid("You cannot combine AND and OR in the same query.", param="query")
    return Query(clauses, any_of=joints == {"OR"})


def _build_clause(found: re.Match[str]) -> Clause:
    field, operator, value = found["field"], found["operator"], found["value"]
    quoted = value[0] in "'\""
    if field in _NUMBERS:
        fitting = operator != "~" and not quoted and value != "null"
    else:
        fitting = operator in ":~" and (quoted or value == "null") and field in {*_WORDS, "metadata"}
    if not fitting or (found["key"] is None) == (field == "metadata"):
        raise invalid(f"Field `{field}` cannot be searched with `{operator}{value[:40]}`.", param="query")
    key = None if found["key"] is None else _unquote(found["key"])
    return Clause(field, operator, None if value == "null" else _unquote(value), key, negated=bool(found["not"]))


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "'\"" else text


def _unreadable(text: str, at: int) -> Exception:
    return invalid(
        f"We were unable to parse your search query near position {at}: {text[at : at + 40]!r}", param="query"
    )
