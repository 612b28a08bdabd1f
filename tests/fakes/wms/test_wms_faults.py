"""Faults at the warehouse: those every fake has, in its words, and the one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from fakes.wms.catalogue import CODES
from tests.fakes.wms.conftest import HEADERS, code_of

if TYPE_CHECKING:
    from tests.fakes.wms.conftest import Wms


@pytest.mark.parametrize(
    ("params", "quantity", "status", "allocated"),
    [
        ({}, 5, "partially_allocated", 2),
        ({"allocated": "half"}, 2, "partially_allocated", 1),
        ({"allocated": "half"}, 1, "backordered", 0),
        ({"allocated": "none"}, 5, "backordered", 0),
    ],
)
def test_a_partial_allocation_sends_the_rest_elsewhere(
    wms: Wms, params: dict[str, Any], quantity: int, status: str, allocated: int
) -> None:
    """The order is taken in with half its units or none; its location has no more of them, the other one has."""
    wms.fake.seed(entities=[{"name": "#411001", "aliases": ["411001"]}])
    wms.fake.arm("partial_allocation", entity="#411001", params=params)
    other = wms.create("PO-1", quantity)
    assert other["status"] == "allocated"
    order = wms.create("411001", quantity)
    assert (order["status"], order["lines"][0]["allocated"]) == (status, allocated)
    assert code_of(wms.allocate(order, "MAIN")) == (409, "nothing_to_allocate")
    allocated_order = wms.allocate(order, "EAST").json()
    assert allocated_order["status"] == "allocated"
    assert allocated_order["allocations"][-1] == {"sku": "TEE", "location": "EAST", "quantity": quantity - allocated}
    lifted = wms.fake.lift()
    assert (lifted["hits"], lifted["operation"], lifted["params"]["allocated"]) == (
        1,
        "wms_order.create",
        params.get("allocated", "half"),
    )
    [hit] = [entry for entry in wms.fake.journal("fault") if entry["event"] == "hit"]
    exchanges = {entry["id"]: entry for entry in wms.fake.journal("exchange")}
    assert (hit["entity"], exchanges[hit["exchange"]]["faults"]) == ("#411001", ["f1"])
    wms.check_sums()


def test_half_of_several_lines_is_half_of_all_units(wms: Wms) -> None:
    """Half of the order's units, rounded down, are set aside line by line, first come first served."""
    wms.fake.arm("partial_allocation")
    lines = [{"sku": "TEE", "quantity": 2}, {"sku": "MUG", "quantity": 3}]
    order = wms.client.post("/orders", json={"reference": "1", "lines": lines}).json()
    assert [line["allocated"] for line in order["lines"]] == [2, 0]


def test_people_may_find_what_was_short(wms: Wms) -> None:
    """The verb ``allocate`` is people looking again: it finds units at a location that had no more."""
    wms.fake.arm("partial_allocation", count=1)
    order = wms.create(quantity=4)
    assert wms.fake.act("allocate", order_id=order["id"], location="MAIN")["order"]["status"] == "allocated"


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "wms_order.read"},
        {"params": {"allocated": "most"}},
        {"params": {"location": "EAST"}},
    ],
)
def test_a_partial_allocation_is_of_new_orders_only(wms: Wms, fault: dict[str, Any]) -> None:
    """The fault cannot be armed where it would do nothing, nor with parameters it does not have."""
    body = {"id": "f1", "kind": "partial_allocation", **fault}
    assert wms.fake.control.post("/faults", json=body).status_code == 422
    [kind] = [one for one in wms.fake.control.get("/catalogue").json()["faults"] if one["kind"] == "partial_allocation"]
    assert (kind["direction"], kind["operation"]) == ("api", "wms_order.create")


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.code)
def test_every_code_can_be_had(wms: Wms, code: Any) -> None:
    """The fault ``error`` answers any listed code with its status, as a problem document."""
    wms.fake.arm("error", operation="wms_order.create", params={"code": code.code, "text": "because"})
    answer = wms.fake.client.post("/orders", json={}, headers=HEADERS)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (code.status, code.status)
    assert (problem["code"], problem["detail"]) == (code.code, "because")
    assert answer.headers["Content-Type"] == "application/problem+json"
    wms.document.validate({"$ref": "#/components/schemas/Problem"}, problem)
    [entry] = wms.fake.journal("exchange")
    assert entry["code"] == code.code


