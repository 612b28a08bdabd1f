"""What was seen, in a form that says itself when an assertion about it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
SHOWN = 6


class Seen(Sequence[T], Generic[T]):
    """Things that were seen, in the order they happened; empty is false."""

    def __init__(self, things: Iterable[T], say: Callable[[T], str]) -> None:
        self._things = tuple(things)
        self._say = say

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Seen[T]: ...

    def __getitem__(self, index: int | slice) -> T | Seen[T]:
        """Return one of them, or some."""
        return Seen(self._things[index], self._say) if isinstance(index, slice) else self._things[index]

    def __len__(self) -> int:
        """Count them."""
        return len(self._things)

    def __repr__(self) -> str:
        """Say the first of them."""
        said = "; ".join(self._say(thing) for thing in self._things[:SHOWN])
        more = f"; and {len(self) - SHOWN} more" if len(self) > SHOWN else ""
        return f"<{len(self)} seen: {said}{more}>" if self else "<none seen>"


class Count(int):
    """A number that remembers what was counted."""

    seen: Seen[object]

    def __new__(cls, seen: Seen[T]) -> Self:
        """Count what was seen."""
        count = super().__new__(cls, len(seen))
        count.seen = seen  # type: ignore[assignment] # whatever it holds, it is only said
        return count

    def __repr__(self) -> str:
        """Say the number and what it counts."""
        return f"{int(self)} {self.seen!r}"
