"""Short ids that are unique within one process of the tap."""

from __future__ import annotations

from collections import Counter


class Names:
    """Number things by kind; ids of another process carry another `nonce`."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._used: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """Return the next id of a kind, such as `x12-k3v9`."""
        self._used[kind] += 1
        return f"{kind}{self._used[kind]}-{self._nonce}"
