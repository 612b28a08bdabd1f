"""Sales orders and customers: written, read, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import CUSTOMERS, ORDERS, Erp, error_of

LINES = {
    "items": [
        {"item": {"externalId": "SKU-1"}, "quantity": 2, "rate": 10.10},
        {"item": {"id": "77"}, "quantity": 1, "amount": 5},
    ]
}


def test_create_answers_204_with_the_place_of_the_record(erp: Erp) -> None:
    """A create has no body: the record's address is in Location, on the host the client used."""
    answer = erp.call("POST", ORDERS, json={"externalId": "SO-1", "memo": "first", "item": LINES})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Location"].startswith(f"{erp.fake.url}{ORDERS}/")
    record = erp.call("GET", answer.headers["Location"]).json()
    assert answer.headers["Location"].endswith(f"/{record['id']}")
    assert (record["externalId"], record["memo"], record["total"]) == ("SO-1", "first", 25.2)
    assert record["status"]["refName"] == "Pending Fulfillment"
    assert record == erp.read("SO-1")


def test_upsert_creates_then_updates_and_answers_alike(erp: Erp) -> None:
    """Nothing in the answer tells a create from an update; there is one record, written twice."""
    answers = [erp.put("SO-1", memo="first"), erp.put("SO-1", otherRefNum="4711")]
    assert [each.status_code for each in answers] == [204, 204]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    record = erp.read("SO-1")
    assert (record["memo"], record["otherRefNum"]) == ("first", "4711")
    (row,) = erp.fake.state("sales_orders")
    assert (row["external_id"], row["revision"]) == ("SO-1", 2)


def test_state_shows_orders_as_the_contract_says(erp: Erp) -> None:
    """The control plane shows external id, memo, total, lines and revision, amounts as decimal text."""
    erp.put("SO-1", memo="m", item=LINES, shippingCost=4.99)
    (row,) = erp.fake.state("sales_orders")
    shown = {name: row[name] for name in ("external_id", "entity", "memo", "total", "lines", "revision")}
    assert shown == {
        "external_id": "SO-1",
        "entity": "SO-1",
        "memo": "m",
        "total": "30.19",
        "lines": [
            {"sku": "SKU-1", "quantity": 2, "price": "10.10", "fulfilled": 0},
            {"sku": "77", "quantity": 1, "price": None, "fulfilled": 0},
        ],
        "revision": 1,
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [(ORDERS, "This record already exists."), (CUSTOMERS, "This entity already exists.")],
    ids=["transaction", "entity"],
)
def test_second_create_under_one_external_id_is_a_user_error(erp: Erp, path: str, text: str) -> None:
    """The vendor has no code of its own for a duplicate: only the text tells, and it differs by record type."""
    assert erp.call("POST", path, json={"externalId": "X-1"}).status_code == 204
    status, code, detail = error_of(erp.call("POST", path, json={"externalId": "X-1"}))
    assert (status, code) == (400, "USER_ERROR")
    assert detail.endswith(text)


def test_external_ids_are_unique_within_a_type_only(erp: Erp) -> None:
    """A customer and an order may share an external id; two records without one do not clash."""
    assert erp.call("POST", ORDERS, json={"externalId": "X-1"}).status_code == 204
    assert erp.call("POST", CUSTOMERS, json={"externalId": "X-1"}).status_code == 204
    assert [erp.call("POST", ORDERS, json={}).status_code for _ in range(2)] == [204, 204]


def test_patch_changes_what_it_names(erp: Erp) -> None:
    """PATCH by id or external id changes the named fields, null unsets one."""
    location = erp.put("SO-1", memo="old", otherRefNum="1").headers["Location"]
    answer = erp.call("PATCH", location, json={"memo": None})
    assert (answer.status_code, answer.headers["Location"]) == (204, location)
    assert erp.call("PATCH", f"{ORDERS}/eid:SO-1", json={"otherRefNum": "2"}).status_code == 204
    record = erp.read("SO-1")
    assert "memo" not in record
    assert record["otherRefNum"] == "2"


