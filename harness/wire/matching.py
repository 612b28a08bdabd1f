"""Say which operation a request is, and which order it is about, from its bytes alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Route:
    """An operation by method and a regular expression over the whole path without query."""

    operation: str
    method: str
    path: str


class RouteTable:
    """Look up operations; the first route that fits wins. Raises `re.error` on a pattern that is none."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_method: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for route in routes:
            self._by_method.setdefault(route.method.upper(), []).append((re.compile(route.path), route.operation))

    def find(self, method: str, target: str) -> str | None:
        """Return the operation of a request line, or None."""
        path = path_of(target)
        for pattern, operation in self._by_method.get(method, ()):
            if pattern.fullmatch(path) is not None:
                return operation
        return None


def path_of(target: str) -> str:
    """Return the path of a request target without query; of an absolute URI too."""
    if not target.startswith("/") and "://" in target:
        _, slash, rest = target.partition("://")[2].partition("/")
        target = slash + rest or "/"
    return target.partition("?")[0]


class EntityFinder:
    """Find the order a text names by one of its tokens; a token counts only as a whole word."""

    def __init__(self, entities: Mapping[str, Iterable[str]]) -> None:
        self._names = {token.encode(): name for name, tokens in entities.items() for token in tokens}
        longest_first = sorted(map(re.escape, self._names), key=len, reverse=True)
        self._pattern = re.compile(rb"(?<![0-9A-Za-z])(?:" + b"|".join(longest_first) + rb")(?![0-9A-Za-z])")

    def find(self, *texts: bytes | bytearray) -> str | None:
        """Return the name of the entity whose token comes first, in the first text that has one; percent codes are read too."""
        if not self._names:
            return None
        for text in texts:
            found = self._pattern.search(text)
            if found is None and b"%" in text:
                found = self._pattern.search(unquote_to_bytes(bytes(text)))
            if found is not None:
                return self._names[found[0]]
        return None
