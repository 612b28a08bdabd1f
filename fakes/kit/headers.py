"""Header names in the vendor's own case."""

from __future__ import annotations


class Cased(bytes):
    """
    A header name that stays as it is written.

    uvicorn and Starlette lower-case names on the way out. HTTP does not mind, but ShopifyAPI looks up
    ``X-Shopify-Shop-Api-Call-Limit`` in exactly that spelling.
    """

    __slots__ = ()

    def lower(self) -> Cased:
        """Return the name unchanged."""
        return self


# uvicorn has to recognise these to frame the answer, which it does by their lower-case spelling.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    """Return the raw ASGI header; characters that would break the head are left out."""
    clean = "".join(c for c in value if c == "\t" or " " <= c < "\x7f" or "\x80" <= c <= "\xff")
    raw = name.encode("latin-1")
    return (raw.lower() if name.lower() in _FRAMING else Cased(raw), clean.encode("latin-1"))
