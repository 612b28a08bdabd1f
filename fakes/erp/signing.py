"""
Token-based authentication: OAuth 1.0 signatures over each call (RFC 5849), HMAC-SHA256 only.

Source: NetSuite help, "The Signature for Web Services and RESTlets"; the body hash follows the OAuth Request Body Hash draft, as
clients built on Authlib send it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from oauthlib.oauth1.rfc5849 import signature

from fakes.erp.settings import Settings

TIMESTAMP_WINDOW_S = 300
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What a signature covers: the method, the URL as the client wrote it, the body, and the Authorization header."""

    method: str
    host: str
    path: str
    query: str
    body: bytes
    is_form: bool
    authorization: str


@dataclass(frozen=True, slots=True)
class _Signed:
    """The shape in which oauthlib takes a request to verify."""

    http_method: str
    uri: str
    params: list[tuple[str, str]]
    signature: str


class Nonces:
    """The nonces seen within the timestamp window: each may be used once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], float] = {}

    def use(self, nonce: str, timestamp: int, now: float) -> bool:
        """Note the nonce as used; False when it was used before with the same timestamp."""
        if (nonce, timestamp) in self._seen:
            return False
        if len(self._seen) > 10_000:
            self._seen = {key: at for key, at in self._seen.items() if at > now - 2 * TIMESTAMP_WINDOW_S}
        self._seen[nonce, timestamp] = now
        return True


def read_parameters(authorization: str) -> dict[str, str] | None:
    """Read the parameters of an `OAuth …` header; None when the header is malformed or repeats one."""
    text = authorization[len("OAuth ") :]
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None or match[1] in found:
            return None
        found[match[1]] = unquote(match[2])
        at = match.end()
    return found


def check_signature(call: SignedCall, settings: Settings, nonces: Nonces, now: float) -> bool:
    """
    Tell whether `call` is signed by the account's token.

    The realm must be the account, the keys those issued, the timestamp within five minutes, the nonce fresh, the body hash (where one
    is sent) that of the body, and the signature right for the URL the client used.
    """
    given = read_parameters(call.authorization)
    if given is None or not _is_for(given, settings):
        return False
    timestamp = given.get("oauth_timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    if abs(now - int(timestamp)) > TIMESTAMP_WINDOW_S or not given.get("oauth_nonce"):
        return False
    return (
        _check_body_hash(given, call.body)
        and _verify(call, given, settings)
        and nonces.use(given["oauth_nonce"], int(timestamp), now)
    )


def _is_for(given: Mapping[str, str], settings: Settings) -> bool:
    return (
        given.get("realm") == settings.account
        and given.get("oauth_consumer_key") == settings.client_id
        and given.get("oauth_token") == settings.token_id
        and given.get("oauth_signature_method") == "HMAC-SHA256"
        and given.get("oauth_version", "1.0") == "1.0"
    )


def _check_body_hash(given: Mapping[str, str], body: bytes) -> bool:
    sent = given.get("oauth_body_hash")
    if sent is None:
        return True
    actual = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return hmac.compare_digest(actual.encode(), sent.encode())


def _verify(call: SignedCall, given: Mapping[str, str], settings: Settings) -> bool:
    params = parse_qsl(call.query, keep_blank_values=True)
    if call.is_form:
        params += parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    params += [(name, value) for name, value in given.items() if name not in {"realm", "oauth_signature"}]
    # A TLS-terminating proxy may stand in front: the client then signed https although http arrives here.
    for scheme in ("http", "https"):
        signed = _Signed(call.method, f"{scheme}://{call.host}{call.path}", params, given.get("oauth_signature", ""))
        try:
            if signature.verify_hmac_sha256(signed, settings.client_secret, settings.token_secret):
                return True
        except ValueError:
            return False
    return False
