"""The values of a YAML file as nodes that know their place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from harness.core.problems import Location

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """
    Hold one value of the file: a scalar, a list (`items`) or a mapping (`entries`, by key).

    `keys` has the node of each key, so that a complaint can point at it.
    """

    kind: str
    location: Location
    width: int = 1
    value: Scalar = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None where this is no mapping or has no such key."""
        return self.entries.get(key)

    def text(self, key: str) -> str | None:
        """Return the text under a key, or None where there is no text."""
        node = self.entries.get(key)
        return node.value if node is not None and isinstance(node.value, str) else None

    def words(self, key: str) -> list[Node]:
        """List the texts under a key, be it one or a list; none where there is none."""
        node = self.entries.get(key)
        found = [] if node is None else (node.items or [node])
        return [word for word in found if isinstance(word.value, str)]

    def plain(self) -> Any:
        """Return the value as plain lists, dicts and scalars."""
        if self.kind == "list":
            return [item.plain() for item in self.items]
        if self.kind == "mapping":
            return {key: value.plain() for key, value in self.entries.items()}
        return self.value

    def place(self, key: str) -> Location:
        """Return where a key stands, or where this value stands when it has no such key."""
        return self.keys[key].location if key in self.keys else self.location
