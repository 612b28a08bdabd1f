"""The token endpoint, driven by joserfc as the client."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.fakes.conftest import start_fake
from tests.fakes.erp.conftest import ORDERS, TOKEN_PATH, Erp, build_claims, build_form, error_of


def test_token_is_granted_and_opens_the_record_service(erp: Erp) -> None:
    """A good assertion gets a bearer token, with its life as text, and the token is good for calls."""
    answer = erp.request_token()
    assert answer.status_code == 200
    grant = answer.json()
    assert (grant["token_type"], grant["expires_in"]) == ("bearer", "3600")
    assert grant["access_token"].count(".") == 2
    listed = erp.fake.client.get(ORDERS, headers={"Authorization": f"Bearer {grant['access_token']}"})
    assert listed.status_code == 200


@pytest.mark.parametrize("audience", ["https://tstdrv1-sb1.suitetalk.api.netsuite.com", "http://127.0.0.1:1"])
def test_token_audience_may_name_any_host(erp: Erp, audience: str) -> None:
    """Behind a proxy the client knows the endpoint under another address: only its path must fit."""
    assertion = erp.sign(build_claims(audience))
    assert erp.fake.client.post(TOKEN_PATH, data=build_form(assertion)).status_code == 200


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        ("invalid_client", {"iss": "somebody-else"}),
        ("invalid_client", {"iss": None}),
        ("invalid_grant", {"aud": "https://elsewhere.example/token"}),
        ("invalid_grant", {"aud": None}),
        ("invalid_grant", {"aud": TOKEN_PATH}),
        ("invalid_grant", {"aud": "http://[::1" + TOKEN_PATH}),
        ("invalid_grant", {"iat": 1_000_000_000, "exp": 1_000_000_300}),
        ("invalid_grant", {"exp": int(time.time()) + 86_400}),
        ("invalid_grant", {"iat": 4_000_000_000, "exp": 4_000_000_300}),
        ("invalid_request", {"exp": None}),
        ("invalid_request", {"exp": "soon"}),
        ("invalid_request", {"exp": float("nan")}),
        ("invalid_request", {"iat": True}),
        ("invalid_scope", {"scope": None}),
        ("invalid_scope", {"scope": "everything"}),
        ("invalid_scope", {"scope": []}),
        ("invalid_scope", {"scope": [1]}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_token_claims_are_checked(erp: Erp, error: str, changes: dict[str, Any]) -> None:
    """Each claim that is wrong is refused with 400 and its OAuth error, and opens no session."""
    assertion = erp.sign(build_claims(erp.fake.url, **changes))
    answer = erp.fake.client.post(TOKEN_PATH, data=build_form(assertion))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]
    assert erp.fake.state("sessions") == []


def test_token_assertion_must_be_signed_by_the_certificate(erp: Erp) -> None:
    """A signature by another key, or a certificate id nobody knows, is an invalid client."""
    forged = erp.sign(key=ECKey.generate_key("P-256"))
    unknown = erp.sign(kid="another-certificate")
    for assertion in (forged, unknown):
        answer = erp.fake.client.post(TOKEN_PATH, data=build_form(assertion))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
def test_token_algorithm_must_be_one_the_vendor_takes(erp: Erp, algorithm: str) -> None:
    """RS256 and shared secrets are refused before any signature is looked at."""
    key = RSAKey.generate_key(2048) if algorithm == "RS256" else OctKey.generate_key(256)
    head = {"alg": algorithm, "typ": "JWT", "kid": "fake-erp-certificate"}
    assertion = jwt.encode(head, build_claims(erp.fake.url), key, algorithms=[algorithm])
    answer = erp.fake.client.post(TOKEN_PATH, data=build_form(assertion))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "PS256" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_type": None},
        {"grant_type": "password"},
        {"client_assertion_type": "urn:other"},
        {"client_assertion": None},
        {"client_assertion": "no.jwt"},
        {"client_assertion": "a.b.c"},
        {"client_assertion": "..."},
        {"client_assertion": "W10.e30.AA"},
    ],
    ids=str,
)
def test_token_form_is_checked(erp: Erp, changes: dict[str, str | None]) -> None:
    """What is missing or malformed in the form is an invalid request."""
    answer = erp.fake.client.post(TOKEN_PATH, data=build_form(erp.sign(), **changes))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_token_request_must_be_a_form(erp: Erp) -> None:
    """JSON, repeated parameters and bytes that are no text are invalid requests."""
    form = build_form(erp.sign())
    answers = [
        erp.fake.client.post(TOKEN_PATH, json=form),
        erp.fake.client.post(TOKEN_PATH, data={**form, "grant_type": ["client_credentials", "client_credentials"]}),
        erp.fake.client.post(
            TOKEN_PATH, content=b"\xff=\x00", headers={"Content-Type": "application/x-www-form-urlencoded"}
        ),
    ]
    assert [(each.status_code, each.json()["error"]) for each in answers] == [(400, "invalid_request")] * 3


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_token_takes_an_rsa_certificate(algorithm: str, rsa_erp: Erp) -> None:
    """With an RSA key the PS family signs; one fake serves one certificate."""
    answer = rsa_erp.fake.client.post(TOKEN_PATH, data=build_form(rsa_erp.sign(alg=algorithm)))
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def rsa_erp(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start an ERP that is given a public key in a file, and other account names by flag."""
    folder = tmp_path_factory.mktemp("rsa")
    key = RSAKey.generate_key(2048)
    (folder / "public.pem").write_bytes(key.as_pem(private=False))
    with start_fake("fakes.erp", "--public-key", str(folder / "public.pem")) as fake:
        yield Erp(fake, key)


