"""Credit memos: posted for refunds, once per external id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import CREDITS, Erp, error_of

LINE = {"item": {"externalId": "REFUND"}, "quantity": 1, "rate": 12.5}


def credit(erp: Erp, external_id: str, query: str = "", **body: Any) -> None:
    """Upsert a credit memo that is expected to be taken."""
    answer = erp.call("PUT", f"{CREDITS}/eid:{external_id}{query}", json=body)
    assert answer.status_code == 204, answer.text


def test_credit_memo_is_created_read_changed_and_deleted(erp: Erp) -> None:
    """The life of a credit memo, by id and by external id; its total is that of its lines."""
    body = {"externalId": "CM-1", "memo": "refund", "item": {"items": [LINE]}}
    answer = erp.call("POST", CREDITS, json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    record = erp.call("GET", answer.headers["Location"]).json()
    shown = {name: record[name] for name in ("externalId", "memo", "total", "subtotal", "applied", "unapplied")}
    assert shown == {
        "externalId": "CM-1",
        "memo": "refund",
        "total": 12.5,
        "subtotal": 12.5,
        "applied": 0,
        "unapplied": 12.5,
    }
    assert (record["status"]["refName"], record["tranId"][:2]) == ("Open", "CM")
    assert erp.call("PATCH", f"{CREDITS}/eid:CM-1", json={"memo": "changed", "total": 99}).status_code == 204
    assert erp.call("GET", f"{CREDITS}/eid:CM-1").json()["memo"] == "changed"
    assert erp.call("GET", CREDITS, params={"q": "memo IS changed"}).json()["count"] == 1
    assert erp.call("DELETE", f"{CREDITS}/eid:CM-1").status_code == 204
    assert error_of(erp.call("GET", f"{CREDITS}/eid:CM-1"))[:2] == (404, "NONEXISTENT_ID")


def test_state_shows_credit_memos_as_the_contract_says(erp: Erp) -> None:
    """The control plane shows external id, memo, total, status and lines, amounts as decimal text."""
    credit(erp, "CM-1", memo="m", item={"items": [LINE]}, taxTotal=0.25)
    (row,) = erp.fake.state("credit_memos")
    names = ("external_id", "entity", "memo", "total", "status", "lines", "revision")
    assert {name: row[name] for name in names} == {
        "external_id": "CM-1",
        "entity": "CM-1",
        "memo": "m",
        "total": "12.75",
        "status": "Open",
        "lines": [{"sku": "REFUND", "quantity": 1, "price": "12.50"}],
        "revision": 1,
    }


def test_upsert_keeps_one_memo_but_adds_its_lines(erp: Erp) -> None:
    """Sending a credit memo again doubles its lines as those of any record, unless they are replaced."""
    for _ in range(2):
        credit(erp, "CM-1", item={"items": [LINE]})
    assert [row["total"] for row in erp.fake.state("credit_memos")] == ["25.00"]
    credit(erp, "CM-1", "?replace=item", item={"items": [LINE]})
    assert [row["total"] for row in erp.fake.state("credit_memos")] == ["12.50"]


def test_second_create_under_one_external_id_exists_already(erp: Erp) -> None:
    """Credit memos are transactions: a duplicate is a record, not an entity; other types have ids of their own."""
    erp.put("X-1")
    assert erp.call("POST", CREDITS, json={"externalId": "X-1"}).status_code == 204
    status, code, text = error_of(erp.call("POST", CREDITS, json={"externalId": "X-1"}))
    assert (status, code) == (400, "USER_ERROR")
    assert text.endswith("This record already exists.")


@pytest.mark.parametrize("body", [{"createdFrom": []}, {"item": {"items": [{"rate": "much"}]}}, {"apply": 1}], ids=str)
def test_values_that_do_not_fit_are_refused(erp: Erp, body: dict[str, Any]) -> None:
    """Bad values are INVALID_CONTENT, as for any record."""
    assert error_of(erp.call("POST", CREDITS, json=body))[:2] == (400, "INVALID_CONTENT")


def test_credit_memos_may_be_seeded(erp: Erp) -> None:
    """Credit memos come in as bodies of their create calls."""
    erp.fake.seed(records={"credit_memos": [{"externalId": "CM-1", "item": {"items": [LINE]}}]})
    assert [row["total"] for row in erp.fake.state("credit_memos")] == ["12.50"]
