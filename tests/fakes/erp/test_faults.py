"""Every kind of fault, in this vendor's words."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.fakes.erp.conftest import CREDITS, CUSTOMERS, FULFILMENTS, ORDERS, TOKEN_PATH, Erp, error_of

UPSERT = "sales_order.upsert"


def externals(erp: Erp) -> list[str]:
    """Return the external ids of all orders."""
    return [row["external_id"] for row in erp.fake.state("sales_orders")]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "USER_ERROR"),
        (401, "INVALID_LOGIN"),
        (403, "INSUFFICIENT_PERMISSION"),
        (404, "NONEXISTENT_ID"),
        (418, "USER_ERROR"),
        (429, "CONCURRENCY_LIMIT_EXCEEDED"),
        (500, "UNEXPECTED_ERROR"),
        (503, "UNEXPECTED_ERROR"),
        (599, "UNEXPECTED_ERROR"),
    ],
)
def test_status_comes_in_the_envelope(erp: Erp, status: int, code: str) -> None:
    """Any status is answered in the error envelope; nothing is written; the journal tells the fault."""
    erp.fake.arm("status", operation=UPSERT, attempts=[1], params={"status": status})
    answer = erp.put("SO-1")
    assert error_of(answer)[:2] == (status, code)
    assert "Retry-After" not in answer.headers
    assert externals(erp) == []
    assert erp.put("SO-1").status_code == 204
    first, second = [entry for entry in erp.fake.journal("exchange") if entry["operation"] == UPSERT]
    assert (first["status"], first["code"], first["faults"], first["key"]) == (status, code, ["f1"], "SO-1")
    assert (second["status"], second["faults"]) == (204, [])


def test_status_sends_retry_after_when_asked(erp: Erp) -> None:
    """The vendor has no Retry-After of its own; a fault may ask for one."""
    erp.fake.arm("status", operation=UPSERT, params={"status": 503, "retry_after_s": 2})
    assert erp.put("SO-1").headers["Retry-After"] == "2"


@pytest.mark.parametrize("commit", [False, True])
def test_error_may_come_after_the_write(erp: Erp, commit: bool) -> None:
    """With commit the call is carried out first: the record is there although the answer says no."""
    params = {"code": "USER_ERROR", "text": "This record already exists.", "commit": commit}
    erp.fake.arm("error", operation=UPSERT, attempts=[1], params=params)
    assert error_of(erp.put("SO-1")) == (400, "USER_ERROR", "This record already exists.")
    assert externals(erp) == (["SO-1"] if commit else [])


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        ("USER_ERROR", 400, "This record already exists."),
        ("UNEXPECTED_ERROR", 500, "An unexpected error occurred."),
        ("CONCURRENCY_LIMIT_EXCEEDED", 429, "Concurrent request limit exceeded. Request blocked."),
        ("RCRD_HAS_BEEN_CHANGED", 400, "Record has been changed."),
        ("RESTRICTED_PRODUCT", 400, "Error while accessing a resource."),
    ],
)
def test_error_by_code_has_the_vendors_status_and_text(erp: Erp, code: str, status: int, text: str) -> None:
    """A known code comes with its status and text, one of the account's own scripts with 400."""
    erp.fake.arm("error", operation=UPSERT, params={"code": code})
    given = error_of(erp.put("SO-1"))
    assert given[:2] == (status, code)
    assert text in given[2]


def test_error_on_a_customer_speaks_of_an_entity(erp: Erp) -> None:
    """The usual duplicate text fits the record type the call was about."""
    erp.fake.arm("error", operation="customer.create", params={"code": "USER_ERROR"})
    assert error_of(erp.call("POST", CUSTOMERS, json={}))[2].endswith("This entity already exists.")


def test_rate_limited_is_the_vendors_429(erp: Erp) -> None:
    """429 keeps the title Bad Request and has no Retry-After."""
    erp.fake.arm("rate_limited", operation=UPSERT, attempts=[1])
    answer = erp.put("SO-1")
    assert error_of(answer)[:2] == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    assert answer.json()["title"] == "Bad Request"
    assert "Retry-After" not in answer.headers


