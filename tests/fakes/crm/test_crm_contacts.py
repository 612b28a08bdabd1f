"""Contacts at the CRM: created, updated, read, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.fakes.crm.conftest import Crm


def test_a_contact_is_created_then_updated(crm: Crm) -> None:
    """The first call of an external id creates, later ones change what they say and keep the rest; the id stays."""
    created = crm.put(first_name="Ada")
    updated = crm.put(first_name="Augusta", properties={"last_order": "#411002"})
    assert (created.status_code, updated.status_code) == (201, 200)
    assert (updated.json()["id"], updated.json()["created_at"]) == (created.json()["id"], created.json()["created_at"])
    assert updated.json()["first_name"] == "Augusta"
    assert updated.json()["properties"] == {"last_order": "#411002", "last_order_total": "37.50"}
    assert crm.client.get("/v1/contacts/cus-1").json() == updated.json()
    assert [change["action"] for change in crm.fake.journal("change")] == ["created", "updated"]


def test_every_external_id_is_a_contact_of_its_own(crm: Crm) -> None:
    """Two customers do not share a contact, whatever else they share."""
    ids = {crm.put(name).json()["id"] for name in ("cus-1", "cus-2", "cus-1")}
    assert len(ids) == 2
    assert sorted(contact["external_id"] for contact in crm.fake.state("contacts")) == ["cus-1", "cus-2"]


def test_contacts_are_attributed_to_the_order_they_tell_of(crm: Crm) -> None:
    """A contact belongs to the last order it was written for, and reading it is about that one."""
    crm.fake.seed(entities=[{"name": "#411001", "aliases": []}, {"name": "#411002", "aliases": []}])
    crm.put(order="#411001")
    crm.put(order="#411002")
    crm.client.get("/v1/contacts/cus-1")
    calls = [(call["operation"], call["entity"], call["key"]) for call in crm.fake.journal("exchange")]
    assert calls == [
        ("contact.upsert", "#411001", "cus-1"),
        ("contact.upsert", "#411002", "cus-1"),
        ("contact.read", "#411002", None),
    ]


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": 7}])
def test_an_email_is_required(crm: Crm, body: dict[str, Any]) -> None:
    """A contact without an e-mail address is refused, known or not."""
    crm.put("cus-2")
    for external_id in ("cus-1", "cus-2"):
        answer = crm.client.put(f"/v1/contacts/{external_id}", json=body)
        assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
        assert answer.json()["status"] == "error"
        assert answer.json()["correlationId"]


@pytest.mark.parametrize("path", ["/v1/contacts/none", "/v1/deals/1"])
def test_what_is_not_there_is_not_found(crm: Crm, path: str) -> None:
    """Unknown contacts and paths are 404 in the CRM's words."""
    answer = crm.client.get(path)
    assert (answer.status_code, answer.json()["category"]) == (404, "OBJECT_NOT_FOUND")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}])
def test_calls_carry_the_token(crm: Crm, headers: dict[str, str]) -> None:
    """Without the right token nothing is written."""
    answer = httpx2.put(f"{crm.fake.url}/v1/contacts/c", json={"email": "a@b"}, headers=headers)
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert crm.fake.state("contacts") == []


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("rate_limited", {"retry_after_s": 10}, (429, "RATE_LIMITS")),
        ("error", {"code": "CONFLICT"}, (409, "CONFLICT")),
        ("error", {"code": "VALIDATION_ERROR"}, (400, "VALIDATION_ERROR")),
        ("session_expired", {}, (401, "INVALID_AUTHENTICATION")),
        ("permission_denied", {}, (403, "MISSING_SCOPES")),
        ("status", {"status": 500}, (500, "SERVER_ERROR")),
    ],
)
def test_faults_are_worded_as_the_crm_words_them(
    crm: Crm, kind: str, params: dict[str, Any], said: tuple[int, str]
) -> None:
    """The category is the code, in the answer and in the journal."""
    crm.fake.arm(kind, params=params)
    answer = crm.put()
    assert (answer.status_code, answer.json()["category"]) == said
    assert answer.headers.get("Retry-After") == ("10" if kind == "rate_limited" else None)
    [call] = crm.fake.journal("exchange")
    assert (call["status"], call["code"]) == said
