"""
OAuth 2.0 client credentials: what the token endpoint asks of a client assertion.

Source: NetSuite help, "The Request Token Structure" and "POST Request to the Token Endpoint".
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.util import to_bytes, urlsafe_b64decode

from fakes.erp.errors import TokenRefusalError
from fakes.erp.keys import PublicKey
from fakes.erp.settings import Settings

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 -- a path
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SCOPES = frozenset({"rest_webservices", "restlets", "suite_analytics"})
LONGEST_ASSERTION_S = 3600
CLOCK_SKEW_S = 60


def check_token_request(form: Mapping[str, str], settings: Settings, key: PublicKey, now: float) -> str:
    """
    Check a token request against the vendor's rules and return the granted scope, comma-separated.

    Raises TokenRefusalError: `invalid_request` for what is missing or malformed, `invalid_client` for an unknown client, certificate or a
    bad signature, `invalid_grant` for an assertion addressed elsewhere or out of its time, `invalid_scope`.
    """
    if form.get("grant_type") != "client_credentials":
        raise TokenRefusalError("invalid_request", "The grant_type must be client_credentials.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefusalError("invalid_request", f"The client_assertion_type must be {ASSERTION_TYPE}.")
    assertion = form.get("client_assertion", "")
    _check_header(_decode_header(assertion), settings)
    claims = _decode_claims(assertion, key)
    if claims.get("iss") != settings.client_id:
        raise TokenRefusalError("invalid_client", "The issuer of the client assertion is not a known client.")
    _check_audience(claims.get("aud"))
    _check_times(claims, now)
    return _check_scope(claims.get("scope"))


def _decode_header(assertion: str) -> dict[str, Any]:
    try:
        head, _, _ = assertion.split(".")
        header = json.loads(urlsafe_b64decode(to_bytes(head)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise TokenRefusalError("invalid_request", "The client_assertion is not a JSON Web Token.")
    return header


def _check_header(header: dict[str, Any], settings: Settings) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefusalError(
            "invalid_request", f"The algorithm of the client assertion must be one of {', '.join(ALGORITHMS)}."
        )
    if str(header.get("typ", "")).upper() != "JWT":
        raise TokenRefusalError("invalid_request", "The type of the client assertion must be JWT.")
    if header.get("kid") != settings.certificate_id:
        raise TokenRefusalError(
            "invalid_client", "The kid of the client assertion names no certificate of this client."
        )


def _decode_claims(assertion: str, key: PublicKey) -> dict[str, Any]:
    try:
        claims = jwt.decode(assertion, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefusalError(
            "invalid_client", "The signature of the client assertion could not be verified."
        ) from error
    if not isinstance(claims, dict):
        raise TokenRefusalError("invalid_request", "The client assertion carries no claims.")
    return claims


def _check_audience(audience: Any) -> None:
    # Host and port are left out: the client's address of the endpoint may be that of a proxy in front of it.
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and _path_of(each) == TOKEN_PATH for each in audiences):
        raise TokenRefusalError("invalid_grant", "The audience of the client assertion is not this token endpoint.")


def _path_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.path if parts.scheme in {"http", "https"} and parts.netloc else None


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = _read_time(claims, "iat"), _read_time(claims, "exp")
    if issued > now + CLOCK_SKEW_S:
        raise TokenRefusalError("invalid_grant", "The client assertion was issued in the future.")
    if expires <= now:
        raise TokenRefusalError("invalid_grant", "The client assertion has expired.")
    if expires - issued > LONGEST_ASSERTION_S:
        raise TokenRefusalError("invalid_grant", "The client assertion is valid for more than 60 minutes.")


def _read_time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TokenRefusalError("invalid_request", f"The client assertion must carry {name} as a number of seconds.")
    return float(value)


def _check_scope(scope: Any) -> str:
    asked = scope.split(",") if isinstance(scope, str) else scope
    if not isinstance(asked, list) or not asked or not all(isinstance(each, str) for each in asked):
        raise TokenRefusalError("invalid_scope", "The client assertion must carry a scope.")
    names = [each.strip() for each in asked]
    if not SCOPES.issuperset(names):
        raise TokenRefusalError("invalid_scope", f"The scope must be some of {', '.join(sorted(SCOPES))}.")
    return ",".join(names)