@pytest.mark.parametrize(
    ("kind", "params", "status", "code"),
    [
        ("status", {"status": 500}, 500, "internal_error"),
        ("status", {"status": 503, "retry_after_s": 2}, 503, "service_unavailable"),
        ("rate_limited", {"retry_after_s": 2}, 429, "rate_limited"),
        ("session_expired", {}, 401, "unauthorized"),
        ("permission_denied", {}, 403, "forbidden"),
    ],
)
def test_refusals_are_the_vendors(wms: Wms, kind: str, params: dict[str, Any], status: int, code: str) -> None:
    """Each kind of refusal comes as the document says, and nothing is written."""
    wms.fake.arm(kind, operation="wms_order.create", count=1, params=params)
    answer = wms.post()
    assert code_of(answer) == (status, code)
    assert answer.headers.get("Retry-After") == ("2" if "retry_after_s" in params else None)
    assert wms.fake.state("orders") == []
    assert wms.post().status_code == 201


@pytest.mark.parametrize(
    ("status", "code"), [(418, "validation_failed"), (451, "validation_failed"), (599, "internal_error")]
)
def test_any_status_is_a_problem(wms: Wms, status: int, code: str) -> None:
    """A status the warehouse has no code for comes under the nearest general one."""
    wms.fake.arm("status", params={"status": status})
    answer = wms.fake.client.get("/orders", headers=HEADERS)
    assert (*code_of(answer), answer.json()["status"]) == (status, code, status)


def test_an_order_that_was_not_written_leaves_no_trace(wms: Wms) -> None:
    """``not_persisted`` answers 201 with an allocated order; no order, no stock and no webhook comes of it."""
    wms.fill(10, 0)
    wms.client.post("/webhooks", json={"url": "http://127.0.0.1:1/"})
    changes = len(wms.fake.journal("change"))
    wms.fake.arm("not_persisted", operation="wms_order.create", count=1)
    ghost = wms.create(quantity=4)
    assert ghost["status"] == "allocated"
    assert wms.client.get(f"/orders/{ghost['id']}").status_code == 404
    assert (wms.stock()["allocated"], len(wms.fake.journal("change"))) == (0, changes)
    assert wms.fake.journal("delivery") == []
    assert wms.create(quantity=4)["status"] == "allocated"
    wms.check_sums()


@pytest.mark.parametrize("path", ["allocations", "cancel"])
def test_a_change_that_was_not_written_leaves_no_trace(wms: Wms, path: str) -> None:
    """``not_persisted`` on an order's changes leaves order and stock as they were."""
    wms.fill(1, 10)
    order = wms.create(quantity=4)
    before = wms.fake.state("orders"), wms.fake.state("stock")
    wms.fake.arm("not_persisted", count=1)
    answer = wms.client.post(f"/orders/{order['id']}/{path}", json={"location": "EAST"})
    assert answer.json()["status"] in {"allocated", "cancelled"}
    assert (wms.fake.state("orders"), wms.fake.state("stock")) == before


def test_subscriptions_that_were_not_written_are_not_there(wms: Wms) -> None:
    """``not_persisted`` neither makes nor ends a subscription, and journals neither."""
    made = wms.client.post("/webhooks", json={"url": "http://127.0.0.1:1/"}).json()
    entries = len(wms.fake.journal("subscription"))
    wms.fake.arm("not_persisted")
    assert wms.client.post("/webhooks", json={"url": "http://127.0.0.1:2/"}).status_code == 201
    assert wms.client.delete(f"/webhooks/{made['id']}").status_code == 204
    wms.fake.lift()
    assert wms.client.get("/webhooks").json() == {"webhooks": [made]}
    assert len(wms.fake.journal("subscription")) == entries


def test_a_lost_answer_leaves_the_order(wms: Wms) -> None:
    """``lost_response`` takes the order in; a client that sends it again is told its id."""
    wms.fake.arm("lost_response", operation="wms_order.create", count=1, params={"how": "reset"})
    with pytest.raises(httpx2.TransportError):
        wms.post("411001")
    answer = wms.post("411001")
    assert answer.json()["code"] == "duplicate_reference"
    order = wms.client.get(f"/orders/{answer.json()['order_id']}").json()
    assert order == wms.client.get("/orders", params={"reference": "411001"}).json()["orders"][0]
    [lost, _] = [one for one in wms.fake.journal("exchange") if one["operation"] == "wms_order.create"]
    assert (lost["status"], lost["withheld_status"]) == (None, 201)


@pytest.mark.parametrize("mutation", ["html", "truncated", "not_json", "empty"])
def test_an_answer_may_be_beyond_understanding(wms: Wms, mutation: str) -> None:
    """``malformed`` answers 200 with a body that is no order."""
    wms.fake.arm("malformed", operation="wms_order.create", params={"mutation": mutation})
    body = {"reference": "1", "lines": [{"sku": "TEE", "quantity": 1}]}
    answer = wms.fake.client.post("/orders", json=body, headers=HEADERS)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert wms.fake.state("orders") == []