def test_sessions_show_their_life_but_no_token(erp: Erp) -> None:
    """The control plane and the journal show each session, and the token nowhere."""
    token = erp.login()
    (session,) = erp.fake.state("sessions")
    assert session["client_id"] == "fake-erp-client"
    assert session["expires_at"] - session["issued_at"] == pytest.approx(3600)
    assert (session["valid"], session["revoked"], session["entity"]) == (True, False, None)
    assert token not in str(erp.fake.journal())


def test_expire_sessions_ends_every_token_and_nothing_else(erp: Erp) -> None:
    """Tokens issued so far stop working and are counted once; a new one works; records stay."""
    old = [erp.login(), erp.login()]
    erp.put("SO-1", memo="kept")
    assert erp.fake.act("expire-sessions") == {"expired": 2}
    assert erp.fake.act("expire-sessions") == {"expired": 0}
    for token in old:
        answer = erp.fake.client.get(ORDERS, headers={"Authorization": f"Bearer {token}"})
        assert error_of(answer)[:2] == (401, "INVALID_LOGIN")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    erp.login()
    assert erp.read("SO-1")["memo"] == "kept"


def test_token_ends_with_its_lifetime(erp: Erp) -> None:
    """A token is refused once its life is over, on the real clock."""
    erp.fake.seed(settings={"token_lifetime_s": 1})
    answer = erp.request_token()
    assert answer.json()["expires_in"] == "1"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    deadline = time.monotonic() + 20
    while erp.fake.client.get(ORDERS, headers=headers).status_code == 200:
        assert time.monotonic() < deadline, "the token never expired"
    assert error_of(erp.fake.client.get(ORDERS, headers=headers))[:2] == (401, "INVALID_LOGIN")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer unknown"}, {"Authorization": "Bearer"}, {"Authorization": "Basic Og=="}],
    ids=str,
)
def test_strangers_are_refused(erp: Erp, headers: dict[str, str]) -> None:
    """Without a token that was issued every path but the token endpoint's answers 401."""
    for path in (ORDERS, f"{ORDERS}/1", "/services/rest/query/v1/suiteql", "/nowhere"):
        answer = erp.fake.client.get(path, headers=headers)
        assert error_of(answer)[:2] == (401, "INVALID_LOGIN")
        assert answer.headers["WWW-Authenticate"].startswith('OAuth realm="TSTDRV1_SB1", error="invalid_token"')
