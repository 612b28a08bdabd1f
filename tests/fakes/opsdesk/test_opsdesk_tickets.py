"""Zendesk tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.conftest import RunningFake

TICKETS = "/api/v2/tickets.json"


def ticket(**changes: Any) -> dict[str, Any]:
    """Return a ticket to be; a change to None leaves the field out."""
    whole = {
        "subject": "Order stuck",
        "comment": {"body": "It does not move."},
        "external_id": "order-to-erp:#411001",
        "group": "compliance",
        "tags": ["handoff:order-to-erp", "code:RESTRICTED_PRODUCT"],
        **changes,
    }
    return {"ticket": {name: value for name, value in whole.items() if value is not None}}


def create(fake: RunningFake, body: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
    """Open a ticket."""
    return fake.client.post(TICKETS, json=ticket() if body is None else body, headers=headers)


def test_a_ticket_is_opened(opsdesk: RunningFake) -> None:
    """A ticket is answered with its place, and tells handoff, entity, code and the role of its group."""
    opsdesk.seed(
        entities=[{"name": "#411001", "aliases": ["411001"]}],
        settings={"roles": [{"role": "compliance", "key": "compliance-group", "channel": "zendesk"}]},
    )
    answer = create(opsdesk)
    assert answer.status_code == 201
    made = answer.json()["ticket"]
    assert answer.headers["Location"] == made["url"] == f"{opsdesk.url}/api/v2/tickets/{made['id']}.json"
    [record] = opsdesk.state("tickets")
    assert {
        "id": str(made["id"]),
        "external_id": "order-to-erp:#411001",
        "group": "compliance",
        "role": "compliance",
        "subject": "Order stuck",
        "status": "new",
        "handoff": "order-to-erp",
        "entity": "#411001",
        "code": "RESTRICTED_PRODUCT",
    }.items() <= record.items()
    assert opsdesk.client.get(made["url"]).json()["ticket"]["subject"] == "Order stuck"


def test_the_groups_key_reaches_the_role_too(opsdesk: RunningFake) -> None:
    """A ticket may name the role's key as its group; any other group is nobody's."""
    opsdesk.seed(settings={"roles": [{"role": "compliance", "key": "g-17"}]})
    create(opsdesk, ticket(group="g-17"))
    create(opsdesk, ticket(group="g-18"))
    assert [record["role"] for record in opsdesk.state("tickets")] == ["compliance", None]


def test_an_idempotency_key_opens_one_ticket(opsdesk: RunningFake) -> None:
    """Repeating a create answers the first ticket; another body under the key is refused."""
    first = create(opsdesk, **{"Idempotency-Key": "k"})
    second = create(opsdesk, **{"Idempotency-Key": "k"})
    third = create(opsdesk, ticket(subject="other"), **{"Idempotency-Key": "k"})
    assert first.headers["x-idempotency-lookup"] == "miss"
    assert (second.status_code, second.headers["x-idempotency-lookup"]) == (201, "hit")
    assert first.json() == second.json()
    assert (third.status_code, third.json()["error"]) == (400, "IdempotentRequestError")
    assert len(opsdesk.state("tickets")) == 1
    assert opsdesk.journal("exchange")[0]["key"] == "k"


def test_an_idempotency_key_is_forgotten_in_time(opsdesk: RunningFake) -> None:
    """A key past its time opens another ticket."""
    opsdesk.seed(settings={"idempotency_s": 0})
    create(opsdesk, **{"Idempotency-Key": "k"})
    create(opsdesk, **{"Idempotency-Key": "k"})
    assert len(opsdesk.state("tickets")) == 2


def test_a_ticket_that_was_not_written_leaves_no_key(opsdesk: RunningFake) -> None:
    """After a write that was only pretended, the same key opens the ticket."""
    opsdesk.arm("not_persisted", operation="ticket.create", count=1)
    assert create(opsdesk, **{"Idempotency-Key": "k"}).status_code == 201
    assert opsdesk.state("tickets") == []
    assert create(opsdesk, **{"Idempotency-Key": "k"}).headers["x-idempotency-lookup"] == "miss"
    assert len(opsdesk.state("tickets")) == 1


def test_the_list_is_current_the_search_lags(opsdesk: RunningFake) -> None:
    """By external id a ticket is found at once; the search finds it when its index has caught up."""
    create(opsdesk)
    create(opsdesk, ticket(external_id="other"))
    listed = opsdesk.client.get(TICKETS, params={"external_id": "order-to-erp:#411001"}).json()
    assert (listed["count"], listed["tickets"][0]["external_id"]) == (1, "order-to-erp:#411001")
    query = {"query": "type:ticket external_id:order-to-erp:#411001"}
    assert opsdesk.client.get("/api/v2/search.json", params=query).json()["count"] == 0
    opsdesk.seed(settings={"search_lag_s": 0})
    assert opsdesk.client.get("/api/v2/search.json", params=query).json()["count"] == 1


def test_a_ticket_changes(opsdesk: RunningFake) -> None:
    """A ticket can be worked on until it is closed; a safe update needs the latest stamp."""
    url = create(opsdesk).json()["ticket"]["url"]
    solved = opsdesk.client.put(url, json={"ticket": {"status": "solved", "comment": {"body": "done"}}})
    assert solved.json()["ticket"]["status"] == "solved"
    stale = {"ticket": {"priority": "high", "safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z"}}
    assert opsdesk.client.put(url, json=stale).status_code == 409
    stale["ticket"]["updated_stamp"] = solved.json()["ticket"]["updated_at"]
    assert opsdesk.client.put(url, json=stale).status_code == 200
    opsdesk.client.put(url, json={"ticket": {"status": "closed"}})
    assert opsdesk.client.put(url, json={"ticket": {"status": "open"}}).status_code == 422
    assert opsdesk.state("tickets")[0]["status"] == "closed"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "InvalidAttribute"),
        ({"ticket": []}, 400, "InvalidAttribute"),
        (ticket(comment=None), 422, "RecordInvalid"),
        (ticket(comment={"body": 7}), 422, "RecordInvalid"),
        (ticket(priority="asap"), 422, "RecordInvalid"),
        (ticket(status=["new"]), 422, "RecordInvalid"),
        (ticket(tags="x"), 422, "RecordInvalid"),
        (ticket(external_id={}), 422, "RecordInvalid"),
        (ticket(custom_fields=[7]), 422, "RecordInvalid"),
    ],
)
def test_a_bad_ticket_is_refused(opsdesk: RunningFake, body: dict[str, Any], status: int, error: str) -> None:
    """A ticket that makes no sense is refused in the vendor's shape."""
    answer = create(opsdesk, body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert opsdesk.state("tickets") == []


def test_an_unknown_ticket_is_not_found(opsdesk: RunningFake) -> None:
    """An unknown id is the vendor's not-found."""
    answer = opsdesk.client.get("/api/v2/tickets/1.json")
    assert (answer.status_code, answer.json()) == (404, {"error": "RecordNotFound", "description": "Not found"})


def test_credentials_are_asked_for_where_set(opsdesk: RunningFake) -> None:
    """With a token set, calls without it are refused."""
    opsdesk.seed(settings={"zendesk_token": "hush"})
    answer = create(opsdesk)
    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})
    assert create(opsdesk, Authorization="Bearer hush").status_code == 201


def test_the_account_has_a_limit(opsdesk: RunningFake) -> None:
    """Every answer tells the limit and what is left; past it comes a 429 with Retry-After."""
    opsdesk.seed(settings={"tickets_per_min": 2})
    answers = [create(opsdesk) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert [answer.headers["X-Rate-Limit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert 0 < float(answers[2].headers["Retry-After"]) <= 60


def test_pages_end_at_a_thousand(opsdesk: RunningFake) -> None:
    """Lists come in pages and refuse to go deeper than a thousand."""
    for _ in range(3):
        create(opsdesk)
    page = opsdesk.client.get(TICKETS, params={"per_page": 2}).json()
    assert (len(page["tickets"]), page["count"], page["next_page"]) == (2, 3, "2")
    assert opsdesk.client.get(TICKETS, params={"page": 11}).status_code == 422
    assert opsdesk.client.get(TICKETS, params={"page": "x"}).status_code == 400