def test_session_expired_revokes_the_token_that_was_used(erp: Erp) -> None:
    """The call gets the 401, its token is dead from then on, other tokens live."""
    other = erp.login()
    used = erp.login()
    erp.fake.arm("session_expired", operation=UPSERT, count=1)
    answer = erp.put("SO-1")
    assert error_of(answer)[:2] == (401, "INVALID_LOGIN")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    statuses = [
        erp.fake.client.get(ORDERS, headers={"Authorization": f"Bearer {token}"}).status_code for token in (used, other)
    ]
    assert statuses == [401, 200]
    assert [row["valid"] for row in erp.fake.state("sessions")] == [True, False]
    erp.login()
    assert erp.put("SO-1").status_code == 204


@pytest.mark.parametrize(("kind", "params"), [("status", {"status": 401}), ("error", {"code": "INVALID_LOGIN"})])
def test_bare_401_leaves_the_session_alone(erp: Erp, kind: str, params: dict[str, Any]) -> None:
    """A login refused for no reason looks like an expired one, challenge included, but the token goes on working."""
    erp.fake.arm(kind, operation=UPSERT, count=1, params=params)
    answer = erp.put("SO-1")
    assert error_of(answer)[:2] == (401, "INVALID_LOGIN")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert erp.put("SO-1").status_code == 204


def test_permission_denied_is_the_vendors_403(erp: Erp) -> None:
    """A missing permission is INSUFFICIENT_PERMISSION, and the session stays good."""
    erp.fake.arm("permission_denied", operation=UPSERT, count=1)
    assert error_of(erp.put("SO-1"))[:2] == (403, "INSUFFICIENT_PERMISSION")
    assert erp.put("SO-1").status_code == 204


@pytest.mark.parametrize("mutation", ["html", "truncated", "not_json", "empty"])
@pytest.mark.parametrize("commit", [False, True])
def test_malformed_is_a_2xx_that_cannot_be_understood(erp: Erp, mutation: str, commit: bool) -> None:
    """Instead of 204 comes a 200 with something else; whether the write happened is the fault's choice."""
    erp.fake.arm("malformed", operation=UPSERT, count=1, params={"mutation": mutation, "commit": commit})
    answer = erp.put("SO-1")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".*"):
        answer.json()
    assert externals(erp) == (["SO-1"] if commit else [])


def test_not_persisted_says_done_and_writes_nothing(erp: Erp) -> None:
    """The answer is the usual one, with a Location; the record is nowhere."""
    erp.fake.arm("not_persisted", operation=UPSERT, count=1)
    answer = erp.put("SO-1")
    assert answer.status_code == 204
    assert error_of(erp.call("GET", answer.headers["Location"]))[:2] == (404, "NONEXISTENT_ID")
    assert error_of(erp.call("GET", f"{ORDERS}/eid:SO-1"))[:2] == (404, "NONEXISTENT_ID")
    assert erp.fake.journal("change")[1:] == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_not_persisted_leaves_a_record_as_it_was(erp: Erp, method: str) -> None:
    """Changes and deletions that are not persisted leave the record alone."""
    erp.put("SO-1", memo="kept")
    erp.fake.arm("not_persisted", count=1)
    body: dict[str, Any] = {"json": {"memo": "lost"}} if method == "PATCH" else {}
    assert erp.call(method, f"{ORDERS}/eid:SO-1", **body).status_code == 204
    assert erp.read("SO-1")["memo"] == "kept"


def test_lost_response_commits_and_resets(erp: Erp) -> None:
    """The record is written, the client sees a reset, the journal that no answer left."""
    erp.login()
    erp.fake.arm("lost_response", operation=UPSERT, count=1, params={"how": "reset"})
    with pytest.raises(httpx2.HTTPError):
        erp.put("SO-1")
    (entry,) = erp.fake.wait_for(lambda each: each["type"] == "exchange" and each["operation"] == UPSERT)
    assert (entry["status"], entry["answered_mono"]) == (None, None)
    assert externals(erp) == ["SO-1"]


