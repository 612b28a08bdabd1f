"""Which order a call is about, as the journal tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import CUSTOMERS, ORDERS, Erp

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
