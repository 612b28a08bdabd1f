"""Covering arrays: few rows in which every two factors meet in each combination of their values."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from allpairspy import AllPairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Value = TypeVar("Value")


def cover_pairs(factors: Sequence[Sequence[Value]]) -> list[tuple[Value, ...]]:
    """
    Choose rows with one value of each factor so that any value of any factor meets any value of any other in one of them.

    The same factors give the same rows. A single factor has nothing to meet: each of its values is a row.
    """
    if len(factors) < 2:
        return [(value,) for factor in factors for value in factor]
    # The search is greedy from the left: it needs fewest rows with the longest factors first.
    places = sorted(range(len(factors)), key=lambda place: -len(factors[place]))
    numbered = [range(len(factors[place])) for place in places]
    rows = [tuple(row) for row in AllPairs([list(numbers) for numbers in numbered])]
    rows += _complete(numbered, rows)
    back = [places.index(place) for place in range(len(factors))]
    return [tuple(factors[place][row[back[place]]] for place in range(len(factors))) for row in rows]


def _complete(numbered: Sequence[range], rows: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """Add rows for the pairs that are missing: the search may end before it has met all of them."""
    met = {pair for row in rows for pair in _pair(row)}
    for (first, ones), (second, others) in combinations(enumerate(numbered), 2):
        for one in ones:
            for other in others:
                if (first, one, second, other) not in met:
                    row = tuple(one if at == first else other if at == second else 0 for at in range(len(numbered)))
                    met |= set(_pair(row))
                    yield row


def _pair(row: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    for (first, one), (second, other) in combinations(enumerate(row), 2):
        yield first, one, second, other