def test_lost_response_that_hangs_gives_its_place_back(erp: Erp) -> None:
    """A call whose answer never leaves is done for the vendor: it no longer counts against the pool."""
    erp.login()
    erp.fake.seed(settings={"concurrency": 1})
    erp.fake.arm("lost_response", operation=UPSERT, count=1, params={"how": "hang"})
    with httpx2.Client(base_url=erp.fake.url) as client, pytest.raises(httpx2.ReadTimeout):
        client.put(f"{ORDERS}/eid:SO-1", json={}, headers=erp.headers, timeout=0.3)
    assert externals(erp) == ["SO-1"]
    assert erp.call("GET", ORDERS).status_code == 200


def test_delay_answers_late_but_rightly(erp: Erp) -> None:
    """The call is carried out and its answer held back."""
    erp.fake.arm("delay", operation=UPSERT, params={"seconds": 0.3})
    answer = erp.put("SO-1")
    assert answer.status_code == 204
    assert answer.elapsed.total_seconds() >= 0.29


def transform(erp: Erp) -> httpx2.Response:
    """Fulfil SO-1 whole, as IF-1."""
    return erp.fulfil("eid:SO-1", externalId="IF-1")


def credit(erp: Erp) -> httpx2.Response:
    """Upsert a credit memo of SO-1."""
    return erp.call("PUT", f"{CREDITS}/eid:CM-1", json={"createdFrom": {"externalId": "SO-1"}})


NEW_CALLS = [
    ("item_fulfillment.transform", "item_fulfillments", transform, "Transactions -> Item Fulfillment"),
    ("credit_memo.upsert", "credit_memos", credit, "Transactions -> Credit Memo"),
]


@pytest.fixture
def ordered(erp: Erp) -> Erp:
    """Bring in SO-1, of one line."""
    line = {"item": {"externalId": "TEE"}, "quantity": 2, "rate": 5}
    erp.fake.seed(records={"sales_orders": [{"externalId": "SO-1", "item": {"items": [line]}}]})
    return erp


@pytest.mark.parametrize(("operation", "collection", "send", "permission"), NEW_CALLS, ids=["transform", "credit"])
def test_faults_meet_the_calls_of_the_chain(
    ordered: Erp, operation: str, collection: str, send: Any, permission: str
) -> None:
    """Session, permission, pool, script and silent failure in turn: each answers as the vendor does and writes nothing; then all is well."""
    erp = ordered
    erp.login()
    for fault_id, kind, params in (
        ("f1", "session_expired", {}),
        ("f2", "permission_denied", {}),
        ("f3", "rate_limited", {}),
        ("f4", "error", {"code": "RESTRICTED_PRODUCT", "text": "This product may not be sold."}),
        ("f5", "error", {"code": "USER_ERROR"}),
        ("f6", "not_persisted", {}),
    ):
        erp.fake.arm(kind, fault_id, operation=operation, entities=["SO-1"], count=1, params=params)
    assert error_of(send(erp))[:2] == (401, "INVALID_LOGIN")
    assert erp.call("GET", ORDERS).status_code == 401
    erp.login()
    denied = error_of(send(erp))
    assert denied[:2] == (403, "INSUFFICIENT_PERMISSION")
    assert permission in denied[2]
    assert error_of(send(erp))[:2] == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    assert error_of(send(erp)) == (400, "RESTRICTED_PRODUCT", "This product may not be sold.")
    assert error_of(send(erp))[2].endswith("This record already exists.")
    silent = send(erp)
    assert silent.status_code == 204
    assert error_of(erp.call("GET", silent.headers["Location"]))[:2] == (404, "NONEXISTENT_ID")
    assert (erp.fake.state(collection), erp.fake.state("sales_orders")[0]["revision"]) == ([], 1)
    assert send(erp).status_code == 204
    assert [row["entity"] for row in erp.fake.state(collection)] == ["SO-1"]


