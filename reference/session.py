"""
The ERP session: one access token for all workers, renewed by one of them while the others wait for it.

Source: NetSuite, OAuth 2.0 client credentials flow. The assertion is a JWT signed with PS256 or ES256, by the kind of key; its header
names the certificate, its audience is the address of the token endpoint. `expires_in` comes as a string.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import httpx2

from reference.config import Settings
from reference.log import get_log
from reference.outcomes import Failure, FailureError, Health, Kind

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 -- a path
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME_S = 300
EARLIEST_RENEWAL_S = 60.0
log = get_log("session")


class SessionError(FailureError):
    """No session could be had; `failure` is what that means for the item that needed it."""


class TokenSource(Protocol):
    """Where a send gets its access token."""

    async def token(self) -> str:
        """Return a token believed to be valid, renewing it first if need be; raise `SessionError` when that fails."""

    def reject(self, token: str) -> None:
        """Say that the ERP refused this token; a newer one is left alone."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its life, in epoch seconds."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float

    def is_fresh(self, now: float) -> bool:
        """Tell whether it may be used: not in the last minute of its life, or the last tenth of a short one."""
        return now < self.expires_at - min(EARLIEST_RENEWAL_S, (self.expires_at - self.issued_at) / 10)


class ErpSession:
    """The token shared by everything that talks to the ERP."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> None:
        self._http = http
        self._settings = settings
        self._timeout_s = timeout_s
        self._token: Token | None = None
        self._last: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None

    async def token(self) -> str:
        """Return a valid token; concurrent callers share one renewal, and its failure if it fails."""
        if self._token is not None and self._token.is_fresh(time.time()):
            return self._token.value
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
        # Shielded: one caller being cancelled must not take the renewal away from the others.
        return (await asyncio.shield(self._renewal)).value

    def reject(self, token: str) -> None:
        """Forget `token`, unless it has been replaced meanwhile."""
        if self._token is not None and self._token.value == token:
            self._token = None

    def prepare(self) -> None:
        """Load what signing needs ahead of the first order; may run in a thread."""
        _ = self._key

    def view(self) -> dict[str, object]:
        """Return the session as it is shown to operators."""
        valid = self._token is not None and self._token.is_fresh(time.time())
        expires_at = self._last.expires_at if self._last else None
        return {"system": "erp", "user": self._settings.erp_client_id, "valid": valid, "expires_at": expires_at}

    def view_cache(self) -> dict[str, object]:
        """Return the kept token as the cache it is."""
        return {
            "name": "erp-session",
            "refreshed_at": self._last.issued_at if self._last else None,
            "refreshing": self._renewal is not None and not self._renewal.done(),
            "ttl_s": self._last.expires_at - self._last.issued_at if self._last else None,
        }

    @cached_property
    def _key(self) -> "RSAKey | ECKey":
        # Cryptography is slow to import, and not needed before the first order.
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415

        path = self._settings.erp_private_key_file
        for kind in (RSAKey, ECKey):
            try:
                return kind.import_key(path.read_bytes())
            except (JoseError, ValueError, TypeError, OSError):
                continue
        log.error("private key not readable", path=str(path))
        raise SessionError(Failure(Kind.OTHER, "PRIVATE_KEY", f"no RSA or EC key in {path}"))

    def _build_assertion(self, now: float) -> str:
        from joserfc import jwt  # noqa: PLC0415 -- as for the key

        algorithm = "PS256" if self._key.key_type == "RSA" else "ES256"
        claims = {
            "iss": self._settings.erp_client_id,
            "scope": "rest_webservices",
            "aud": self._settings.erp_url + TOKEN_PATH,
            "iat": int(now),
            "exp": int(now) + ASSERTION_LIFETIME_S,
        }
        header = {"alg": algorithm, "typ": "JWT", "kid": self._settings.erp_certificate_id}
        return jwt.encode(header, claims, self._key, algorithms=[algorithm])

    async def _renew(self) -> Token:
        now = time.time()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._build_assertion(now),
        }
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.post(self._settings.erp_url + TOKEN_PATH, data=form)
        except (httpx2.HTTPError, TimeoutError) as error:
            code = "TIMEOUT" if isinstance(error, TimeoutError) else "CONNECTION"
            raise SessionError(
                Failure(Kind.OTHER, code, f"token request: {type(error).__name__}", Health.DOWN)
            ) from error
        self._token = self._last = _read_token(answer, now)
        log.info("session renewed", expires_in_s=round(self._token.expires_at - now))
        return self._token


def _read_token(answer: httpx2.Response, now: float) -> Token:
    if answer.status_code != 200:
        down = Health.DOWN if answer.status_code == 429 or answer.status_code >= 500 else Health.REFUSED
        raise SessionError(Failure(Kind.OTHER, "TOKEN_REFUSED", f"token request answered {answer.status_code}", down))
    try:
        body = answer.json()
        return Token(str(body["access_token"]), now, now + float(body["expires_in"]))
    except (ValueError, TypeError, KeyError):
        raise SessionError(Failure(Kind.OTHER, "TOKEN_REFUSED", "token answer not understood")) from None
