"""What happens in the warehouse by itself: picking, packing, shipping, counting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.fakes.wms.conftest import Wms


def refusal(wms: Wms, verb: str, **params: Any) -> int:
    """Run a verb that is expected to be refused and return the status."""
    answer = wms.fake.control.post(f"/act/{verb}", json=params)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code


def test_an_order_goes_through_the_warehouse(wms: Wms) -> None:
    """Pick, pack and ship move an order on, and its stock leaves with the shipment only."""
    wms.fill(10, 0)
    order = wms.create(quantity=4)
    assert wms.fake.act("pick", order_id=order["id"])["order"]["status"] == "picking"
    assert wms.fake.act("pack", order_id=order["id"])["order"]["status"] == "packed"
    assert (wms.stock()["on_hand"], wms.stock()["allocated"]) == (10, 4)
    result = wms.fake.act("ship", order_id=order["id"], tracking="1Z999", carrier="UPS")
    assert result["order"]["status"] == "shipped"
    [shipment] = wms.read(order)["shipments"]
    assert (shipment["tracking"], shipment["carrier"], shipment["location"]) == ("1Z999", "UPS", "MAIN")
    assert shipment["lines"] == [{"sku": "TEE", "quantity": 4}]
    [record] = wms.fake.state("shipments")
    assert record == {**shipment, "order_id": order["id"], "reference": "411001", "entity": "411001"}
    assert result["shipments"] == [record]
    assert (wms.stock()["on_hand"], wms.stock()["allocated"], wms.stock()["shipped"]) == (6, 0, 4)
    for verb in ("ship", "pick", "pack", "short-pick", "hold"):
        assert refusal(wms, verb, order_id=order["id"]) == 409


def test_an_order_is_shipped_in_parts(wms: Wms) -> None:
    """Some lines may leave earlier: partially shipped until the rest follows, each shipment with a tracking of its own."""
    lines = [{"sku": "TEE", "quantity": 3}, {"sku": "MUG", "quantity": 1}]
    order = wms.client.post("/orders", json={"reference": "1", "lines": lines}).json()
    first = wms.fake.act("ship", order_id=order["id"], lines=[{"sku": "TEE", "quantity": 2}])
    assert first["order"]["status"] == "partially_shipped"
    assert refusal(wms, "ship", order_id=order["id"], lines=[{"sku": "TEE", "quantity": 2}]) == 409
    assert refusal(wms, "ship", order_id=order["id"], lines=[{"sku": "CAP", "quantity": 1}]) == 409
    assert refusal(wms, "cancel", order_id=order["id"]) == 409
    second = wms.fake.act("ship", order_id=order["id"])
    assert second["order"]["status"] == "shipped"
    shipments = wms.read(order)["shipments"]
    assert [one["lines"] for one in shipments] == [
        [{"sku": "TEE", "quantity": 2}],
        [{"sku": "TEE", "quantity": 1}, {"sku": "MUG", "quantity": 1}],
    ]
    assert shipments[0]["tracking"] != shipments[1]["tracking"]
    wms.check_sums()


def test_two_locations_ship_apart(wms: Wms) -> None:
    """An order set aside at two locations leaves as two shipments, each location's stock by its own."""
    wms.fill(2, 5)
    order = wms.create(quantity=3)
    wms.allocate(order, "EAST")
    shipments = wms.fake.act("ship", order_id=order["id"], tracking="T1")["shipments"]
    assert [(one["location"], one["lines"][0]["quantity"]) for one in shipments] == [("MAIN", 2), ("EAST", 1)]
    assert shipments[0]["tracking"] == "T1" != shipments[1]["tracking"]
    assert (wms.stock(location="MAIN")["on_hand"], wms.stock(location="EAST")["on_hand"]) == (0, 4)
    wms.check_sums()


def test_a_short_pick_leaves_a_rest(wms: Wms) -> None:
    """Units that are not found are written off, the others are picked, and the rest can come from the other location."""
    wms.fill(10, 10)
    order = wms.create(quantity=3)
    short = wms.fake.act("short-pick", order_id=order["id"], quantity=2, reason="damaged")["order"]
    assert (short["status"], short["lines"][0]["allocated"], short["lines"][0]["picked"]) == ("picking", 1, 1)
    assert short["short_picks"] == [{"sku": "TEE", "location": "MAIN", "quantity": 2, "reason": "damaged"}]
    assert (wms.stock()["adjusted"], wms.stock()["available"]) == (-2, 7)
    assert wms.allocate(order, "MAIN").json()["code"] == "nothing_to_allocate"
    assert wms.allocate(order, "EAST").json()["lines"][0]["allocated"] == 3
    assert wms.fake.act("ship", order_id=order["id"])["order"]["status"] == "shipped"
    wms.check_sums()