def test_patch_may_not_take_the_external_id_of_another(erp: Erp) -> None:
    """An external id moves to another record only once it is free."""
    erp.put("SO-1")
    erp.put("SO-2")
    assert error_of(erp.call("PATCH", f"{ORDERS}/eid:SO-2", json={"externalId": "SO-1"}))[:2] == (400, "USER_ERROR")
    erp.call("DELETE", f"{ORDERS}/eid:SO-1")
    assert erp.call("PATCH", f"{ORDERS}/eid:SO-2", json={"externalId": "SO-1"}).status_code == 204
    assert error_of(erp.call("GET", f"{ORDERS}/eid:SO-2"))[:2] == (404, "NONEXISTENT_ID")
    assert erp.read("SO-1")["externalId"] == "SO-1"


def test_update_adds_lines_unless_told_to_replace(erp: Erp) -> None:
    """The vendor's trap: lines without a key are added on every write, so a repeat needs `replace=item`."""
    item = {"items": [{"item": {"externalId": "SKU-1"}, "quantity": 1, "rate": 10}]}
    for _ in range(2):
        erp.put("SO-1", item=item)
    assert erp.read("SO-1")["total"] == 20
    erp.put("SO-1", "?replace=item", item=item)
    assert erp.read("SO-1")["total"] == 10


def test_update_changes_the_line_it_names(erp: Erp) -> None:
    """A line that carries its number is changed in place, its amount reckoned anew; the others stay."""
    erp.put("SO-1", item=LINES)
    erp.call("PATCH", f"{ORDERS}/eid:SO-1", json={"item": {"items": [{"line": 1, "quantity": 3}]}})
    item = erp.read("SO-1", expandSubResources="true")["item"]
    assert [(line["line"], line["quantity"], line["amount"]) for line in item["items"]] == [(1, 3, 30.3), (2, 1, 5)]


def test_read_shows_lines_as_a_link_unless_expanded(erp: Erp) -> None:
    """Sublists are links by default, and `fields` narrows what is shown."""
    erp.put("SO-1", item=LINES, memo="m")
    assert list(erp.read("SO-1")["item"]) == ["links"]
    expanded = erp.read("SO-1", expandSubResources="true")["item"]
    assert [line["item"] for line in expanded["items"]] == [{"externalId": "SKU-1"}, {"id": "77"}]
    assert set(erp.read("SO-1", fields="memo,total,nothing")) == {"links", "memo", "total"}
    wrong = erp.call("GET", f"{ORDERS}/eid:SO-1?expandSubResources=maybe")
    assert error_of(wrong)[:2] == (400, "INVALID_PARAMETER")


def test_delete_removes_the_record_and_frees_its_external_id(erp: Erp) -> None:
    """A deleted record is gone for every call; its external id may be used again, for a new record."""
    first = erp.put("SO-1").headers["Location"]
    assert erp.call("DELETE", first).status_code == 204
    for method in ("GET", "DELETE", "PATCH"):
        body = {"json": {}} if method == "PATCH" else {}
        assert error_of(erp.call(method, first, **body))[:2] == (404, "NONEXISTENT_ID")
    assert erp.put("SO-1").headers["Location"] != first


def test_customers_are_records_too(erp: Erp) -> None:
    """Customers are created, upserted, read, listed and named by orders."""
    created = erp.call("POST", CUSTOMERS, json={"externalId": "C-1", "companyName": "Acme", "isPerson": False})
    upserted = erp.call("PUT", f"{CUSTOMERS}/eid:C-1", json={"email": "ada@example.com"})
    assert created.headers["Location"] == upserted.headers["Location"]
    customer = erp.call("GET", f"{CUSTOMERS}/eid:C-1").json()
    assert (customer["companyName"], customer["email"], customer["isPerson"]) == ("Acme", "ada@example.com", False)
    erp.put("SO-1", entity={"id": customer["id"]})
    assert erp.read("SO-1")["entity"] == {"id": customer["id"]}
    assert [row["id"] for row in erp.call("GET", CUSTOMERS).json()["items"]] == [customer["id"]]
    (row,) = erp.fake.state("customers")
    assert (row["external_id"], row["company_name"], row["email"], row["revision"]) == (
        "C-1",
        "Acme",
        "ada@example.com",
        2,
    )


