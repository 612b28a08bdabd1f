"""Who may call: bearer tokens and signed calls told from strangers, before any record is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.erp.errors import build_login_refusal
from fakes.erp.oauth2 import TOKEN_PATH
from fakes.erp.signing import Nonces, SignedCall, check_signature
from fakes.kit.answers import RefusedError

if TYPE_CHECKING:
    from fakes.erp.pool import Pool
    from fakes.erp.sessions import Session, Sessions
    from fakes.erp.settings import Settings
    from fakes.kit.answers import Answer
    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange

_BEARER = "bearer "
_SIGNED = "oauth "


class Gate:
    """Let a call in, or refuse it: first the login, then the account's pool. The token endpoint is open to all."""

    def __init__(self, settings: Settings, sessions: Sessions, pool: Pool, clock: Clock) -> None:
        self.settings = settings
        self._sessions = sessions
        self._pool = pool
        self._clock = clock
        self._nonces = Nonces()

    def reset(self) -> None:
        """Forget the nonces used so far."""
        self._nonces = Nonces()

    def check(self, exchange: Exchange) -> None:
        """Raise RefusedError with a 401 or 429 when the call may not go on."""
        if exchange.path == TOKEN_PATH:
            return
        if not self._knows(exchange):
            raise RefusedError(self.build_expired(exchange))
        self._pool.admit(exchange)

    def session_of(self, exchange: Exchange) -> Session | None:
        """Find the session whose bearer token a call carries, valid or not; None for signed and anonymous calls."""
        given = _authorization(exchange)
        return self._sessions.find(given[len(_BEARER) :].strip()) if given.lower().startswith(_BEARER) else None

    def build_expired(self, exchange: Exchange) -> Answer:
        """Build the 401 this call gets when its login is not good: the challenge differs between tokens and signatures."""
        is_signed = _authorization(exchange).lower().startswith(_SIGNED)
        error = "token_rejected" if is_signed else "invalid_token"
        return build_login_refusal(self.settings.account, error=error)

    def _knows(self, exchange: Exchange) -> bool:
        given = _authorization(exchange)
        if given.lower().startswith(_SIGNED):
            return check_signature(_build_signed(exchange, given), self.settings, self._nonces, self._clock.wall())
        session = self.session_of(exchange)
        return session is not None and self._sessions.is_valid(session)


def _authorization(exchange: Exchange) -> str:
    return exchange.headers.get("authorization", "")


def _build_signed(exchange: Exchange, authorization: str) -> SignedCall:
    return SignedCall(
        method=exchange.method,
        host=exchange.host,
        path=exchange.path,
        query=exchange.query_string,
        body=exchange.body,
        is_form=exchange.media_type == "application/x-www-form-urlencoded",
        authorization=authorization,
    )