def test_a_short_pick_of_everything_is_a_backorder(wms: Wms) -> None:
    """When nothing is found the order is backordered, and may still be cancelled."""
    wms.fill(2, 0)
    order = wms.create(quantity=2)
    assert refusal(wms, "short-pick", order_id=order["id"], quantity=3) == 409
    assert refusal(wms, "short-pick", order_id=order["id"], sku="MUG") == 409
    assert wms.fake.act("short-pick", order_id=order["id"], sku="TEE", quantity=2)["order"]["status"] == "backordered"
    assert refusal(wms, "ship", order_id=order["id"]) == 409
    assert wms.fake.act("cancel", order_id=order["id"])["order"]["status"] == "cancelled"
    wms.check_sums()


def test_backorders_are_filled_when_goods_come(wms: Wms) -> None:
    """Received goods count as such, and an order can be allocated from them: the preferred location first."""
    wms.fill(0, 0)
    order = wms.create(quantity=5)
    assert refusal(wms, "allocate", order_id=order["id"]) == 409
    assert wms.fake.act("receive-stock", sku="TEE", quantity=3)["stock"]["received"] == 3
    wms.fake.act("receive-stock", sku="TEE", location="EAST", quantity=9)
    allocated = wms.fake.act("allocate", order_id=order["id"])["order"]
    assert [(one["location"], one["quantity"]) for one in allocated["allocations"]] == [("MAIN", 3), ("EAST", 2)]
    assert refusal(wms, "allocate", order_id=order["id"]) == 409
    wms.check_sums()


def test_a_new_order_may_wait(wms: Wms) -> None:
    """With automatic allocation off an order is received until somebody allocates it."""
    wms.fake.seed(settings={"auto_allocate": False})
    order = wms.create()
    assert order["status"] == "received"
    assert wms.fake.act("allocate", order_id=order["id"])["order"]["status"] == "allocated"


def test_an_order_on_hold_rests(wms: Wms) -> None:
    """An order on hold cannot be worked on until it is released."""
    order = wms.create()
    assert refusal(wms, "release", order_id=order["id"]) == 409
    assert wms.fake.act("hold", order_id=order["id"])["order"]["status"] == "held"
    for verb in ("pick", "pack", "ship", "short-pick", "hold"):
        assert refusal(wms, verb, order_id=order["id"]) == 409
    assert wms.fake.act("release", order_id=order["id"])["order"]["status"] == "allocated"
    wms.fake.act("pick", order_id=order["id"])
    assert refusal(wms, "hold", order_id=order["id"]) == 409


@pytest.mark.parametrize("name", ["#411001", "411001", "6411001"])
@pytest.mark.parametrize("reference", ["#411001", "411001", "411001-E"])
def test_orders_go_by_every_name_they_have(wms: Wms, reference: str, name: str) -> None:
    """A reference with an order's token is that order's, and verbs find it by any alias; the storefront's id is ignored."""
    wms.fake.seed(entities=[{"name": "#411001", "aliases": ["6411001", "411001"]}])
    order = wms.create(reference)
    wms.read(order)
    wms.allocate(order, "EAST")
    wms.fake.act("ship", entity=name, id="6411001")
    assert [one["entity"] for one in wms.fake.state("orders") + wms.fake.state("shipments")] == ["#411001"] * 2
    assert {(one["operation"], one["entity"]) for one in wms.fake.journal("exchange")} == {
        ("wms_order.create", "#411001"),
        ("wms_order.read", "#411001"),
        ("wms_order.allocate", "#411001"),
    }
    [made] = [one for one in wms.fake.journal("exchange") if one["operation"] == "wms_order.create"]
    assert made["key"] == reference


def test_a_reference_of_nobody_is_its_own(wms: Wms) -> None:
    """A reference that fits no registered order is its own entity."""
    wms.create("PO-77")
    assert [one["entity"] for one in wms.fake.state("orders")] == ["PO-77"]
    assert wms.fake.act("ship", entity="PO-77")["order"]["status"] == "shipped"


def test_of_two_orders_the_oldest_standing_is_meant(wms: Wms) -> None:
    """When an order came twice, verbs by its name mean the older one that is not cancelled."""
    wms.fake.seed(entities=[{"name": "#411001", "aliases": ["411001"]}])
    first, second = wms.create("411001"), wms.create("411001-E")
    wms.fake.act("hold", entity="411001")
    assert (wms.read(first)["status"], wms.read(second)["status"]) == ("held", "allocated")
    wms.fake.act("cancel", entity="411001")
    assert wms.fake.act("ship", entity="411001")["order"]["id"] == second["id"]


@pytest.mark.parametrize("verb", ["ship", "allocate", "pick", "pack", "cancel", "short-pick", "deliver", "hold"])
def test_verbs_need_an_order(wms: Wms, verb: str) -> None:
    """A verb about an order that is not there is a 404, one about no order a 422."""
    assert refusal(wms, verb, entity="#411001") == 404
    assert refusal(wms, verb, order_id="ord_nope") == 404
    assert refusal(wms, verb, id="6411001") == 422


