"""The real `netsuite` client against the fake: signed calls, from its own environment."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.erp.settings import Settings
from tests.fakes.erp.conftest import ORDERS
from tests.fakes.erp.test_concurrency import is_abandoned_read, is_hit

if TYPE_CHECKING:
    from tests.fakes.erp.conftest import Erp

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-netsuite" / "bin" / "python"
SCRIPT = ROOT / "tests" / "clients" / "netsuite_client.py"
ACCOUNT = Settings()

pytestmark = [
    pytest.mark.netsuite,
    pytest.mark.skipif(
        not (ROOT / ".venv-netsuite" / ".installed").exists(),
        reason="the netsuite client is not installed: run `make .venv-netsuite/.installed`",
    ),
]


def drive(erp: Erp, *calls: dict[str, Any], at_once: bool = False, **auth: str) -> list[dict[str, Any]]:
    """Run these calls in the client's process and return how each ended; `auth` changes its credentials."""
    config = {
        "account": ACCOUNT.account,
        "auth": {
            "consumer_key": ACCOUNT.client_id,
            "consumer_secret": ACCOUNT.client_secret,
            "token_id": ACCOUNT.token_id,
            "token_secret": ACCOUNT.token_secret,
            **auth,
        },
    }
    story = {"url": erp.fake.url, "config": config, "calls": calls, "at_once": at_once}
    done = subprocess.run(
        [PYTHON, SCRIPT], input=json.dumps(story), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_client_creates_reads_and_upserts(erp: Erp) -> None:
    """Orders and customers written by the client are there for it, by id and by external id."""
    body = {"memo": "web order", "item": {"items": [{"item": {"id": "7"}, "quantity": 2, "rate": 9.95}]}}
    outcomes = drive(
        erp,
        {"verb": "post", "path": "/record/v1/customer", "json": {"externalId": "C-1", "companyName": "Acme & Söhne"}},
        {"verb": "put", "path": "/record/v1/salesOrder/eid:SO-1", "json": body},
        {"verb": "patch", "path": "/record/v1/salesOrder/eid:SO-1", "json": {"memo": "changed"}},
        {"verb": "get", "path": "/record/v1/salesOrder/eid:SO-1", "params": {"expandSubResources": "true"}},
        {"verb": "get", "path": "/record/v1/customer/eid:C-1"},
        {"verb": "post", "path": "/record/v1/salesOrder", "json": {"externalId": "SO-1"}},
        {"verb": "delete", "path": "/record/v1/salesOrder/eid:SO-1"},
        {"verb": "get", "path": "/record/v1/salesOrder/eid:SO-1"},
    )
    assert [each.get("value") for each in outcomes[:3]] == [None] * 3
    order, customer, duplicate, deleted, gone = (each.get("value", each) for each in outcomes[3:])
    assert (order["externalId"], order["memo"], order["total"]) == ("SO-1", "changed", 19.9)
    assert order["item"]["items"][0]["item"] == {"id": "7"}
    assert customer["companyName"] == "Acme & Söhne"
    assert duplicate["text"].startswith("HTTP400 - ")
    assert "This record already exists." in duplicate["text"]
    assert deleted is None
    assert gone["status"] == 404


def test_client_goes_the_whole_chain(erp: Erp) -> None:
    """Order, fulfilment in two parts, credit memo: written and read back by the client, strict about names as it is."""
    tee = {"externalId": "TEE"}
    order = {"memo": "web order", "item": {"items": [{"item": tee, "quantity": 3, "rate": 9.95}]}}
    part = {"item": {"items": [{"orderLine": 1, "quantity": 2, "itemReceive": True}]}}
    package = {"items": [{"packageTrackingNumber": "1Z999"}]}
    memo = {"memo": "one back", "item": {"items": [{"item": tee, "quantity": 1, "rate": 9.95}]}}
    transform = "/record/v1/salesOrder/eid:SHP-1/!transform/itemFulfillment"
    outcomes = drive(
        erp,
        {"verb": "put", "path": "/record/v1/salesOrder/eid:SHP-1", "json": order},
        {"verb": "post", "path": transform, "json": {"externalId": "IF-1", "package": package, **part}},
        {"verb": "post", "path": transform, "json": {"externalId": "IF-1", **part}},
        {"verb": "post", "path": transform, "json": {"externalId": "IF-2", **part}},
        {"verb": "post", "path": transform, "json": {"externalId": "IF-2", "memo": "the rest"}},
        {"verb": "put", "path": "/record/v1/creditMemo/eid:CM-1", "json": memo},
        {"verb": "get", "path": "/record/v1/itemFulfillment/eid:IF-1", "params": {"expandSubResources": "true"}},
        {"verb": "get", "path": "/record/v1/salesOrder/eid:SHP-1", "params": {"expandSubResources": "true"}},
        {"verb": "get", "path": "/record/v1/creditMemo/eid:CM-1"},
        {"verb": "suiteql", "q": "SELECT externalid, type FROM transaction ORDER BY externalid"},
    )
    made, again, beyond, rest, credited = outcomes[1:6]
    assert (made, rest, credited) == ({"value": None},) * 3
    assert (again["status"], beyond["status"]) == (400, 400)
    assert "This record already exists." in again["text"]
    assert "exceeds" in beyond["text"]
    fulfilment, sold, credit, found = (each["value"] for each in outcomes[6:])
    assert fulfilment["package"] == package
    assert [line["quantity"] for line in fulfilment["item"]["items"]] == [2]
    assert fulfilment["createdFrom"]["id"] == sold["id"]
    assert (sold["status"]["refName"], sold["item"]["items"][0]["quantityFulfilled"]) == ("Pending Billing", 3)
    assert (credit["total"], credit["memo"]) == (9.95, "one back")
    assert [(row["externalid"], row["type"]) for row in found["items"]] == [
        ("CM-1", "CustCred"),
        ("IF-1", "ItemShip"),
        ("IF-2", "ItemShip"),
        ("SHP-1", "SalesOrd"),
    ]


def test_client_fulfils_at_once_what_is_there_once(erp: Erp) -> None:
    """Ten transforms at once under one external id leave one fulfilment; every other is told that it exists."""
    erp.fake.seed(
        settings={"concurrency": 50},
        records={"sales_orders": [{"externalId": "SHP-1", "item": {"items": [{"item": {"id": "7"}, "quantity": 5}]}}]},
    )
    call = {
        "verb": "post",
        "path": "/record/v1/salesOrder/eid:SHP-1/!transform/itemFulfillment",
        "json": {"externalId": "IF-1", "item": {"items": [{"orderLine": 1, "quantity": 1}]}},
    }
    outcomes = drive(erp, *[call] * 10, at_once=True)
    refused = [each for each in outcomes if "error" in each]
    assert len(refused) == 9
    assert all("This record already exists." in each["text"] for each in refused)
    assert len(erp.fake.state("item_fulfillments")) == 1


def test_client_pages_through_lists_and_queries(erp: Erp) -> None:
    """Following offset while `hasMore` the client sees every record once, by list and by SuiteQL."""
    erp.fake.seed(records={"sales_orders": [{"externalId": f"SO-{n}", "memo": "a b+c%"} for n in range(7)]})
    ids = [row["id"] for row in erp.fake.state("sales_orders")]
    query = {"q": 'memo IS "a b+c%"', "limit": 3}
    sql = "SELECT id FROM transaction WHERE memo = 'a b+c%' ORDER BY id"
    outcomes = drive(
        erp,
        *({"verb": "get", "path": "/record/v1/salesOrder", "params": {**query, "offset": n}} for n in (0, 3, 6)),
        *({"verb": "suiteql", "q": sql, "limit": 3, "offset": n} for n in (0, 3, 6)),
    )
    pages = [each["value"] for each in outcomes]
    for three in (pages[:3], pages[3:]):
        assert [page["hasMore"] for page in three] == [True, True, False]
        assert {page["totalResults"] for page in three} == {7}
        assert [row["id"] for page in three for row in page["items"]] == ids


def test_client_meets_the_concurrency_limit(erp: Erp) -> None:
    """With the account's only place taken the client gets the 429 as an exception, and works again once it is free."""
    erp.fake.seed(settings={"concurrency": 1}, records={"sales_orders": [{"externalId": "HELD"}]})
    erp.fake.arm("delay", operation="sales_order.read", entities=["HELD"], params={"seconds": 90}, ttl_s=90)
    listing = {"verb": "get", "path": "/record/v1/salesOrder"}
    request = f"GET {ORDERS}/eid:HELD HTTP/1.1\r\nHost: erp\r\nAuthorization: {erp.headers['Authorization']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", erp.fake.port), timeout=10) as holder:
        holder.sendall(request.encode())
        erp.fake.wait_for(is_hit)
        refused = drive(erp, listing, listing, at_once=True)
    erp.fake.wait_for(is_abandoned_read)
    assert [each["status"] for each in refused] == [429, 429]
    assert "CONCURRENCY_LIMIT_EXCEEDED" in refused[0]["text"]
    (served,) = drive(erp, listing)
    assert served["value"]["count"] == 1


def test_client_sees_an_expired_session(erp: Erp) -> None:
    """A session that ends shows as HTTP401 with the vendor's text; the next call is fine: a signing token lives on."""
    erp.fake.arm("session_expired", operation="sales_order.list", count=1)
    expired, renewed = drive(erp, *[{"verb": "get", "path": "/record/v1/salesOrder"}] * 2)
    assert expired["status"] == 401
    assert "INVALID_LOGIN" in expired["text"]
    assert "Invalid login attempt." in expired["text"]
    assert renewed["value"]["count"] == 0


def test_client_with_a_wrong_secret_is_refused(erp: Erp) -> None:
    """The signature is really checked: another token secret is an invalid login."""
    (refused,) = drive(erp, {"verb": "get", "path": "/record/v1/salesOrder"}, token_secret="another")
    assert refused["status"] == 401


def test_client_has_unknown_names_refused(erp: Erp) -> None:
    """The client asks for strict names on every call, so a misspelt field is an error, not dropped."""
    (refused,) = drive(erp, {"verb": "put", "path": "/record/v1/salesOrder/eid:SO-1", "json": {"mmeo": "x"}})
    assert refused["status"] == 400
    assert "mmeo" in refused["text"]
