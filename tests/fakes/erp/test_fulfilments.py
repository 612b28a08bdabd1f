"""Item fulfilments: made of sales orders, in part or whole, and what that does to the order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.erp.conftest import FULFILMENTS, ORDERS, Erp, error_of

TEE, MUG = {"externalId": "TEE"}, {"externalId": "MUG"}
LINES = {"items": [{"item": TEE, "quantity": 3, "rate": 10}, {"item": MUG, "quantity": 2, "rate": 4}]}


def items(*lines: dict[str, Any]) -> dict[str, Any]:
    """Build the item sublist of a body."""
    return {"item": {"items": [*lines]}}


def order_of(erp: Erp) -> tuple[str, list[int]]:
    """Return the only sales order's status and how much of each of its lines is fulfilled."""
    (row,) = erp.fake.state("sales_orders")
    return row["status"], [line["fulfilled"] for line in row["lines"]]


def shipped(erp: Erp) -> list[dict[str, int]]:
    """Return what each fulfilment holds, by SKU."""
    return [{line["sku"]: line["quantity"] for line in row["lines"]} for row in erp.fake.state("item_fulfillments")]


@pytest.fixture
def erp(erp: Erp) -> Erp:
    """Bring in SO-1: three tees and two mugs."""
    erp.fake.seed(records={"sales_orders": [{"externalId": "SO-1", "item": LINES}]})
    return erp


@pytest.mark.parametrize("by", ["external id", "internal id"])
def test_transform_without_a_word_fulfils_everything(erp: Erp, by: str) -> None:
    """An empty body takes all that is open; the answer is 204 with the fulfilment's place, the order waits for its bill."""
    name = "eid:SO-1" if by == "external id" else erp.fake.state("sales_orders")[0]["id"]
    answer = erp.call("POST", f"{ORDERS}/{name}/!transform/itemFulfillment")
    assert (answer.status_code, answer.content) == (204, b"")
    (row,) = erp.fake.state("item_fulfillments")
    assert answer.headers["Location"] == f"{erp.fake.url}{FULFILMENTS}/{row['id']}"
    assert shipped(erp) == [{"TEE": 3, "MUG": 2}]
    assert order_of(erp) == ("Pending Billing", [3, 2])


def test_state_shows_fulfilments_as_the_contract_says(erp: Erp) -> None:
    """The control plane shows external id, order, memo, tracking, status and lines."""
    package = {"items": [{"packageTrackingNumber": "1Z1"}, {"packageTrackingNumber": "1Z2"}]}
    erp.fulfil("eid:SO-1", externalId="IF-1", memo="m", package=package)
    (row,) = erp.fake.state("item_fulfillments")
    names = ("external_id", "entity", "sales_order", "memo", "tracking", "status", "lines", "revision")
    assert {name: row[name] for name in names} == {
        "external_id": "IF-1",
        "entity": "SO-1",
        "sales_order": "SO-1",
        "memo": "m",
        "tracking": "1Z1 1Z2",
        "status": "Shipped",
        "lines": [{"sku": "TEE", "quantity": 3}, {"sku": "MUG", "quantity": 2}],
        "revision": 1,
    }


def test_order_without_external_id_is_shown_by_its_id(erp: Erp) -> None:
    """A fulfilment names its order by external id, else by internal id."""
    location = erp.call("POST", ORDERS, json={"item": LINES}).headers["Location"]
    record_id = location.rpartition("/")[2]
    assert erp.fulfil(record_id, linkedTrackingNumbers="1Z9").status_code == 204
    (row,) = erp.fake.state("item_fulfillments")
    assert (row["sales_order"], row["tracking"], row["entity"]) == (record_id, "1Z9", None)


