"""A webhook the vendor never sent: what it says, and how its signature is wrong or too old."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fakes.kit.outbox import Dress, Signing, Webhook

How = Literal["forged", "missing", "other_body", "stale"]
STALE_S = 86_400.0
"""How long ago a stale one was signed unless told otherwise: longer than any vendor tells its receivers to accept."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """
    A webhook the vendor never sent; ``how`` its signature is wrong, ``entity`` the order it pretends to be about.

    ``age_s`` is how long ago a stale one was signed.
    """

    topic: str
    body: bytes
    how: How = "forged"
    entity: str | None = None
    age_s: float = STALE_S

    @property
    def signing(self) -> Signing:
        """How it is signed: a changed body carries the genuine signature of another one, a stale one its own."""
        return "genuine" if self.how == "other_body" or self.how == "stale" else self.how  # noqa: PLR1714 - a set would widen the type

    @property
    def signed_body(self) -> bytes:
        """What the signature is over."""
        return self.body + b" " if self.how == "other_body" else self.body

    def dress(
        self, webhook: Webhook, dress: Dress, *, header: str, signature: str | None = None
    ) -> list[tuple[str, str]]:
        """Return the headers by the vendor's own way to ``dress`` one; a given signature stands as it is in its header."""
        if self.how == "stale":
            webhook = replace(webhook, triggered_at=webhook.triggered_at - self.age_s, aged_s=self.age_s)
        headers = list(dress(webhook, self.signed_body, self.signing))
        if signature is None:
            return headers
        return [*((name, value) for name, value in headers if name != header), (header, signature)]
