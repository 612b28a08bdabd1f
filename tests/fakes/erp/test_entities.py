"""Which order a call is about, as the journal tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import CREDITS, CUSTOMERS, FULFILMENTS, ORDERS, Erp

ORDER = {"name": "#411001", "aliases": ["6411001", "411001", "#411001"]}


def last_exchange(erp: Erp) -> dict[str, Any]:
    """Return the newest exchange of the journal."""
    return erp.fake.journal("exchange")[-1]


@pytest.fixture
def erp(erp: Erp) -> Erp:
    """Register one order."""
    erp.fake.seed(entities=[ORDER])
    erp.login()
    return erp


@pytest.mark.parametrize(
    "body",
    [
        {"externalId": "SO-6411001"},
        {"externalId": "6411001"},
        {"externalId": "X-1", "memo": "web order #411001, gift"},
        {"otherRefNum": "411001"},
        {"otherRefNum": 411001},
        {"tranId": "web_411001"},
    ],
    ids=str,
)
def test_references_of_a_body_name_the_order(erp: Erp, body: dict[str, Any]) -> None:
    """External id, memo, other reference and transaction number each tell; the record is linked from then on."""
    location = erp.call("POST", ORDERS, json=body).headers["Location"]
    entry = last_exchange(erp)
    assert (entry["operation"], entry["entity"], entry["key"]) == (
        "sales_order.create",
        "#411001",
        body.get("externalId"),
    )
    for method, operation in (("GET", "read"), ("PATCH", "update"), ("DELETE", "delete")):
        erp.call(method, location, **({"json": {}} if method == "PATCH" else {}))
        entry = last_exchange(erp)
        assert (entry["operation"], entry["entity"]) == (f"sales_order.{operation}", "#411001")
        assert entry["key"] == body.get("externalId")
    changes = [entry for entry in erp.fake.journal("change") if entry["collection"] == "sales_orders"]
    assert [(each["action"], each["entity"]) for each in changes] == [
        ("created", "#411001"),
        ("updated", "#411001"),
        ("deleted", "#411001"),
    ]
    assert {each["record"]["entity"] for each in changes} == {"#411001"}


def test_external_id_of_a_path_names_the_order(erp: Erp) -> None:
    """The `eid:` path tells, before and after the record exists, with the colon encoded or not."""
    for path in (f"{ORDERS}/eid:SO-6411001", f"{ORDERS}/eid%3ASO-6411001"):
        for method in ("GET", "PUT", "GET"):
            erp.call(method, path, **({"json": {}} if method == "PUT" else {}))
            entry = last_exchange(erp)
            assert (entry["entity"], entry["key"], entry["shared"]) == ("#411001", "SO-6411001", False)
    assert len(erp.fake.state("sales_orders")) == 1


@pytest.mark.parametrize("external_id", ["SO-64110011", "SO-16411001", "SO_411001x", "C-1"])
def test_external_id_of_no_order_is_its_own_entity(erp: Erp, external_id: str) -> None:
    """An alias inside a longer token is no reference: such an external id stands for itself."""
    erp.put(external_id)
    assert last_exchange(erp)["entity"] == external_id
    assert erp.fake.state("sales_orders")[0]["entity"] == external_id


def test_order_is_known_even_when_the_call_is_refused(erp: Erp) -> None:
    """Refused calls are attributed too: bad content, a dead session, a body beyond its path."""
    erp.put("SO-6411001", memo=["bad"])
    assert (last_exchange(erp)["status"], last_exchange(erp)["entity"]) == (400, "#411001")
    erp.call("PUT", f"{ORDERS}/eid:SO-6411001", content=b"{", headers={"Content-Type": "application/json"})
    assert (last_exchange(erp)["status"], last_exchange(erp)["entity"]) == (400, "#411001")
    erp.fake.act("expire-sessions")
    erp.put("SO-6411001")
    entry = last_exchange(erp)
    assert (entry["status"], entry["code"], entry["entity"]) == (401, "INVALID_LOGIN", "#411001")


def test_calls_without_an_order_are_shared_or_nobodys(erp: Erp) -> None:
    """Tokens, lists and queries are shared; a create that names nothing has no entity."""
    erp.call("GET", ORDERS, params={"q": "externalId IS SO-6411001"})
    erp.suiteql("SELECT id FROM transaction WHERE externalid = 'SO-6411001'")
    erp.call("GET", CUSTOMERS)
    shared = [(entry["operation"], entry["shared"], entry["entity"]) for entry in erp.fake.journal("exchange")]
    assert shared == [
        ("token.create", True, None),
        ("sales_order.list", True, None),
        ("suiteql.query", True, None),
        ("customer.list", True, None),
    ]
    erp.call("POST", ORDERS, json={"memo": "no reference"})
    entry = last_exchange(erp)
    assert (entry["entity"], entry["key"], entry["shared"]) == (None, None, False)


LINES = {"items": [{"item": {"externalId": "TEE"}, "quantity": 2, "rate": 5}]}


@pytest.mark.parametrize("by", ["external id", "internal id"])
@pytest.mark.parametrize("body", [{}, {"externalId": "IF-1"}, {"memo": "#411002"}], ids=str)
def test_fulfilment_is_about_the_order_it_is_from(erp: Erp, by: str, body: dict[str, Any]) -> None:
    """A transform concerns its sales order's order, whatever its body says; so does the fulfilment from then on."""
    erp.fake.seed(entities=[{"name": "#411002", "aliases": ["411002"]}])
    location = erp.call("POST", ORDERS, json={"externalId": "SHP-411001", "item": LINES}).headers["Location"]
    answer = erp.fulfil("eid:SHP-411001" if by == "external id" else location.rpartition("/")[2], **body)
    entry = last_exchange(erp)
    assert (entry["operation"], entry["entity"], entry["key"]) == (
        "item_fulfillment.transform",
        "#411001",
        body.get("externalId"),
    )
    created, moved = erp.fake.journal("change")[-2:]
    assert (created["collection"], created["action"], created["entity"]) == ("item_fulfillments", "created", "#411001")
    assert (moved["collection"], moved["action"], moved["entity"]) == ("sales_orders", "updated", "#411001")
    assert created["exchange"] == moved["exchange"] == entry["id"]
    for method, operation in (("GET", "read"), ("DELETE", "delete")):
        erp.call(method, answer.headers["Location"])
        entry = last_exchange(erp)
        assert (entry["operation"], entry["entity"]) == (f"item_fulfillment.{operation}", "#411001")


