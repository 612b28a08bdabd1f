"""The parameters of a call, read one by one; what is left over in the end is unknown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fakes.gateway.errors import invalid, refuse
from fakes.gateway.forms import Tree, read_form, read_items
from fakes.gateway.money import LEAST, MOST, format_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fakes.kit.exchange import Exchange

MAX_TEXT = 5_000
MAX_KEYS, MAX_KEY, MAX_VALUE = 50, 40, 500
_INTEGER = re.compile(r"-?\d{1,18}")
_RANGE = ("gt", "gte", "lt", "lte")


class Params:
    """
    A call's parameters.

    Every reader takes a parameter out, answers None when it is not there, and raises RefusedError (400) when it is no good.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = dict(tree)

    def take(self, name: str) -> Any:
        """Take a parameter as it came."""
        return self._tree.pop(name, None)

    def text(self, name: str, *, most: int = MAX_TEXT) -> str | None:
        """Take a text; an empty one is refused."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {name} must be a string", param=name)
        if not value:
            raise refuse("parameter_invalid_empty", f"You passed an empty string for '{name}'.", param=name)
        if len(value) > most:
            raise invalid(f"Invalid {name}: must be at most {most} characters", param=name)
        return value

    def required(self, name: str) -> str:
        """Take a text that must be there."""
        value = self.text(name)
        if value is None:
            raise refuse("parameter_missing", f"Missing required param: {name}.", param=name)
        return value

    def choice(self, name: str, known: Iterable[str]) -> str | None:
        """Take one of some words."""
        value = self.text(name)
        names = tuple(known)
        if value is not None and value not in names:
            raise invalid(f"Invalid {name}: must be one of {', '.join(names)}", param=name)
        return value

    def boolean(self, name: str) -> bool | None:
        """Take ``true`` or ``false``."""
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def integer(self, name: str) -> int | None:
        """Take a whole number of at most 18 digits."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _INTEGER.fullmatch(value) or not value.isascii():
            raise refuse("parameter_invalid_integer", f"Invalid integer: {str(value)[:40]}", param=name)
        return int(value)

    def amount(self, name: str, currency: str, *, least: int = 1) -> int | None:
        """Take an amount in minor units, at least ``least``."""
        value = self.integer(name)
        if value is None:
            return None
        if value < 1:
            raise refuse("parameter_invalid_integer", "This value must be greater than or equal to 1.", param=name)
        if value < least:
            text = f"Amount must be at least {format_money(least, currency)}."
            raise refuse("amount_too_small", text, param=name)
        if value > MOST:
            text = f"Amount must be no more than {format_money(MOST, currency)}."
            raise refuse("amount_too_large", text, param=name)
        return value

    def new_amount(self, currency: str) -> int | None:
        """Take the amount of a payment, which the vendor does not take below half a unit."""
        return self.amount("amount", currency, least=LEAST)

    def currency(self) -> str | None:
        """Take a three-letter currency, in lower case."""
        value = self.text("currency")
        if value is not None and not re.fullmatch(r"[A-Za-z]{3}", value):
            raise invalid(f"Invalid currency: {value[:40]}", param="currency")
        return None if value is None else value.lower()

    def items(self, name: str) -> list[str] | None:
        """Take a list of texts."""
        value = self.take(name)
        if value is None:
            return None
        found = read_items(value)
        if found is None or not all(isinstance(item, str) for item in found):
            raise invalid(f"Invalid array: {name} must be an array of strings", param=name)
        return found

    def metadata(self, held: Mapping[str, str]) -> dict[str, str]:
        """Take metadata laid over what is held: an empty value unsets its key, an empty whole unsets all."""
        given = self.take("metadata")
        if given is None:
            return dict(held)
        if given == "":
            return {}
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise invalid("Invalid hash: metadata must be a hash of strings", param="metadata")
        for key, value in given.items():
            if len(key) > MAX_KEY or len(value) > MAX_VALUE:
                text = f"Metadata keys may have {MAX_KEY} characters, their values {MAX_VALUE}"
                raise invalid(text, param=f"metadata[{key[:MAX_KEY]}]")
        merged = {key: value for key, value in {**held, **given}.items() if value}
        if len(merged) > MAX_KEYS:
            raise invalid(f"You can have up to {MAX_KEYS} metadata keys", param="metadata")
        return merged

    def period(self, name: str) -> dict[str, int]:
        """Take a filter by time: a number, or a hash of ``gt``, ``gte``, ``lt``, ``lte``."""
        value = self._tree.get(name)
        if not isinstance(value, dict):
            at = self.integer(name)
            return {} if at is None else {"gte": at, "lte": at}
        inner = Params(self.take(name))
        found = {bound: inner.integer(bound) for bound in _RANGE}
        inner.finish()
        return {bound: at for bound, at in found.items() if at is not None}

    def keep(self, names: Iterable[str]) -> dict[str, Any]:
        """Take parameters that are stored as they came."""
        return {name: value for name in names if (value := self.take(name)) is not None}

    def drop(self, names: Iterable[str]) -> None:
        """Take parameters that change nothing here."""
        for name in names:
            self.take(name)

    def finish(self) -> None:
        """Refuse what nobody took."""
        if self._tree:
            name = next(iter(self._tree))[:100]
            raise refuse("parameter_unknown", f"Received unknown parameter: {name}", param=name)


def read_tree(exchange: Exchange) -> Tree:
    """Return the raw parameters of a call: the body's, or the query's where nothing can have a body."""
    if exchange.method != "POST":
        return read_form(exchange.query_string)
    if exchange.body.strip() and exchange.media_type not in {"", "application/x-www-form-urlencoded"}:
        raise invalid(f"Content type {exchange.media_type[:80]!r} is not taken; send application/x-www-form-urlencoded")
    return {**read_form(exchange.query_string), **read_form(exchange.body)}


def read_params(exchange: Exchange) -> Params:
    """Return the parameters of a call."""
    return Params(read_tree(exchange))
