"""The access tokens issued so far: opened, found again, revoked. A token itself is never kept, only its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import OctKey

from fakes.kit.records import Collection

if TYPE_CHECKING:
    from fakes.erp.settings import Settings
    from fakes.kit.entities import EntityIndex
    from fakes.kit.exchange import Exchange
    from fakes.kit.ids import IdSource
    from fakes.kit.journal import Journal


@dataclass(frozen=True, slots=True)
class Session:
    """One access token's life, in epoch seconds."""

    id: str
    client_id: str
    scope: str
    token_sha256: str
    issued_at: float
    expires_at: float
    revoked: bool = False

    def is_valid(self, now: float) -> bool:
        """Tell whether the token may still be used at `now`."""
        return not self.revoked and now < self.expires_at


class Sessions:
    """The sessions of the account, found by token."""

    def __init__(self, journal: Journal, entities: EntityIndex, ids: IdSource) -> None:
        self._clock = journal.clock
        self._ids = ids
        self._signer = OctKey.generate_key(256)
        self.collection = Collection[Session](
            "sessions",
            show=self._show,
            journal=journal,
            entities=entities,
            indexes={"token": lambda session: session.token_sha256},
        )

    def open(self, settings: Settings, scope: str, exchange: Exchange | None = None) -> str:
        """Open a session for a comma-separated `scope` and return its access token, a JWT."""
        now = self._clock.wall()
        expires_at = now + settings.token_lifetime_s
        claims = {
            "iss": "https://system.netsuite.com",
            "aud": [settings.client_id],
            "scope": scope.split(","),
            "iat": int(now),
            "exp": int(expires_at),
            "jti": secrets.token_urlsafe(12),
        }
        token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, self._signer)
        session_id = self._ids.text("session", length=12)
        session = Session(session_id, settings.client_id, scope, _digest(token), now, expires_at)
        self.collection.put(session.id, session, exchange=exchange)
        return token

    def find(self, token: str) -> Session | None:
        """Find the session of a token, valid or not."""
        return next(iter(self.collection.find("token", _digest(token))), None)

    def is_valid(self, session: Session) -> bool:
        """Tell whether a session is good now."""
        return session.is_valid(self._clock.wall())

    def revoke(self, session: Session, exchange: Exchange | None = None) -> None:
        """Revoke a session for good; a revoked one stays as it is."""
        if not session.revoked:
            self.collection.put(session.id, replace(session, revoked=True), exchange=exchange)

    def revoke_all(self) -> int:
        """Revoke every session that is valid now and return how many there were."""
        valid = [session for session in self.collection if self.is_valid(session)]
        for session in valid:
            self.revoke(session)
        return len(valid)

    def _show(self, session: Session) -> dict[str, Any]:
        return {
            "client_id": session.client_id,
            "scope": session.scope,
            "issued_at": session.issued_at,
            "expires_at": session.expires_at,
            "revoked": session.revoked,
            "valid": self.is_valid(session),
        }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