def test_fulfilment_may_name_the_order_its_sales_order_does_not(erp: Erp) -> None:
    """A sales order nobody could place is placed by what a fulfilment says; later ones need not say it again."""
    record_id = erp.call("POST", ORDERS, json={"item": LINES}).headers["Location"].rpartition("/")[2]
    one = {"items": [{"orderLine": 1, "quantity": 1}]}
    for body in ({"memo": "web order 411001"}, {}):
        assert erp.fulfil(record_id, item=one, **body).status_code == 204
        assert last_exchange(erp)["entity"] == "#411001"
    assert [row["entity"] for row in erp.fake.state("item_fulfillments")] == ["#411001", "#411001"]


def test_refused_transforms_are_known_too(erp: Erp) -> None:
    """A transform of an order that is not there is about the order its path names."""
    erp.fulfil("eid:SHP-411001", externalId="IF-1")
    assert (last_exchange(erp)["status"], last_exchange(erp)["entity"]) == (404, "#411001")
    erp.fulfil("eid:SO-9", externalId="IF-1")
    assert (last_exchange(erp)["entity"], last_exchange(erp)["key"]) == ("SO-9", "IF-1")
    erp.fulfil("99", externalId="IF-411001")
    assert last_exchange(erp)["entity"] == "#411001"
    erp.fulfil("99")
    assert (last_exchange(erp)["entity"], last_exchange(erp)["key"]) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        {"externalId": "CM-6411001-1"},
        {"externalId": "CM-1", "memo": "refund of #411001"},
        {"externalId": "CM-1", "createdFrom": {"externalId": "SO-X"}},
        {"externalId": "CM-1", "createdFrom": {"id": "<id>"}},
        {"externalId": "CM-1", "createdFrom": "<id>"},
        {"externalId": "CM-1", "createdFrom": {"externalId": "SHP-411001"}},
    ],
    ids=str,
)
def test_credit_memo_names_its_order(erp: Erp, body: dict[str, Any]) -> None:
    """External id, memo and the sales order it comes from each tell which order a credit memo is about."""
    erp.put("SO-X", otherRefNum="411001")
    record_id = erp.fake.state("sales_orders")[0]["id"]
    source = body.get("createdFrom")
    given = {"id": record_id} if source == {"id": "<id>"} else record_id if source == "<id>" else source
    erp.call("POST", CREDITS, json={**body, "createdFrom": given})
    assert (last_exchange(erp)["entity"], last_exchange(erp)["key"]) == ("#411001", body["externalId"])
    erp.call("GET", f"{CREDITS}/eid:{body['externalId']}")
    assert (last_exchange(erp)["operation"], last_exchange(erp)["entity"]) == ("credit_memo.read", "#411001")
    assert erp.fake.state("credit_memos")[0]["entity"] == "#411001"


def test_lists_of_new_types_are_shared(erp: Erp) -> None:
    """Lists of fulfilments and credit memos serve no single order."""
    for path in (FULFILMENTS, CREDITS):
        erp.call("GET", path, params={"q": "externalId IS SHP-411001"})
        assert (last_exchange(erp)["shared"], last_exchange(erp)["entity"]) == (True, None)


def test_seeded_records_belong_to_their_order(erp: Erp) -> None:
    """A record brought in over the control plane is attributed by its own references."""
    erp.fake.seed(records={"sales_orders": [{"externalId": "X-1", "otherRefNum": "411001"}, {"externalId": "X-2"}]})
    assert [row["entity"] for row in erp.fake.state("sales_orders")] == ["#411001", "X-2"]


def test_changes_name_the_exchange_that_made_them(erp: Erp) -> None:
    """Each change carries the id of its exchange; acts of the control plane have none."""
    erp.put("SO-6411001")
    change = erp.fake.journal("change")[-1]
    assert change["exchange"] == last_exchange(erp)["id"]
    erp.fake.act("expire-sessions")
    assert erp.fake.journal("change")[-1]["exchange"] is None
