"""The token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from fakes.erp.errors import TokenRefusalError
from fakes.erp.oauth2 import check_token_request
from fakes.kit.answers import build_json_answer

if TYPE_CHECKING:
    from fakes.erp.access import Gate
    from fakes.erp.keys import PublicKey
    from fakes.erp.sessions import Sessions
    from fakes.kit.answers import Answer
    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange

_FORM = "application/x-www-form-urlencoded"


class TokenEndpoint:
    """Trade a client assertion for an access token."""

    def __init__(self, gate: Gate, sessions: Sessions, key: PublicKey, clock: Clock) -> None:
        self._gate = gate
        self._sessions = sessions
        self._key = key
        self._clock = clock

    def create(self, exchange: Exchange) -> Answer:
        """Answer a token request; `expires_in` is text, as the vendor sends it. Raises TokenRefusalError."""
        settings = self._gate.settings
        scope = check_token_request(_read_form(exchange), settings, self._key, self._clock.wall())
        token = self._sessions.open(settings, scope, exchange)
        grant = {"access_token": token, "expires_in": str(settings.token_lifetime_s), "token_type": "bearer"}
        return build_json_answer(200, grant, headers=[("Cache-Control", "no-store")])


def _read_form(exchange: Exchange) -> dict[str, str]:
    if exchange.media_type != _FORM:
        raise TokenRefusalError("invalid_request", f"The Content-Type must be {_FORM}.")
    try:
        pairs = parse_qsl(exchange.body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise TokenRefusalError("invalid_request", "The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRefusalError("invalid_request", "A parameter is repeated.")
    return form
