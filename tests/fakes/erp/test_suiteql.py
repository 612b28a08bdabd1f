"""The small part of SuiteQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import SUITEQL, Erp, error_of


@pytest.fixture
def ids(erp: Erp) -> list[str]:
    """Bring in SO-0 to SO-3, the last without a memo, and one customer; return the orders' ids."""
    rows: list[dict[str, Any]] = [
        {"externalId": f"SO-{n}", "memo": f"it's {n}", "otherRefNum": str(n)} for n in range(3)
    ]
    rows.append({"externalId": "SO-3", "orderStatus": "F"})
    erp.fake.seed(records={"sales_orders": rows, "customers": [{"externalId": "C-1", "email": "ada@example.com"}]})
    return [row["id"] for row in erp.fake.state("sales_orders")]


def select(erp: Erp, q: str) -> list[dict[str, Any]]:
    """Run a query that is expected to work and return its rows."""
    answer = erp.suiteql(q)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_rows_are_flat_text_and_leave_out_what_is_empty(erp: Erp, ids: list[str]) -> None:
    """Names are lower-case, values text, and an empty column is no key at all."""
    (row,) = select(erp, "SELECT ID, externalId, memo, Status, type FROM Transaction WHERE externalid = 'SO-3'")
    assert row == {"links": [], "id": ids[3], "externalid": "SO-3", "status": "F", "type": "SalesOrd"}
    (row,) = select(erp, "select c.email, c.id from customer c where c.externalid = 'C-1';")
    assert row["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("externalid = 'SO-1'", [1]),
        ("externalid <> 'SO-1'", [0, 2, 3]),
        ("externalid IN ('SO-1', 'SO-2', 'none')", [1, 2]),
        ("memo = 'it''s 2'", [2]),
        ("memo IS NULL", [3]),
        ("memo is not null and otherrefnum >= '1'", [1, 2]),
        ("otherrefnum = 1", [1]),
        ("status = 'F' AND type = 'SalesOrd'", [3]),
        ("id = '7'", []),
        ("id > 0", [0, 1, 2, 3]),
        ("id = 'x'", []),
        ("lastmodifieddate >= '2026-01-01'", [0, 1, 2, 3]),
        ("lastmodifieddate >= '2026-01-01T10:00:00Z'", [0, 1, 2, 3]),
        ("lastmodifieddate < '1/1/2020'", []),
        ("lastmodifieddate >= TO_DATE('2999-12-31', 'YYYY-MM-DD')", []),
        ("lastmodifieddate > TO_TIMESTAMP('2020-12-31 23:59:59', 'YYYY-MM-DD HH24:MI:SS')", [0, 1, 2, 3]),
    ],
)
def test_conditions_select(erp: Erp, ids: list[str], where: str, numbers: list[int]) -> None:
    """Conditions joined with AND select rows."""
    rows = select(erp, f"SELECT id FROM transaction WHERE {where} ORDER BY id")  # noqa: S608 -- no database
    assert [row["id"] for row in rows] == [ids[n] for n in numbers]


def test_lastmodifieddate_shows_a_day_or_what_to_char_asks(erp: Erp, ids: list[str]) -> None:
    """A bare date is MM/DD/YYYY; TO_CHAR shows the time too, and agrees with the record."""
    modified = erp.read("SO-1")["lastModifiedDate"]
    shown = "lastmodifieddate, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at"
    (row,) = select(erp, f"SELECT {shown} FROM transaction WHERE externalid = 'SO-1'")  # noqa: S608 -- no database
    assert row["at"] == modified.rstrip("Z").replace("T", " ")
    assert row["lastmodifieddate"] == f"{modified[5:7]}/{modified[8:10]}/{modified[:4]}"


