"""Credentials that look as if they opened somebody's real account. A lab issues its own and takes no others."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakes.kit.exchange import exchange_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from fakes.kit.exchange import Exchange
    from fakes.kit.journal import Journal

LAB_MARK = "1ab01ab0"
"""How the random part of a token begins that a lab issued and whose vendor tells live and test tokens apart by nothing."""

# Where a vendor has test keys, only its live ones count; where it has none, every key of its own form does.
_FORMS: tuple[tuple[str, str], ...] = (
    ("a live Stripe key", r"\b[sr]k_live_(?=[A-Za-z0-9]{8})"),
    ("a Shopify access token that no lab issued", rf"\bshp(?:at|ca|pa|ss)_(?=[0-9A-Fa-f]{{32}}\b)(?!{LAB_MARK})"),
    ("a live Shippo key", r"\bshippo_live_(?=[0-9a-f]{16})"),
    ("a production EasyPost key", r"\bEZAK(?=[A-Za-z0-9]{40})"),
    ("a live Razorpay key", r"\brzp_live_(?=[A-Za-z0-9]{8})"),
    ("a live Klarna key", r"\bklarna_live_(?=[A-Za-z0-9_]{8})"),
    ("a live Mollie key", r"\blive_(?=[A-Za-z0-9]{30}\b)"),
    ("a HubSpot access token", r"\bpat-(?:na|eu)\d-(?=[0-9a-f]{8}-)"),
    ("a Slack token", r"\bxox[abeoprs]-(?=[0-9A-Za-z-]{10})"),
    ("the address of a Slack channel", r"\bhooks\.slack\.com/services/(?=T)"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)(?=[A-Z0-9]{16}\b)"),
    ("a Google API key", r"\bAIza(?=[A-Za-z0-9_-]{35})"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
)
_ANY = re.compile("|".join(f"({form})" for _, form in _FORMS))
_CARRIERS = re.compile(r"auth|token|key|secret|password", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LiveKey:
    """What was found: ``what`` in words, ``shown`` the beginning that tells its form and nothing more, and where it ``starts``."""

    what: str
    shown: str
    start: int

    def __str__(self) -> str:
        """Tell what it is without telling it."""
        return f"{self.what} ({self.shown}\u2026)"


def find_live_key(text: str) -> LiveKey | None:
    """Return the first credential in a text that looks live, None where there is none."""
    match = _ANY.search(text)
    if match is None or match.lastindex is None:
        return None
    return LiveKey(_FORMS[match.lastindex - 1][0], match[0], match.start())


def find_sent_key(headers: Mapping[str, str]) -> tuple[str, LiveKey] | None:
    """Return the header of a call that carries a live-looking credential, and what it is; a login's parts are looked at too."""
    for name, value in headers.items():
        if _CARRIERS.search(name):
            found = find_live_key(value) or find_live_key(_read_login(value))
            if found is not None:
                return name, found
    return None


class LiveKeyGuard:
    """Turn away calls with live-looking credentials, in the vendor's words for a wrong one, and say so in the journal."""

    def __init__(self, app: ASGIApp, journal: Journal, refuse: Callable[[Exchange], ASGIApp]) -> None:
        self._app = app
        self._journal = journal
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        exchange = exchange_of(scope)
        found = find_sent_key(exchange.headers)
        if found is None:
            await self._app(scope, receive, send)
            return
        header, key = found
        self._journal.append(
            "credential", exchange=exchange.id, entity=exchange.entity, header=header, what=key.what, shown=key.shown
        )
        await self._refuse(exchange)(scope, receive, send)


def _read_login(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode("latin-1")
    except ValueError:
        return ""
