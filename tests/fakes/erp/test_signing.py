"""Signed calls (OAuth 1.0), with oauthlib as the signing client."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from fakes.erp.settings import Settings
from fakes.erp.signing import Nonces, SignedCall, check_signature, read_parameters
from tests.fakes.erp.conftest import ORDERS, Erp, error_of

SETTINGS = Settings()


def sign(url: str, method: str = "GET", body: str = "", **changes: Any) -> str:
    """Sign a call as a client of the account would; `changes` go to the signing client."""
    given = {
        "client_key": SETTINGS.client_id,
        "client_secret": SETTINGS.client_secret,
        "resource_owner_key": SETTINGS.token_id,
        "resource_owner_secret": SETTINGS.token_secret,
        "realm": SETTINGS.account,
        "signature_method": SIGNATURE_HMAC_SHA256,
        **changes,
    }
    headers = {"Content-Type": "application/json"} if body else {}
    _, signed, _ = Client(**given).sign(url, method, body or None, headers)
    return signed["Authorization"]


@pytest.mark.parametrize("query", ["", "?limit=5&offset=0", "?q=memo%20IS%20%22a+b%22&fields=", "?a=1&a=2"])
def test_signed_call_is_let_in(erp: Erp, query: str) -> None:
    """A call signed over the URL the client used is known, whatever its query."""
    url = f"{erp.fake.url}{ORDERS}{query}"
    answer = erp.fake.client.get(url, headers={"Authorization": sign(url)})
    assert answer.status_code != 401, answer.text


def test_signature_covers_the_host_the_client_used(erp: Erp) -> None:
    """Behind a proxy the Host header names the proxy: that is the URL that was signed."""
    authorization = sign(f"http://tap.example:4711{ORDERS}")
    answer = erp.fake.client.get(ORDERS, headers={"Authorization": authorization, "Host": "tap.example:4711"})
    assert answer.status_code == 200
    assert (
        erp.fake.client.get(ORDERS, headers={"Authorization": sign(f"http://tap.example:4711{ORDERS}")}).status_code
        == 401
    )


def test_signed_body_is_hashed(erp: Erp) -> None:
    """The body hash a client sends must be that of the body that arrives."""
    url, body = f"{erp.fake.url}{ORDERS}", '{"externalId": "SO-9"}'
    for sent, status in ((body, 204), (body.replace("9", "8"), 401)):
        headers = {"Authorization": sign(url, "POST", body), "Content-Type": "application/json"}
        assert erp.fake.client.post(url, content=sent, headers=headers).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"client_key": "another"},
        {"client_secret": "another"},
        {"resource_owner_key": "another"},
        {"resource_owner_secret": "another"},
        {"realm": "ANOTHER"},
        {"realm": "tstdrv1_sb1"},
        {"signature_method": SIGNATURE_HMAC_SHA1},
        {"timestamp": str(int(time.time()) - 3600)},
        {"timestamp": str(int(time.time()) + 3600)},
        {"timestamp": "now"},
        {"nonce": ""},
    ],
    ids="-".join,
)
def test_wrong_signature_is_an_invalid_login(erp: Erp, changes: dict[str, str]) -> None:
    """Any wrong part of a signature gets the vendor's 401, with `token_rejected`."""
    url = f"{erp.fake.url}{ORDERS}"
    answer = erp.fake.client.get(url, headers={"Authorization": sign(url, **changes)})
    assert error_of(answer)[:2] == (401, "INVALID_LOGIN")
    assert answer.headers["WWW-Authenticate"] == (
        'OAuth realm="TSTDRV1_SB1", error="token_rejected", error_description="Invalid login attempt."'
    )


def test_nonce_is_good_once(erp: Erp) -> None:
    """The same signed call sent again is refused."""
    url = f"{erp.fake.url}{ORDERS}"
    headers = {"Authorization": sign(url)}
    assert [erp.fake.client.get(url, headers=headers).status_code for _ in range(2)] == [200, 401]


def test_expire_sessions_leaves_signed_calls_alone(erp: Erp) -> None:
    """Tokens for signing are no sessions: they go on working."""
    erp.fake.act("expire-sessions")
    url = f"{erp.fake.url}{ORDERS}"
    assert erp.fake.client.get(url, headers={"Authorization": sign(url)}).status_code == 200


def call(authorization: str, body: bytes = b"") -> SignedCall:
    """Build a call for the check itself."""
    return SignedCall("POST", "erp.example", ORDERS, "", body, is_form=False, authorization=authorization)


def test_signature_over_https_is_taken_behind_a_tls_proxy() -> None:
    """The scheme the client used is not visible behind a proxy that ends TLS: both are tried."""
    for scheme in ("http", "https"):
        authorization = sign(f"{scheme}://erp.example{ORDERS}", "POST")
        assert check_signature(call(authorization), SETTINGS, Nonces(), time.time())
    assert not check_signature(call(sign(f"ftp://erp.example{ORDERS}", "POST")), SETTINGS, Nonces(), time.time())


def test_form_parameters_are_part_of_the_signature() -> None:
    """A form body is signed parameter by parameter."""
    url = f"http://erp.example{ORDERS}"
    client = Client(
        SETTINGS.client_id,
        client_secret=SETTINGS.client_secret,
        resource_owner_key=SETTINGS.token_id,
        resource_owner_secret=SETTINGS.token_secret,
        realm=SETTINGS.account,
        signature_method=SIGNATURE_HMAC_SHA256,
    )
    _, headers, body = client.sign(url, "POST", "a=1&b=2", {"Content-Type": "application/x-www-form-urlencoded"})
    for sent, fits in ((body, True), ("a=1&b=3", False)):
        signed = SignedCall("POST", "erp.example", ORDERS, "", sent.encode(), True, headers["Authorization"])
        assert check_signature(signed, SETTINGS, Nonces(), time.time()) is fits


def test_body_hash_is_optional_but_never_ignored() -> None:
    """Clients that send no body hash are let in; a wrong one is not."""
    url = f"http://erp.example{ORDERS}"
    right = base64.b64encode(hashlib.sha1(b"{}", usedforsecurity=False).digest()).decode()
    assert right in sign(url, "POST", "{}").replace("%3D", "=").replace("%2F", "/").replace("%2B", "+")
    assert check_signature(call(sign(url, "POST"), b"{}"), SETTINGS, Nonces(), time.time())
    assert not check_signature(call(sign(url, "POST", "{}"), b"{} "), SETTINGS, Nonces(), time.time())


@given(st.text(max_size=200))
def test_any_header_is_read_or_refused(text: str) -> None:
    """No header, however broken, does more than fail the check."""
    read_parameters(f"OAuth {text}")
    assert not check_signature(call(f"OAuth {text}"), SETTINGS, Nonces(), time.time())


def test_nonces_are_forgotten_after_the_window() -> None:
    """Nonces outside the timestamp window make room for new ones, those within are still refused."""
    nonces = Nonces()
    assert all(nonces.use(str(n), 0, now=0) for n in range(10_001))
    assert nonces.use("fresh", 1000, now=1000)
    assert not nonces.use("fresh", 1000, now=1001)
    assert nonces.use("1", 0, now=1001)