def test_read_shows_the_fulfilment_and_where_it_is_from(erp: Erp) -> None:
    """A read shows the order it is from, the ship status, and the lines with the order line they are of."""
    erp.fulfil("eid:SO-1", externalId="IF-1", shipStatus={"id": "B"}, **items({"orderLine": 2, "location": 6}))
    record = erp.call("GET", f"{FULFILMENTS}/eid:IF-1?expandSubResources=true").json()
    order = erp.read("SO-1", expandSubResources="true")
    assert record["createdFrom"]["id"] == order["id"]
    assert record["createdFrom"]["refName"] == f"Sales Order #{order['tranId']}"
    assert (record["shipStatus"], record["status"]["refName"]) == ({"id": "B", "refName": "Packed"}, "Packed")
    shown = [(line["orderLine"], line["item"], line["quantity"]) for line in record["item"]["items"]]
    assert shown == [(1, TEE, 3), (2, MUG, 2)]
    assert record["item"]["items"][1]["location"] == {"id": "6"}
    assert [line["quantityFulfilled"] for line in order["item"]["items"]] == [3, 2]


@pytest.mark.parametrize(
    ("line", "query", "held", "status"),
    [
        ({"orderLine": 1, "quantity": 1}, "", {"TEE": 1, "MUG": 2}, "Partially Fulfilled"),
        ({"item": TEE, "quantity": 1}, "", {"TEE": 1, "MUG": 2}, "Partially Fulfilled"),
        ({"orderLine": 1, "itemReceive": False}, "", {"MUG": 2}, "Partially Fulfilled"),
        ({"orderLine": 1, "itemreceive": False}, "", {"MUG": 2}, "Partially Fulfilled"),
        ({"orderLine": 1, "quantity": 0}, "", {"MUG": 2}, "Partially Fulfilled"),
        ({"orderLine": 1, "itemReceive": True}, "", {"TEE": 3, "MUG": 2}, "Pending Billing"),
        ({"orderLine": 1, "quantity": 1}, "?replace=item", {"TEE": 1}, "Partially Fulfilled"),
        ({"item": MUG}, "?replace=item", {"MUG": 2}, "Partially Fulfilled"),
    ],
    ids=str,
)
def test_lines_of_the_body_change_what_is_taken(
    erp: Erp, line: dict[str, Any], query: str, held: dict[str, int], status: str
) -> None:
    """A line limits what is taken of its order line; lines that are not named are taken whole, unless the sublist is replaced."""
    assert erp.fulfil("eid:SO-1", query, **items(line)).status_code == 204
    assert shipped(erp) == [held]
    assert order_of(erp)[0] == status


def test_an_item_on_two_lines_is_taken_across_both(erp: Erp) -> None:
    """A line that names an item takes from every order line of that item, in their order; named twice, it goes on from there."""
    erp.put("SO-1", item={"items": [{"item": TEE, "quantity": 2}]})
    tees = {"item": TEE, "quantity": 2}
    assert erp.fulfil("eid:SO-1", "?replace=item", **items(tees, tees)).status_code == 204
    assert order_of(erp) == ("Partially Fulfilled", [3, 0, 1])


def test_fulfilments_add_up_until_nothing_is_open(erp: Erp) -> None:
    """Pending, partial, then whole: each fulfilment takes of what is left, and the order's status follows."""
    assert order_of(erp)[0] == "Pending Fulfillment"
    one = items({"item": TEE, "quantity": 1})
    for taken in (1, 2):
        assert erp.fulfil("eid:SO-1", "?replace=item", **one).status_code == 204
        assert order_of(erp) == ("Partially Fulfilled", [taken, 0])
    assert erp.fulfil("eid:SO-1").status_code == 204
    assert order_of(erp) == ("Pending Billing", [3, 2])
    assert shipped(erp) == [{"TEE": 1}, {"TEE": 1}, {"TEE": 1, "MUG": 2}]


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ({"orderLine": 1, "quantity": 4}, "USER_ERROR", "exceeds"),
        ({"item": TEE, "quantity": 3.5}, "USER_ERROR", "exceeds"),
        ({"orderLine": 1, "quantity": 0}, "USER_ERROR", "at least one valid line item"),
        ({"orderLine": 1, "quantity": -1}, "INVALID_CONTENT", "item.items[0].quantity"),
        ({"orderLine": 3, "quantity": 1}, "INVALID_CONTENT", "item.items[0].orderLine"),
        ({"orderLine": 1.5}, "INVALID_CONTENT", "item.items[0].orderLine"),
        ({"item": {"externalId": "CAP"}}, "INVALID_CONTENT", "item.items[0].item"),
        ({"quantity": 1}, "INVALID_CONTENT", "item.items[0].orderLine"),
    ],
    ids=str,
)
def test_what_cannot_be_fulfilled_is_refused(erp: Erp, line: dict[str, Any], code: str, text: str) -> None:
    """More than is open, nothing at all and lines the order does not have are 400, and change nothing."""
    answer = erp.fulfil("eid:SO-1", "?replace=item", **items(line))
    assert error_of(answer)[:2] == (400, code)
    assert text in error_of(answer)[2]
    assert (shipped(erp), order_of(erp)) == ([], ("Pending Fulfillment", [0, 0]))