@pytest.mark.parametrize("external_id", ["a|b", "a.b", "%23411001", "a%20b", "ü", "%ff", "%00"])
def test_external_id_in_a_path_takes_only_some_characters(erp: Erp, external_id: str) -> None:
    """Letters, digits, underscore and hyphen; anything else is refused, not stored."""
    answer = erp.call("PUT", f"{ORDERS}/eid:{external_id}", json={})
    assert error_of(answer)[:2] == (400, "INVALID_ID")
    assert erp.fake.state("sales_orders") == []


def test_upsert_refuses_two_external_ids(erp: Erp) -> None:
    """A body that names another external id than the path is refused."""
    assert error_of(erp.put("SO-1", externalId="SO-2"))[:2] == (400, "INVALID_CONTENT")
    assert erp.put("SO-1", externalId="SO-1").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", f"{ORDERS}/1", (404, "NONEXISTENT_ID")),
        ("GET", f"{ORDERS}/abc", (404, "NONEXISTENT_ID")),
        ("GET", f"{ORDERS}/eid:none", (404, "NONEXISTENT_ID")),
        ("PUT", f"{ORDERS}/1", (405, "METHOD_NOT_ALLOWED")),
        ("DELETE", ORDERS, (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/services/rest/record/v1/flyingSaucer", (404, "NONEXISTENT_RECORD_TYPE")),
        ("POST", "/services/rest/record/v1/flyingSaucer", (404, "NONEXISTENT_RECORD_TYPE")),
        ("GET", "/services/rest/record/v1/flyingSaucer/1", (404, "NONEXISTENT_RECORD_TYPE")),
        ("POST", f"{ORDERS}/1/!transform/invoice", (404, "NONEXISTENT_URL")),
        ("GET", "/services/rest/record/v1", (404, "NONEXISTENT_URL")),
        ("GET", "/", (404, "NONEXISTENT_URL")),
    ],
)
def test_what_is_not_there_is_refused_in_the_vendors_words(
    erp: Erp, method: str, path: str, expected: tuple[int, str]
) -> None:
    """Unknown ids, types, methods and paths each get the envelope."""
    assert error_of(erp.call(method, path))[:2] == expected


def test_reset_forgets_everything_but_never_repeats_an_id(erp: Erp) -> None:
    """After a reset records, sessions and settings are as at the start, and new ids are new."""
    first = erp.put("SO-1").headers["Location"]
    erp.fake.seed(settings={"token_lifetime_s": 7})
    erp.fake.reset()
    assert (erp.fake.state("sales_orders"), erp.fake.state("sessions")) == ([], [])
    assert erp.call("GET", ORDERS).status_code == 401
    assert erp.request_token().json()["expires_in"] == "3600"
    erp.login()
    assert erp.put("SO-1").headers["Location"] != first


def test_records_may_be_seeded(erp: Erp) -> None:
    """Records come in over the control plane as bodies of their create calls; bad ones are located."""
    erp.fake.seed(
        records={"sales_orders": [{"externalId": "SO-1", "memo": "seeded"}], "customers": [{"email": "a@b.c"}]}
    )
    assert erp.read("SO-1")["memo"] == "seeded"
    for rows in ([{"externalId": "SO-1"}], [{"nonsense": 1}]):
        answer = erp.fake.control.post("/seed", json={"records": {"sales_orders": rows}})
        assert answer.status_code == 422
        assert "sales_orders" in answer.json()["detail"]


@pytest.mark.parametrize(
    "settings", [{"concurrency": 0}, {"work_s": -1}, {"token_lifetime_s": "1"}, {"colour": 1}], ids=str
)
def test_settings_are_checked(erp: Erp, settings: dict[str, Any]) -> None:
    """A setting that is unknown or out of range is a located 422."""
    answer = erp.fake.control.post("/seed", json={"settings": settings})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["at"] == f"settings.{next(iter(settings))}"