@pytest.mark.parametrize(
    ("operation", "collection", "send"), [each[:3] for each in NEW_CALLS], ids=["transform", "credit"]
)
def test_lost_answer_of_the_chain_was_carried_out(ordered: Erp, operation: str, collection: str, send: Any) -> None:
    """A call whose answer never leaves has written its record once; sending it again doubles none."""
    ordered.fake.arm("lost_response", operation=operation, count=1, params={"how": "reset"})
    with pytest.raises(httpx2.TransportError):
        send(ordered)
    assert len(ordered.fake.state(collection)) == 1
    send(ordered)
    assert len(ordered.fake.state(collection)) == 1


def test_order_that_is_not_persisted_cannot_be_fulfilled(erp: Erp) -> None:
    """The silent failure shows where somebody looks: reading, fulfilling and listing know nothing of the order."""
    erp.fake.arm("not_persisted", operation=UPSERT, count=1)
    body = {"item": {"items": [{"item": {"externalId": "TEE"}, "quantity": 1}]}}
    assert erp.put("SHP-1", **body).status_code == 204
    assert error_of(erp.call("GET", f"{ORDERS}/eid:SHP-1"))[:2] == (404, "NONEXISTENT_ID")
    assert error_of(erp.fulfil("eid:SHP-1"))[:2] == (404, "NONEXISTENT_ID")
    assert erp.call("GET", ORDERS).json()["count"] == 0
    assert erp.put("SHP-1", **body).status_code == 204
    assert erp.fulfil("eid:SHP-1").status_code == 204


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_not_persisted_leaves_fulfilment_and_order_as_they_were(ordered: Erp, method: str) -> None:
    """A change or deletion of a fulfilment that is not persisted moves nothing on the order either."""
    transform(ordered)
    before = (ordered.fake.state("item_fulfillments"), ordered.fake.state("sales_orders"))
    ordered.fake.arm("not_persisted", count=1)
    body: dict[str, Any] = {"json": {"item": {"items": [{"orderLine": 1, "quantity": 1}]}}} if method == "PATCH" else {}
    assert ordered.call(method, f"{FULFILMENTS}/eid:IF-1", **body).status_code == 204
    assert (ordered.fake.state("item_fulfillments"), ordered.fake.state("sales_orders")) == before


def test_faults_limited_to_an_order_leave_others_alone(erp: Erp) -> None:
    """A fault for one order meets its calls only, by whatever reference they name it."""
    erp.fake.seed(entities=[{"name": "#411001", "aliases": ["6411001", "411001"]}])
    erp.fake.arm("status", operation=UPSERT, entities=["#411001"], attempts=[1, 2], params={"status": 503})
    assert erp.put("SO-411002").status_code == 204
    assert [erp.put("SO-6411001").status_code for _ in range(3)] == [503, 503, 204]


@pytest.mark.parametrize(
    ("kind", "params", "status", "error"),
    [
        ("status", {"status": 503}, 503, "server_error"),
        ("status", {"status": 400}, 400, "invalid_request"),
        ("rate_limited", {}, 429, "invalid_request"),
        ("error", {"code": "invalid_grant"}, 400, "invalid_grant"),
        ("error", {"code": "UNEXPECTED_ERROR"}, 500, "server_error"),
        ("session_expired", {}, 400, "invalid_grant"),
        ("permission_denied", {}, 400, "invalid_client"),
    ],
)
def test_faults_at_the_token_endpoint_speak_oauth(
    erp: Erp, kind: str, params: dict[str, Any], status: int, error: str
) -> None:
    """Token requests fail in OAuth's shape, never in the record service's."""
    erp.fake.arm(kind, operation="token.create", params=params)
    answer = erp.request_token()
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert erp.fake.state("sessions") == []


def test_token_that_is_not_persisted_is_worth_nothing(erp: Erp) -> None:
    """A token answered by a fault that keeps nothing is refused at its first use."""
    erp.fake.arm("not_persisted", operation="token.create", count=1)
    token = erp.request_token().json()["access_token"]
    assert erp.fake.client.get(ORDERS, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_wrong_calls_of_the_token_endpoint_speak_oauth(erp: Erp) -> None:
    """A wrong method at the token endpoint is refused without a login."""
    answer = erp.fake.client.get(TOKEN_PATH)
    assert (answer.status_code, answer.headers["Allow"], answer.json()["error"]) == (405, "POST", "invalid_request")
