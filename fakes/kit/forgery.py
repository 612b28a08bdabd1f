"""A webhook the vendor never sent: what it says, and how its signature is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fakes.kit.outbox import Dress, Signing, Webhook


@dataclass(frozen=True, slots=True)
class Forgery:
    """A webhook the vendor never sent; ``how`` its signature is wrong, ``entity`` the order it pretends to be about."""

    topic: str
    body: bytes
    how: Literal["forged", "missing", "other_body"] = "forged"
    entity: str | None = None

    @property
    def signing(self) -> Signing:
        """How it is signed: a changed body carries the genuine signature of another one."""
        return "genuine" if self.how == "other_body" else self.how

    @property
    def signed_body(self) -> bytes:
        """What the signature is over."""
        return self.body + b" " if self.how == "other_body" else self.body

    def dress(
        self, webhook: Webhook, dress: Dress, *, header: str, signature: str | None = None
    ) -> list[tuple[str, str]]:
        """Return the headers by the vendor's own way to ``dress`` one; a given signature stands as it is in its header."""
        headers = list(dress(webhook, self.signed_body, self.signing))
        if signature is None:
            return headers
        return [*((name, value) for name, value in headers if name != header), (header, signature)]
