"""Names in references: which orders of a plan a text mentions, found without asking each of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.core.history import Order

TOKEN = re.compile(r"[A-Za-z0-9]+")


class Names:
    """The names of orders and the tokens that stand for them, each with the places of its orders in the plan."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = tuple(orders)
        self._names: dict[str, list[int]] = {}
        self._tokens: dict[str, list[int]] = {}
        for place, order in enumerate(self._orders):
            self._names.setdefault(order.name, []).append(place)
            for alias in order.aliases:
                self._tokens.setdefault(alias, []).append(place)

    def find_all(self, text: str) -> frozenset[int]:
        """List the ordinals of the orders that a text names."""
        return frozenset(self._orders[place].ordinal for place in self._find_places(text))

    def find_first(self, text: str) -> int | None:
        """Return the ordinal of the first order of the plan that a text names, or None."""
        place = min(self._find_places(text), default=None)
        return None if place is None else self._orders[place].ordinal

    def _find_places(self, text: str) -> Iterator[int]:
        if text:
            yield from self._names.get(text, ())
            for token in TOKEN.findall(text):
                yield from self._tokens.get(token, ())
