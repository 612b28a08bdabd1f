"""
Where a value stands in a call or its answer, in a few characters.

    $.parcels[0].weight_g    in a JSON body
    path.id                  a variable of the mapping's urlPathTemplate, or a named group of its urlPathPattern
    query.reference          a query parameter
    header.Idempotency-Key   a header
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from fakes.kit.bodies import BadBodyError, dig, load_json

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange

Part = Literal["body", "path", "query", "header"]

_NAMED = re.compile(r"(path|query|header)\.(.+)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A place: the part it is in, and the steps that lead to it (one name, but for bodies)."""

    part: Part
    steps: tuple[str | int, ...]

    def read(self, exchange: Exchange) -> str | None:
        """Return the text or number that stands there in a call, None where there is none."""
        name = str(self.steps[0]) if self.steps else ""
        match self.part:
            case "path":
                return exchange.params.get(name)
            case "query":
                return exchange.query.get(name)
            case "header":
                return exchange.headers.get(name.lower())
            case "body":
                return self.read_json(exchange.body)

    def read_json(self, body: bytes) -> str | None:
        """Return the text or number that stands there in a JSON body, None where there is none."""
        try:
            return as_text(dig(load_json(body), *self.steps))
        except BadBodyError:
            return None


def parse_place(text: str) -> Place:
    """Read a place; raises ValueError with what is expected."""
    named = _NAMED.fullmatch(text)
    if named is not None:
        return Place(cast("Part", named[1]), (named[2],))
    if text.startswith("$") and re.fullmatch(rf"(?:{_STEP.pattern})+", text[1:]):
        return Place("body", tuple(name or int(index) for name, index in _STEP.findall(text[1:])))
    raise ValueError(f"{text!r} is no place; expected $.name[0].name, path.name, query.name or header.Name")


def as_text(value: Any) -> str | None:
    """Return a text or whole number as text, None for anything else and for the empty text."""
    return str(value) or None if isinstance(value, (str, int)) and not isinstance(value, bool) else None