def test_rows_are_ordered_and_paged(erp: Erp, ids: list[str]) -> None:
    """ORDER BY sorts by several columns; limit and offset page the result."""
    q = "SELECT externalid FROM transaction ORDER BY status ASC, externalid DESC"
    assert [row["externalid"] for row in select(erp, q)] == ["SO-2", "SO-1", "SO-0", "SO-3"]
    page = erp.suiteql(q, params={"limit": 3, "offset": 3}).json()
    assert ([row["externalid"] for row in page["items"]], page["hasMore"], page["totalResults"]) == (["SO-3"], False, 4)


@pytest.mark.parametrize(
    "q",
    [
        None,
        7,
        "",
        "   ",
        "SELECT",
        "SELECT * FROM transaction",
        "SELECT id",
        "SELECT id FROM",
        "SELECT id FROM starship",
        "SELECT colour FROM transaction",
        "SELECT id FROM transaction WHERE",
        "SELECT id FROM transaction WHERE colour = 1",
        "SELECT id FROM transaction WHERE id",
        "SELECT id FROM transaction WHERE id = ",
        "SELECT id FROM transaction WHERE id = other",
        "SELECT id FROM transaction WHERE id = 1 OR id = 2",
        "SELECT id FROM transaction WHERE id IN ()",
        "SELECT id FROM transaction WHERE id IS 1",
        "SELECT id FROM transaction WHERE memo = 'open",
        "SELECT id FROM transaction WHERE id ; 1",
        "SELECT id FROM transaction LIMIT 1",
        "SELECT id FROM transaction ORDER id",
        "SELECT id FROM transaction t JOIN customer c",
        "SELECT COUNT(id) FROM transaction",
        "SELECT TO_CHAR(id, 'plain') FROM transaction",
        "SELECT TO_CHAR(id, ) FROM transaction",
        "SELECT id FROM transaction WHERE lastmodifieddate > TO_DATE('x', 'YYYY')",
        "SELECT id FROM transaction WHERE lastmodifieddate > TO_DATE('1', 'MMMM')",
        "SELECT id FROM transaction WHERE lastmodifieddate > 'yesterday'",
        "DELETE FROM transaction",
        "from from from",
        "\x00",
        "(((((",
    ],
    ids=str,
)
def test_unsupported_queries_are_refused(erp: Erp, ids: list[str], q: Any) -> None:
    """What is wrong, or beyond this part of the language, is the vendor's 400 about `q`."""
    answer = erp.suiteql(q)
    assert error_of(answer)[:2] == (400, "INVALID_PARAMETER")
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"


def test_queries_need_prefer_transient(erp: Erp) -> None:
    """Without the header the vendor refuses the query."""
    answer = erp.call("POST", SUITEQL, json={"q": "SELECT id FROM transaction"})
    assert error_of(answer)[:2] == (400, "INVALID_HEADER")
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"


def test_transactions_of_every_type_are_one_table(erp: Erp) -> None:
    """Sales orders, fulfilments and credit memos are transactions; `type` and `status` tell them apart."""
    lines = {"items": [{"item": {"externalId": "TEE"}, "quantity": 2, "rate": 5}]}
    erp.fake.seed(
        records={
            "sales_orders": [{"externalId": "SO-1", "item": lines}],
            "credit_memos": [{"externalId": "CM-1", "item": lines}],
        }
    )
    assert erp.fulfil("eid:SO-1", externalId="IF-1", shipStatus="B").status_code == 204
    rows = select(erp, "SELECT externalid, type, status, total FROM transaction ORDER BY type")
    assert [(row["externalid"], row["type"], row["status"], row["total"]) for row in rows] == [
        ("CM-1", "CustCred", "A", "10"),
        ("IF-1", "ItemShip", "B", "0"),
        ("SO-1", "SalesOrd", "F", "10"),
    ]
    (row,) = select(
        erp, "SELECT externalid FROM transaction WHERE type = 'ItemShip' AND externalid IN ('IF-1', 'SO-1')"
    )
    assert row["externalid"] == "IF-1"