@pytest.mark.parametrize("letter", "ACFGH")
def test_order_in_another_state_cannot_be_fulfilled(erp: Erp, letter: str) -> None:
    """An order that is pending approval, cancelled, billed or closed is an invalid reference to make a fulfilment of."""
    erp.call("PATCH", f"{ORDERS}/eid:SO-1", json={"orderStatus": {"id": letter}})
    status, code, text = error_of(erp.fulfil("eid:SO-1"))
    assert (status, code) == (400, "USER_ERROR")
    assert "You can not initialize itemFulfillment: invalid reference" in text
    assert shipped(erp) == []


def test_order_fulfilled_whole_cannot_be_fulfilled_again(erp: Erp) -> None:
    """A second whole fulfilment without an external id finds nothing open."""
    erp.fulfil("eid:SO-1")
    assert error_of(erp.fulfil("eid:SO-1"))[:2] == (400, "USER_ERROR")
    assert len(shipped(erp)) == 1


def test_closed_lines_are_not_fulfilled(erp: Erp) -> None:
    """A closed line is left out, and an order whose other lines are fulfilled is done."""
    erp.call("PATCH", f"{ORDERS}/eid:SO-1", json=items({"line": 2, "isClosed": True}))
    assert erp.fulfil("eid:SO-1").status_code == 204
    assert (shipped(erp), order_of(erp)[0]) == ([{"TEE": 3}], "Pending Billing")


def test_used_external_id_is_refused_before_anything_else(erp: Erp) -> None:
    """A second fulfilment under one external id exists already, whether anything is open or not."""
    part = items({"item": TEE, "quantity": 1})
    assert erp.fulfil("eid:SO-1", "?replace=item", externalId="IF-1", **part).status_code == 204
    for _ in range(2):
        status, code, text = error_of(erp.fulfil("eid:SO-1", externalId="IF-1"))
        assert (status, code) == (400, "USER_ERROR")
        assert text.endswith("This record already exists.")
        erp.fulfil("eid:SO-1")
    assert len(shipped(erp)) == 2


def test_without_external_id_nothing_is_idempotent(erp: Erp) -> None:
    """The same partial transform sent twice posts two fulfilments, as long as there is enough open."""
    part = items({"item": TEE, "quantity": 1})
    assert [erp.fulfil("eid:SO-1", "?replace=item", **part).status_code for _ in range(4)] == [204, 204, 204, 400]
    assert shipped(erp) == [{"TEE": 1}] * 3


def test_fulfilments_are_never_made_by_themselves(erp: Erp) -> None:
    """A fulfilment comes from an order only: creating or upserting one is no method of its paths."""
    assert error_of(erp.call("POST", FULFILMENTS, json={}))[:2] == (405, "METHOD_NOT_ALLOWED")
    assert error_of(erp.call("PUT", f"{FULFILMENTS}/eid:IF-1", json={}))[:2] == (405, "METHOD_NOT_ALLOWED")
    assert error_of(erp.fulfil("eid:NONE"))[:2] == (404, "NONEXISTENT_ID")
    assert error_of(erp.fulfil("1"))[:2] == (404, "NONEXISTENT_ID")
    assert error_of(erp.fulfil("eid:a.b"))[:2] == (400, "INVALID_ID")


