"""The ERP fake on loopback, and the two ways to log in to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.fakes.conftest import RunningFake, start_fake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
ORDERS = "/services/rest/record/v1/salesOrder"
CUSTOMERS = "/services/rest/record/v1/customer"
FULFILMENTS = "/services/rest/record/v1/itemFulfillment"
CREDITS = "/services/rest/record/v1/creditMemo"
SUITEQL = "/services/rest/query/v1/suiteql"


def build_claims(url: str, **changes: Any) -> dict[str, Any]:
    """Build the claims of a good assertion; a change to None leaves the claim out."""
    now = int(time.time())
    claims = {
        "iss": "fake-erp-client",
        "scope": "rest_webservices",
        "aud": url + TOKEN_PATH,
        "iat": now,
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def build_form(assertion: str, **changes: str | None) -> dict[str, str]:
    """Build the form of a token request; a change to None leaves the parameter out."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        **changes,
    }
    return {name: value for name, value in form.items() if value is not None}


@dataclass
class Erp:
    """The running fake with a client's key: asks for tokens, calls with them."""

    fake: RunningFake
    key: ECKey | RSAKey
    token: str | None = field(default=None, init=False)

    def sign(self, claims: dict[str, Any] | None = None, *, key: ECKey | RSAKey | None = None, **header: Any) -> str:
        """Sign an assertion; `header` changes its header."""
        head = {"alg": "ES256", "typ": "JWT", "kid": "fake-erp-certificate", **header}
        return jwt.encode(
            head, build_claims(self.fake.url) if claims is None else claims, key or self.key, algorithms=[head["alg"]]
        )

    def request_token(self) -> httpx2.Response:
        """Ask for a token as a good client does."""
        return self.fake.client.post(TOKEN_PATH, data=build_form(self.sign()))

    def login(self) -> str:
        """Get a token, for the calls from here on."""
        self.token = self.request_token().json()["access_token"]
        return self.token

    @property
    def headers(self) -> dict[str, str]:
        """The login of a call; gets a token if there is none."""
        return {"Authorization": f"Bearer {self.token or self.login()}"}

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        """Make a call, logged in."""
        return self.fake.client.request(method, path, headers={**self.headers, **(headers or {})}, **more)

    def put(self, external_id: str, query: str = "", **body: Any) -> httpx2.Response:
        """Upsert an order."""
        return self.call("PUT", f"{ORDERS}/eid:{external_id}{query}", json=body)

    def read(self, external_id: str, **query: str) -> dict[str, Any]:
        """Read an order that is expected to be there."""
        answer = self.call("GET", f"{ORDERS}/eid:{external_id}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fulfil(self, order: str, query: str = "", **body: Any) -> httpx2.Response:
        """Make a fulfilment of an order, named as in a path."""
        return self.call("POST", f"{ORDERS}/{order}/!transform/itemFulfillment{query}", json=body)

    def suiteql(self, q: Any, **more: Any) -> httpx2.Response:
        """Send a query."""
        return self.call("POST", SUITEQL, headers={"Prefer": "transient"}, json={"q": q}, **more)


def error_of(answer: httpx2.Response) -> tuple[int, str, str]:
    """Read an error envelope, checking its shape: status, code, detail."""
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["type"].startswith("https://www.rfc-editor.org/rfc/rfc9110.html#section-15.")
    assert answer.headers["content-type"].startswith("application/vnd.oracle.resource+json; type=error")
    (detail,) = document["o:errorDetails"]
    return answer.status_code, detail["o:errorCode"], detail["detail"]


@pytest.fixture(scope="session")
def erp_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningFake, Path]]:
    """Start the ERP once; it makes its own key pair."""
    path = tmp_path_factory.mktemp("erp") / "client.pem"
    with start_fake("fakes.erp", "--nonce", "tests", "--private-key-out", str(path)) as fake:
        yield fake, path


@pytest.fixture
def erp(erp_process: tuple[RunningFake, Path]) -> Erp:
    """Give an ERP as at the start, with room for any number of calls at once."""
    fake, path = erp_process
    fake.reset()
    return Erp(fake, ECKey.import_key(path.read_bytes()))
