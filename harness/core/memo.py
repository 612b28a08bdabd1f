"""What a history has found out about itself: each index is made when it is first asked for, and only once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    T = TypeVar("T")
    K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Memo:
    """Answers that are asked for again and again, by what was asked."""

    known: dict[Hashable, Any] = field(default_factory=dict)

    def recall(self, asked: Hashable, find: Callable[[], T]) -> T:
        """Return the answer to what is asked, found by `find` where it is asked for the first time."""
        if asked not in self.known:
            self.known[asked] = find()
        found: T = self.known[asked]
        return found


def group(things: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group things by a key, in their order."""
    found: dict[K, list[T]] = {}
    for thing in things:
        found.setdefault(key(thing), []).append(thing)
    return found
