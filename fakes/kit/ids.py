"""Identifiers that differ between runs and repeat under the same nonce."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections import Counter


def build_nonce() -> str:
    """Return a fresh run nonce."""
    return secrets.token_hex(6)


class IdSource:
    """Make ids of several kinds; a kind's ids never repeat, not even after a reset of the fake."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self._ordinals: Counter[str] = Counter()

    def ordinal(self, kind: str) -> int:
        """Return the next ordinal of a kind, from 1."""
        self._ordinals[kind] += 1
        return self._ordinals[kind]

    def number(self, kind: str, *, digits: int = 13, room: int = 6) -> int:
        """
        Return the next number of a kind: ``digits - room`` digits from the nonce, the rest counts from 1.

        Past ``10**room`` ids a kind runs into the numbers of another nonce, so ``room`` is to be chosen generously.
        """
        lead = digits - room
        low: int = 10 ** (lead - 1)
        base = low + self._hash(kind) % (9 * low)
        return base * int(10**room) + self.ordinal(kind)

    def text(self, kind: str, *, length: int = 24) -> str:
        """Return the next lower-case hexadecimal id of a kind, at most 64 characters long."""
        return hashlib.sha256(f"{self.nonce}/{kind}/{self.ordinal(kind)}".encode()).hexdigest()[:length]

    def uuid(self, kind: str) -> str:
        """Return the next UUID of a kind."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.nonce}/{kind}/{self.ordinal(kind)}"))

    def _hash(self, kind: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.nonce}/{kind}".encode()).digest()[:8], "big")