def test_items_are_reserved_in_silence(wms: Wms) -> None:
    """Reserved items are new single tokens with old opening stock at both locations, and are what their changes are about."""
    items = [one["sku"] for one in wms.fake.act("reserve-items", count=3)["items"]]
    assert len(set(items)) == 3
    assert all(sku.isalnum() for sku in items)
    levels = {(one["sku"], one["location"], one["opening"], one["entity"]) for one in wms.fake.state("stock")}
    assert levels == {(sku, at, n, sku) for sku in items for at, n in (("MAIN", 100), ("EAST", 50))}
    assert {entry["entity"] for entry in wms.fake.journal("change")} == set(items)
    since = (datetime.now(UTC) - timedelta(minutes=50)).isoformat()
    assert wms.client.get("/inventory", params={"updated_since": since}).json()["items"] == []
    wms.fake.act("adjust-stock", sku=items[1], location="EAST", delta=-3)
    [changed] = wms.client.get("/inventory", params={"updated_since": since}).json()["items"]
    assert (changed["sku"], changed["location"], changed["available"]) == (items[1], "EAST", 47)
    wms.fake.reset()
    assert wms.fake.act("reserve-items")["items"][0]["sku"] not in items


def test_stock_is_adjusted_within_what_is_free(wms: Wms) -> None:
    """An adjustment moves what is on hand and available, but not below what is set aside."""
    wms.fill(10, 5)
    wms.create(quantity=4)
    stock = wms.fake.act("adjust-stock", sku="TEE", location="MAIN", delta=-6, reason="shrinkage")["stock"]
    assert (stock["on_hand"], stock["available"], stock["adjusted"]) == (4, 0, -6)
    assert refusal(wms, "adjust-stock", sku="TEE", location="MAIN", delta=-1) == 409
    assert refusal(wms, "adjust-stock", sku="NEVER", location="MAIN", delta=1) == 409
    assert refusal(wms, "adjust-stock", sku="TEE", location="WEST", delta=1) == 422
    change = wms.fake.journal("change")[-1]
    assert (change["collection"], change["entity"], change["record"]["available"]) == ("stock", "TEE", 0)
    wms.check_sums()


def test_seeding_stock_sets_what_is_there(wms: Wms) -> None:
    """Seeded stock opens a record, and corrects one that is there; below what is set aside it is refused."""
    wms.fill(10, 5)
    wms.fill(10, 7)
    assert [(one["opening"], one["adjusted"], one["on_hand"]) for one in wms.fake.state("stock")] == [
        (10, 0, 10),
        (5, 2, 7),
    ]
    wms.create(quantity=4)
    body = {"records": {"stock": [{"sku": "TEE", "location": "MAIN", "on_hand": 3}]}}
    assert wms.fake.control.post("/seed", json=body).status_code == 409
    wms.check_sums()


def test_a_snapshot_counts_everything(wms: Wms) -> None:
    """A snapshot tells what lies where at one moment, of all locations or one."""
    wms.fill(10, 5)
    result = wms.fake.act("snapshot")
    assert [(one["location"], one["on_hand"]) for one in result["items"]] == [("MAIN", 10), ("EAST", 5)]
    assert [one["location"] for one in wms.fake.act("snapshot", location="EAST")["items"]] == ["EAST"]


def test_stock_is_listed_by_what_is_asked(wms: Wms) -> None:
    """The stock list is filtered by item, location and time: everything that changed shows up, shipped and set aside alike."""
    wms.fill(10, 5)
    wms.fill(3, 0, sku="MUG")
    listed = wms.client.get("/inventory").json()["items"]
    assert [(one["sku"], one["location"], one["available"]) for one in listed] == [
        ("TEE", "MAIN", 10),
        ("TEE", "EAST", 5),
        ("MUG", "MAIN", 3),
        ("MUG", "EAST", 0),
    ]
    assert len(wms.client.get("/inventory", params={"location": "EAST"}).json()["items"]) == 2
    assert len(wms.client.get("/inventory", params={"sku": "MUG", "location": "MAIN"}).json()["items"]) == 1
    order = wms.create(quantity=2)
    since = {"updated_since": order["created_at"]}
    assert [(one["sku"], one["available"]) for one in wms.client.get("/inventory", params=since).json()["items"]] == [
        ("TEE", 8)
    ]
    wms.fake.act("ship", order_id=order["id"])
    [changed] = wms.client.get("/inventory", params=since).json()["items"]
    assert (changed["on_hand"], changed["allocated"], changed["available"]) == (8, 0, 8)
    again = wms.client.get("/inventory", params={"updated_since": changed["updated_at"]}).json()["items"]
    assert again == [changed]


def test_stock_pages_lose_nothing(wms: Wms) -> None:
    """Going through the pages of stock shows every item at every location, with what changes meanwhile at the end."""
    items = [one["sku"] for one in wms.fake.act("reserve-items", count=5)["items"]]
    seen: dict[tuple[str, str], int] = {}
    params = {"limit": "4"}
    while params:
        page = wms.client.get("/inventory", params=params).json()
        seen |= {(one["sku"], one["location"]): one["available"] for one in page["items"]}
        if len(seen) == 4:
            wms.fake.act("adjust-stock", sku=items[0], location="MAIN", delta=-1)
        params = {"limit": "4", "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == {
        **{(sku, "MAIN"): 100 for sku in items},
        **{(sku, "EAST"): 50 for sku in items},
        (items[0], "MAIN"): 99,
    }