def test_update_writes_fields_and_leaves_the_lines(erp: Erp) -> None:
    """A tracking number or a ship status comes later; the order is not touched by it."""
    erp.fulfil("eid:SO-1", externalId="IF-1", shipStatus={"id": "A"})
    package = {"items": [{"packageTrackingNumber": "1Z"}]}
    changed = erp.call("PATCH", f"{FULFILMENTS}/eid:IF-1", json={"package": package, "shipStatus": "C", "memo": "late"})
    assert changed.status_code == 204
    (row,) = erp.fake.state("item_fulfillments")
    assert (row["tracking"], row["status"], row["memo"], row["revision"]) == ("1Z", "Shipped", "late", 2)
    assert erp.fake.state("sales_orders")[0]["revision"] == 2


def test_update_may_not_take_the_external_id_of_another(erp: Erp) -> None:
    """An external id belongs to one fulfilment."""
    part = items({"item": TEE, "quantity": 1})
    for name in ("IF-1", "IF-2"):
        erp.fulfil("eid:SO-1", "?replace=item", externalId=name, **part)
    for more in ({}, items({"item": TEE, "quantity": 2})):
        answer = erp.call("PATCH", f"{FULFILMENTS}/eid:IF-2", json={"externalId": "IF-1", **more})
        assert error_of(answer)[:2] == (400, "USER_ERROR")
    assert order_of(erp) == ("Partially Fulfilled", [2, 0])


@pytest.mark.parametrize("name", [{"orderLine": 1}, {"line": 1}, {"item": TEE}], ids=str)
def test_update_of_quantities_moves_the_order_too(erp: Erp, name: dict[str, Any]) -> None:
    """Lines changed on a fulfilment open or take of the order; beyond what is ordered they are refused."""
    erp.fulfil("eid:SO-1", externalId="IF-1")
    path = f"{FULFILMENTS}/eid:IF-1"
    assert erp.call("PATCH", path, json=items({**name, "quantity": 1})).status_code == 204
    assert (shipped(erp), order_of(erp)) == ([{"TEE": 1, "MUG": 2}], ("Partially Fulfilled", [1, 2]))
    assert error_of(erp.call("PATCH", path, json=items({**name, "quantity": 4})))[:2] == (400, "USER_ERROR")
    assert erp.call("PATCH", path, json=items({**name, "quantity": 0})).status_code == 204
    assert (shipped(erp), order_of(erp)) == ([{"MUG": 2}], ("Partially Fulfilled", [0, 2]))
    assert erp.call("PATCH", f"{path}?replace=item", json=items({"item": TEE, "quantity": 3})).status_code == 204
    assert (shipped(erp), order_of(erp)) == ([{"TEE": 3}], ("Partially Fulfilled", [3, 0]))


def test_update_takes_no_more_of_an_order_that_was_closed(erp: Erp) -> None:
    """Once its order is closed a fulfilment may give back, but take nothing more."""
    erp.fulfil("eid:SO-1", "?replace=item", externalId="IF-1", **items({"item": TEE, "quantity": 2}))
    erp.call("PATCH", f"{ORDERS}/eid:SO-1", json={"orderStatus": {"id": "H"}})
    path = f"{FULFILMENTS}/eid:IF-1"
    assert error_of(erp.call("PATCH", path, json=items({"item": TEE, "quantity": 3})))[:2] == (400, "USER_ERROR")
    assert erp.call("PATCH", path, json=items({"item": TEE, "quantity": 1})).status_code == 204
    assert order_of(erp) == ("Closed", [1, 0])


def test_delete_opens_the_order_again(erp: Erp) -> None:
    """What a deleted fulfilment took is open again, its external id free."""
    erp.fulfil("eid:SO-1", externalId="IF-1")
    assert erp.call("DELETE", f"{FULFILMENTS}/eid:IF-1").status_code == 204
    assert (shipped(erp), order_of(erp)) == ([], ("Pending Fulfillment", [0, 0]))
    assert erp.fulfil("eid:SO-1", externalId="IF-1").status_code == 204


