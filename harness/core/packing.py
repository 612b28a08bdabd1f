"""Mappings that take little room: entries of a record by the hundred thousand, most of them of a few shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# From which length on equal texts are kept once, and how many of the last ones are known: witnesses of a call write soon after
# one another.
LONG = 24
KNOWN = 20_000
# All empty lists are the same one, so it is none that could be added to.
NOTHING = ()


class Packed(Mapping[str, Any]):
    """A mapping whose names are shared by all of its shape."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: tuple[Any, ...]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[self._places[name]]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value by its name."""
        place = self._places.get(name)
        return default if place is None else self._values[place]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(slots=True)
class Packer:
    """Packs mappings and what is in them; those of one packer share their names and their long texts."""

    shapes: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)
    chosen: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def pack(self, data: Mapping[str, Any], *, without: frozenset[str] = frozenset()) -> Packed:
        """Pack a mapping, some of its names left out; mappings in it are packed whole."""
        names = tuple(data)
        if without:
            if names not in self.chosen:
                self.chosen[names] = tuple(name for name in names if name not in without)
            names = self.chosen[names]
        places = self.shapes.get(names)
        if places is None:
            places = self.shapes[names] = {name: place for place, name in enumerate(names)}
        return Packed(places, tuple(self._pack_all([data[name] for name in names])))

    def _pack_all(self, values: list[Any]) -> list[Any]:
        """Pack what is in a list, which is the caller's to give away."""
        for place, value in enumerate(values):
            kind = type(value)
            if kind is str:
                if len(value) >= LONG:
                    values[place] = self.texts.setdefault(value, value)
            elif kind is dict:
                values[place] = self.pack(value)
            elif kind is list:
                values[place] = self._pack_all(value) if value else NOTHING
        if len(self.texts) > KNOWN:
            self.texts.clear()
        return values
