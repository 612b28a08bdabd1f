"""Short ids that are unique within one process of the tap."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Names:
    """Number things by kind; ids of another process carry another `nonce`."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))

    def next(self, kind: str) -> str:
        """Return the next id of a kind, such as `x12-k3v9`."""
        return f"{kind}{next(self._numbers[kind])}-{self._nonce}"
