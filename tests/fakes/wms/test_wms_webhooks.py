"""Webhooks as the warehouse sends them, read with the library receivers use."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks

from tests.fakes.wms.conftest import code_of

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver
    from tests.fakes.wms.conftest import Wms

from tests.fakes.wms.webhooks import SECRET, deliveries, read, subscribe, verifies


def test_a_shipment_is_announced_signed(wms: Wms, receiver: Receiver) -> None:
    """A shipment comes signed by Standard Webhooks, under the entity of its order, with everything a write-back needs."""
    subscribe(wms, receiver, "order.shipped")
    wms.fake.seed(entities=[{"name": "#411001", "aliases": ["411001"]}])
    order = wms.create("411001", 2)
    [shipment] = wms.fake.act("ship", order_id=order["id"])["shipments"]
    [got] = receiver.wait(1)
    event = read(wms, got)
    shown = {name: shipment[name] for name in ("id", "tracking", "carrier", "location", "shipped_at", "lines")}
    assert event == {
        "type": "order.shipped",
        "timestamp": shipment["shipped_at"],
        "data": {"order_id": order["id"], "reference": "411001", "shipment": shown, "status": "shipped"},
    }
    [entry] = deliveries(wms, 1)
    assert (entry["webhook_id"], entry["entity"], entry["topic"]) == (
        got.headers["webhook-id"],
        "#411001",
        "order.shipped",
    )
    assert entry["outcome"] == "delivered"


def test_the_signature_is_the_standards(wms: Wms, receiver: Receiver) -> None:
    """The signature is base64 of HMAC-SHA256 with the decoded secret over id, timestamp and body, joined by dots."""
    subscribe(wms, receiver, "order.allocated")
    wms.create()
    [got] = receiver.wait(1)
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_configured_secret_signs(wms: Wms, receiver: Receiver) -> None:
    """Another secret takes effect at once; one that could not sign is refused."""
    subscribe(wms, receiver)
    other = "whsec_" + base64.b64encode(b"another").decode()
    wms.fake.seed(settings={"webhook_secret": other})
    wms.create()
    [got] = receiver.wait(1)
    standardwebhooks.Webhook(other).verify(got.body, got.headers)
    assert not verifies(got)
    for bad in ("hush", "whsec_", "whsec_%%%"):
        assert wms.fake.control.post("/seed", json={"settings": {"webhook_secret": bad}}).status_code == 422


def test_everything_that_happens_is_told(wms: Wms, receiver: Receiver) -> None:
    """Each topic has its event, in the order of what happened at the warehouse, about the order or the item."""
    wms.fill(5, 5)
    order, other = wms.create("1", 3), wms.create("2", 1)
    subscribe(wms, receiver)
    wms.fake.act("short-pick", order_id=order["id"], quantity=1, reason="not_found")
    wms.allocate(order, "EAST")
    wms.client.post(f"/orders/{other['id']}/cancel", json={"reason": "fraud"})
    wms.fake.act("adjust-stock", sku="TEE", location="MAIN", delta=-1, reason="shrinkage")
    wms.fake.act("receive-stock", sku="TEE", location="EAST", quantity=7)
    wms.fake.act("ship", order_id=order["id"])
    wms.fake.act("snapshot")
    events = [read(wms, got) for got in receiver.wait(9)]
    told = sorted((event["type"], event["data"].get("reason", "")) for event in events)
    assert told == [
        ("inventory.adjusted", "received"),
        ("inventory.adjusted", "short_pick"),
        ("inventory.adjusted", "shrinkage"),
        ("inventory.snapshot", ""),
        ("order.allocated", ""),
        ("order.cancelled", "fraud"),
        ("order.shipped", ""),
        ("order.shipped", ""),
        ("order.short_picked", ""),
    ]
    by_topic = {entry["topic"]: entry["entity"] for entry in deliveries(wms, 9)}
    assert (by_topic["inventory.adjusted"], by_topic["order.cancelled"], by_topic["order.shipped"]) == ("TEE", "2", "1")
    [shrinkage] = [event["data"] for event in events if event["data"].get("reason") == "shrinkage"]
    assert (shrinkage["delta"], shrinkage["on_hand"], shrinkage["location"]) == (-1, 3, "MAIN")


def test_reserving_items_tells_nobody(wms: Wms, receiver: Receiver) -> None:
    """Reserved items come without a webhook; adjusting one sends exactly one."""
    subscribe(wms, receiver)
    [item] = wms.fake.act("reserve-items")["items"]
    wms.fake.act("adjust-stock", sku=item["sku"], location="MAIN", delta=-3)
    [entry] = deliveries(wms, 1)
    assert (entry["topic"], entry["entity"]) == ("inventory.adjusted", item["sku"])
    assert [one["topic"] for one in wms.fake.journal("delivery")] == ["inventory.adjusted"]


def test_a_failed_delivery_is_tried_again(wms: Wms, receiver: Receiver) -> None:
    """A webhook that is not taken comes again under its id, freshly dated and signed each time."""
    wms.fake.seed(settings={"ladder_s": [1100.0, 1.0]})
    subscribe(wms, receiver, "order.allocated")
    receiver.answers = [500, 503]
    wms.create()
    first, second, third = receiver.wait(3)
    assert all(verifies(got) for got in (first, second, third))
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == third.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    entries = deliveries(wms, 3)
    assert [(one["attempt"], one["status"], one["outcome"]) for one in entries] == [
        (1, 500, "failed"),
        (2, 503, "failed"),
        (3, 200, "delivered"),
    ]


def test_the_ladder_ends(wms: Wms, receiver: Receiver) -> None:
    """After the last rung the warehouse gives up; a receiver that never answers counts as failing."""
    wms.fake.seed(settings={"ladder_s": [1.0], "timeout_s": 0.2})
    subscribe(wms, receiver, "order.allocated")
    receiver.usual = None
    wms.create()
    assert [(one["error"], one["outcome"]) for one in deliveries(wms, 2)] == [
        ("timeout", "failed"),
        ("timeout", "gave_up"),
    ]


def test_a_subscription_that_fails_for_days_is_disabled(wms: Wms, receiver: Receiver) -> None:
    """One made through the API is removed when it took nothing for days; a seeded one stays."""
    wms.fake.seed(
        settings={"disable_after_s": 100.0, "ladder_s": [50.0, 200.0, 50.0]},
        webhooks=[{"topic": "order.allocated", "address": receiver.url.replace("hooks", "kept")}],
    )
    subscribe(wms, receiver, "order.allocated")
    receiver.usual = 500
    wms.create()
    [removed] = wms.fake.wait_for(lambda e: e["type"] == "subscription" and e["event"] == "removed_by_vendor")
    assert (removed["topic"], removed["address"]) == ("order.allocated", receiver.url)
    assert [one["removable"] for one in wms.fake.state("webhooks")] == [False]
    ends = wms.fake.wait_for(lambda e: e["type"] == "delivery" and e["outcome"] == "gave_up", count=2)
    attempts = {one["address"]: one["attempt"] for one in ends}
    assert 1 < attempts.pop(receiver.url) < 4
    assert list(attempts.values()) == [4]


def test_a_subscription_that_took_something_is_not_failing(wms: Wms, receiver: Receiver) -> None:
    """Failures count from the last delivery that was taken: one failure long after another disables nothing."""
    wms.fake.seed(settings={"disable_after_s": 1.0, "ladder_s": []})
    subscribe(wms, receiver, "order.allocated")
    receiver.answers = [500, 200, 500, 200]
    for i in range(4):
        wms.create(str(i))
        deliveries(wms, i + 1)
    assert [one["status"] for one in deliveries(wms, 4)] == [500, 200, 500, 200]
    assert len(wms.fake.state("webhooks")) == 1


def test_subscriptions_are_managed(wms: Wms, receiver: Receiver) -> None:
    """A subscription is to all topics unless some are named, can be read, listed and deleted; the same one twice is one."""
    every = subscribe(wms, receiver)
    assert len(every["topics"]) == 6
    some = subscribe(wms, receiver, "order.shipped", "order.allocated")
    assert subscribe(wms, receiver, "order.allocated", "order.shipped") == some
    assert wms.client.get("/webhooks").json() == {"webhooks": [every, some]}
    assert wms.client.get(f"/webhooks/{some['id']}").json() == some
    assert wms.client.delete(f"/webhooks/{some['id']}").status_code == 204
    assert code_of(wms.client.delete(f"/webhooks/{some['id']}")) == (404, "not_found")
    events = [(one["event"], one["topic"]) for one in wms.fake.journal("subscription")]
    assert events[6:] == [
        ("created", "order.allocated"),
        ("created", "order.shipped"),
        ("deleted", "order.allocated"),
        ("deleted", "order.shipped"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/url"),
        ({"url": "ftp://x/"}, "#/url"),
        ({"url": "http://"}, "#/url"),
        ({"url": "http://x:99999/"}, "#/url"),
        ({"url": "http://[::1"}, "#/url"),
        ({"url": "http://x/ y"}, "#/url"),
        ({"url": "http://x/", "topics": []}, "#/topics"),
        ({"url": "http://x/", "topics": ["order.ship"]}, "#/topics/0"),
    ],
)
def test_a_bad_subscription_is_refused(wms: Wms, body: dict[str, Any], pointer: str) -> None:
    """A subscription that cannot work is refused by what is wrong."""
    answer = wms.client.post("/webhooks", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