def test_order_that_was_fulfilled_stays(erp: Erp) -> None:
    """A sales order cannot be deleted from under its fulfilment; without one it can."""
    erp.fulfil("eid:SO-1", externalId="IF-1")
    status, code, text = error_of(erp.call("DELETE", f"{ORDERS}/eid:SO-1"))
    assert (status, code) == (400, "USER_ERROR")
    assert "dependent records" in text
    erp.call("DELETE", f"{FULFILMENTS}/eid:IF-1")
    assert erp.call("DELETE", f"{ORDERS}/eid:SO-1").status_code == 204


def test_rewriting_an_order_keeps_what_was_fulfilled(erp: Erp) -> None:
    """Lines that replace others take over what was fulfilled of their items; lines that are added open the order again."""
    erp.fulfil("eid:SO-1")
    erp.put("SO-1", "?replace=item", item={"items": [LINES["items"][1], LINES["items"][0]]})
    assert order_of(erp) == ("Pending Billing", [2, 3])
    erp.put("SO-1", item={"items": [{"item": {"externalId": "CAP"}, "quantity": 1}]})
    assert order_of(erp) == ("Partially Fulfilled", [2, 3, 0])
    assert erp.fulfil("eid:SO-1").status_code == 204
    assert shipped(erp) == [{"TEE": 3, "MUG": 2}, {"CAP": 1}]


@pytest.mark.parametrize(
    ("query", "line"),
    [("", {"line": 1, "quantity": 2}), ("?replace=item", {"item": TEE, "quantity": 3}), ("?replace=item", {"line": 1})],
    ids=str,
)
def test_order_may_not_shrink_below_what_was_fulfilled(erp: Erp, query: str, line: dict[str, Any]) -> None:
    """Taking away units or lines that were fulfilled already is refused and changes nothing."""
    erp.fulfil("eid:SO-1")
    assert error_of(erp.put("SO-1", query, **items(line)))[:2] == (400, "USER_ERROR")
    assert order_of(erp) == ("Pending Billing", [3, 2])


def test_an_amount_of_its_own_survives_being_fulfilled(erp: Erp) -> None:
    """Fulfilling a line does not price it anew."""
    erp.put("SO-2", item={"items": [{"item": TEE, "quantity": 2, "rate": 10, "amount": 15}]})
    erp.fulfil("eid:SO-2")
    assert erp.read("SO-2")["total"] == 15


def test_fulfilments_are_listed_and_found(erp: Erp) -> None:
    """Lists filter fulfilments by their fields and by the order they are from."""
    erp.fake.seed(records={"sales_orders": [{"externalId": "SO-2", "item": LINES}]})
    erp.fulfil("eid:SO-1", externalId="IF-1")
    erp.fulfil("eid:SO-2", externalId="IF-2")
    first, second = (row["id"] for row in erp.fake.state("item_fulfillments"))
    order_id = erp.fake.state("sales_orders")[1]["id"]
    found = [
        [row["id"] for row in erp.call("GET", FULFILMENTS, params={"q": q}).json()["items"]]
        for q in ('externalId IS "IF-1"', f"createdFrom ANY_OF [{order_id}]")
    ]
    assert found == [[first], [second]]
    assert erp.call("GET", FULFILMENTS).json()["totalResults"] == 2


def test_fulfilments_may_be_seeded(erp: Erp) -> None:
    """A fulfilment comes in with the external id of its order; one of no order, or beyond it, is refused."""
    body = {"externalId": "IF-1", "createdFrom": {"externalId": "SO-1"}, **items({"item": TEE, "quantity": 2})}
    erp.fake.seed(records={"item_fulfillments": [body]})
    assert (shipped(erp), order_of(erp)) == ([{"TEE": 2}], ("Partially Fulfilled", [2, 0]))
    for wrong in ({}, {"createdFrom": {"externalId": "NONE"}}, {**body, "externalId": "IF-2"}, {"createdFrom": 1}):
        answer = erp.fake.control.post("/seed", json={"records": {"item_fulfillments": [wrong]}})
        assert answer.status_code == 422
        assert "item_fulfillments" in answer.json()["detail"]
