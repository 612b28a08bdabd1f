"""The ERP session: signed as the vendor wants it, shared, renewed once."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from reference_service import make_order
from reference_vendors import Reply

from reference.config import read_settings
from reference.session import ErpSession, SessionError

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http():
    """Open an HTTP client."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def session(http, environment):
    """Make a session that has not been opened yet."""
    return ErpSession(http, read_settings(environment), timeout_s=20.0)


def write_key(path: Path, key) -> Path:
    """Write a private key as the integration gets it."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return path


@pytest.mark.parametrize(
    ("key", "kind", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), ECKey, "ES256"),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), RSAKey, "PS256"),
    ],
    ids=["ec", "rsa"],
)
async def test_the_assertion_is_signed_for_the_token_endpoint(
    http, environment, vendors, tmp_path, key, kind, algorithm
):
    """The assertion names client, scope, audience and certificate, and its signature fits the key, whatever kind it is."""
    path = write_key(tmp_path / "other.pem", key)
    session = ErpSession(http, read_settings(environment | {"ERP_PRIVATE_KEY_FILE": str(path)}), timeout_s=20.0)
    assert await session.token() == "token-1"

    decoded = jwt.decode(vendors.assertions[0], kind.import_key(path.read_bytes()), algorithms=[algorithm])
    assert decoded.header == {"alg": algorithm, "typ": "JWT", "kid": "certificate-1"}
    assert decoded.claims["iss"] == "client-1"
    assert decoded.claims["scope"] == "rest_webservices"
    assert decoded.claims["aud"] == f"{vendors.url}/erp/services/rest/auth/oauth2/v1/token"
    assert 0 < decoded.claims["exp"] - decoded.claims["iat"] < 3600


async def test_concurrent_callers_share_one_renewal(session, vendors):
    """However many need a token at once, one asks for it."""
    assert set(await asyncio.gather(*(session.token() for _ in range(20)))) == {"token-1"}
    assert len(vendors.assertions) == 1


async def test_a_failed_renewal_fails_all_who_waited_and_is_tried_anew(session, vendors):
    """A failure is shared as a success is, and the next caller tries again."""
    vendors.token_replies = [Reply(500, {"error": "server_error"})]
    results = await asyncio.gather(*(session.token() for _ in range(5)), return_exceptions=True)

    assert {type(result) for result in results} == {SessionError}
    assert len(vendors.assertions) == 1
    assert await session.token() == "token-2"


async def test_a_cancelled_caller_leaves_the_renewal_to_the_others(session, vendors):
    """One caller giving up does not take the token away from the rest."""
    vendors.open_gate.clear()
    first, second = asyncio.create_task(session.token()), asyncio.create_task(session.token())
    await asyncio.to_thread(vendors.wait, lambda: vendors.assertions)
    first.cancel()
    vendors.open_gate.set()

    assert await second == "token-1"


async def test_rejecting_a_replaced_token_changes_nothing(session, vendors):
    """A late refusal of an old token leaves the new one in use."""
    old = await session.token()
    session.reject(old)
    new = await session.token()
    session.reject(old)

    assert await session.token() == new == "token-2"
    assert len(vendors.assertions) == 2


@pytest.mark.parametrize(
    "body", [{"access_token": "t"}, {"expires_in": "3600"}, [], b"<html>", {"access_token": "t", "expires_in": "soon"}]
)
async def test_a_token_answer_that_is_not_understood_is_a_failure(session, vendors, body):
    """Nonsense from the token endpoint is no session."""
    vendors.token_replies = [Reply(200, body)]
    with pytest.raises(SessionError):
        await session.token()


async def test_a_short_lived_token_is_renewed_before_its_end(session, vendors):
    """A token is not used in the last tenth of a short life."""
    vendors.token_replies = [Reply(200, {"access_token": "brief", "expires_in": "0"})]
    assert await session.token() == "brief"
    assert await session.token() == "token-2"


async def test_an_unreadable_key_is_a_failure_not_a_crash(http, environment, tmp_path):
    """A file that holds no key of a known kind leaves the service running, with a session it cannot open."""
    path = tmp_path / "key.pem"
    path.write_text("no key at all")
    session = ErpSession(http, read_settings(environment | {"ERP_PRIVATE_KEY_FILE": str(path)}), timeout_s=20.0)
    with pytest.raises(SessionError, match="no RSA or EC key"):
        await session.token()


def test_workers_renew_an_expired_session_once(service, vendors):
    """When the vendor revokes the token under several workers, one renewal serves them all."""
    service.deliver(make_order(1000))
    vendors.wait(lambda: vendors.records["SHP-1000"])
    vendors.open_gate.clear()
    for number in range(1001, 1005):
        service.deliver(make_order(number))
    vendors.wait(lambda: len(vendors.arrived) == 5)
    vendors.tokens.clear()
    vendors.open_gate.set()
    vendors.wait(lambda: all(vendors.records[f"SHP-{number}"] for number in range(1001, 1005)))

    puts = [call.status for call in vendors.calls if call.method == "PUT"]
    assert puts[1:5] == [401] * 4
    assert len(vendors.assertions) == 2
    assert service.letters() == []
