"""Webhooks of the warehouse that are forged, repeated, late or lost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import standardwebhooks

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver
    from tests.fakes.wms.conftest import Wms

from tests.fakes.wms.webhooks import KEY, deliveries, read, subscribe, verifies


@pytest.mark.parametrize("how", ["forged", "missing", "other_body"])
def test_a_bad_signature_does_not_verify(wms: Wms, receiver: Receiver, how: str) -> None:
    """``webhook_bad_signature`` sends it once, wrongly signed, unsigned or changed after signing."""
    subscribe(wms, receiver, "order.shipped")
    receiver.usual = 401
    order = wms.create()
    wms.fake.arm("webhook_bad_signature", operation="order.shipped", params={"how": how})
    wms.fake.act("ship", order_id=order["id"])
    [entry] = deliveries(wms, 1)
    assert (entry["status"], entry["outcome"], entry["faults"]) == (401, "gave_up", ["f1"])
    [got] = receiver.wait(1)
    assert not verifies(got)
    assert ("webhook-signature" in got.headers) == (how != "missing")


@pytest.mark.parametrize("how", ["forged", "missing", "other_body"])
@pytest.mark.parametrize("topic", ["order.shipped", "order.allocated", "order.short_picked", "order.cancelled"])
@pytest.mark.parametrize("known", [True, False])
def test_a_forgery_is_plausible_and_does_not_verify(
    wms: Wms, receiver: Receiver, topic: str, how: str, known: bool
) -> None:
    """``forge`` posts what never happened, about an order the warehouse has or not, and tells the answer; nothing changes."""
    subscribe(wms, receiver)
    wms.fake.seed(entities=[{"name": "#411001", "aliases": ["411001"]}])
    if known:
        wms.create("411001", 2)
        receiver.wait(1)
    before = wms.fake.state("orders")
    receiver.usual = 401
    result = wms.fake.act("forge", topic=topic, order="6411001", entity="#411001", how=how)
    assert [one["status"] for one in result["deliveries"]] == [401]
    got = receiver.wait(1 + known)[-1]
    assert not verifies(got)
    event = wms.document.check_event(got.body)
    assert event["type"] == topic
    assert event["data"]["reference"] == "411001"
    if topic == "order.shipped":
        assert event["data"]["status"] == "shipped"
    assert wms.fake.state("orders") == before
    assert deliveries(wms, 1 + known)[-1]["entity"] == "#411001"


def test_an_order_on_hold_can_be_lied_about(wms: Wms, receiver: Receiver) -> None:
    """A forgery tells of the shipment of an order that rests at the warehouse."""
    subscribe(wms, receiver, "order.shipped")
    order = wms.create("411001", 2)
    wms.fake.act("hold", order_id=order["id"])
    wms.fake.act("forge", topic="order.shipped", order=order["id"])
    [got] = receiver.wait(1)
    data = wms.document.check_event(got.body)["data"]
    assert (data["order_id"], data["status"]) == (order["id"], "shipped")
    assert data["shipment"]["lines"] == [{"sku": "TEE", "quantity": 2}]
    assert wms.read(order)["status"] == "held"


def test_a_forger_may_bring_the_body(wms: Wms, receiver: Receiver) -> None:
    """``forge`` takes any body and signature; without either, without a receiver or about nothing it is refused."""
    assert wms.fake.control.post("/act/forge", json={"body": {}}).status_code == 409
    subscribe(wms, receiver)
    wms.fake.act("forge", topic="order.shipped", body={"type": "order.shipped"}, signature="v1,abc")
    [got] = receiver.wait(1)
    assert (got.body, got.headers["webhook-signature"]) == (b'{"type":"order.shipped"}', "v1,abc")
    for body in ({}, {"body": {}, "entity": "x"}, {"topic": "inventory.adjusted", "entity": "x"}, {"topic": "x"}):
        assert wms.fake.control.post("/act/forge", json=body).status_code == 422


def test_deliveries_are_repeated(wms: Wms, receiver: Receiver) -> None:
    """``deliver`` sends an order's webhooks under new ids, ``redeliver`` one again under its own."""
    subscribe(wms, receiver, "order.shipped", "order.cancelled")
    order = wms.create()
    assert wms.fake.control.post("/act/deliver", json={"order_id": order["id"]}).status_code == 409
    wms.fake.act("ship", order_id=order["id"])
    [first] = receiver.wait(1)
    [webhook_id] = wms.fake.act("deliver", order_id=order["id"])["webhook_ids"]
    second = receiver.wait(2)[1]
    assert first.headers["webhook-id"] != webhook_id == second.headers["webhook-id"]
    wms.fake.act("redeliver", webhook_id=webhook_id)
    third = receiver.wait(3)[2]
    assert third.headers["webhook-id"] == webhook_id
    assert first.body == second.body == third.body
    assert all(verifies(got) for got in (first, second, third))
    assert wms.fake.control.post("/act/redeliver", json={"webhook_id": "msg_nope"}).status_code == 404
    for topic, status in (("order.cancelled", 409), ("inventory.adjusted", 409), ("order.lost", 422)):
        body = {"order_id": order["id"], "topic": topic}
        assert wms.fake.control.post("/act/deliver", json=body).status_code == status


@pytest.mark.parametrize("topic", ["order.allocated", "order.short_picked", "order.cancelled"])
def test_every_event_of_an_order_can_be_sent_again(wms: Wms, receiver: Receiver, topic: str) -> None:
    """``deliver`` knows the topics an order had an event of."""
    subscribe(wms, receiver, topic)
    orders = {"order.allocated": "1", "order.short_picked": "2", "order.cancelled": "3"}
    for reference in orders.values():
        wms.create(reference, 2)
    wms.fake.act("short-pick", entity="2")
    wms.fake.act("cancel", entity="3")
    before = len(deliveries(wms, 3 if topic == "order.allocated" else 1))
    wms.fake.act("deliver", entity=orders[topic], topic=topic)
    event = read(wms, receiver.wait(before + 1)[-1])
    assert (event["type"], event["data"]["reference"]) == (topic, orders[topic])


def test_an_old_webhook_says_so(wms: Wms, receiver: Receiver) -> None:
    """``webhook_stale`` is signed genuinely under an old timestamp, which the library refuses."""
    subscribe(wms, receiver, "order.allocated")
    wms.fake.arm("webhook_stale", operation="order.allocated", params={"age_s": 3600})
    wms.create()
    [got] = receiver.wait(1)
    with pytest.raises(standardwebhooks.WebhookVerificationError, match="too old"):
        KEY.verify(got.body, got.headers)


def test_an_old_webhook_may_be_signed_afresh(wms: Wms, receiver: Receiver) -> None:
    """``webhook_stale`` signed now verifies, and tells of what happened so long ago."""
    subscribe(wms, receiver, "order.allocated")
    wms.create("1")
    wms.fake.arm("webhook_stale", operation="order.allocated", params={"age_s": 14_400, "signed": "now"})
    wms.create("2")
    fresh, old = receiver.wait(2)
    told = [datetime.fromisoformat(wms.document.check_event(got.body)["timestamp"]) for got in (fresh, old)]
    assert verifies(old)
    assert 14_300 < (told[0] - told[1]).total_seconds() < 14_401
    assert wms.document.check_event(old.body)["data"]["reference"] == "2"


@pytest.mark.parametrize(("age_s", "good"), [(285, True), (315, False)])
def test_a_forgery_is_as_old_as_it_should_be(wms: Wms, receiver: Receiver, age_s: float, good: bool) -> None:
    """A stale forgery is rightly signed so long ago."""
    subscribe(wms, receiver, "order.shipped")
    wms.fake.act("forge", order="6411001", entity="#411001", how="stale", age_s=age_s)
    [got] = receiver.wait(1)
    assert verifies(got) == good


def test_a_removed_subscription_misses_what_happens(wms: Wms, receiver: Receiver) -> None:
    """``subscription_removed`` takes one topic away while it is armed: suppressed with a receipt, and put back at the end."""
    made = subscribe(wms, receiver, "order.allocated", "order.shipped")
    order = wms.create("1")
    receiver.wait(1)
    wms.fake.arm("subscription_removed", operation="order.shipped")
    assert wms.client.get(f"/webhooks/{made['id']}").json()["topics"] == ["order.allocated"]
    wms.fake.act("ship", order_id=order["id"])
    [suppressed] = wms.fake.wait_for(lambda e: e["type"] == "delivery" and e["outcome"] == "suppressed")
    assert (suppressed["topic"], suppressed["faults"], suppressed["entity"]) == ("order.shipped", ["f1"], "1")
    wms.fake.lift()
    assert wms.client.get(f"/webhooks/{made['id']}").json() == made
    events = [(one["event"], one["topic"]) for one in wms.fake.journal("subscription")]
    assert events[2:] == [("removed_by_vendor", "order.shipped"), ("created", "order.shipped")]
    wms.fake.act("deliver", order_id=order["id"])
    assert len(receiver.wait(2)) == 2


def test_whoever_subscribes_anew_hears_again(wms: Wms, receiver: Receiver) -> None:
    """An integration that notices a removed subscription and makes it anew gets what happens from then on, once."""
    subscribe(wms, receiver, "order.shipped")
    order = wms.create("1")
    wms.fake.arm("subscription_removed")
    assert wms.client.get("/webhooks").json() == {"webhooks": []}
    made = subscribe(wms, receiver, "order.shipped")
    wms.fake.act("ship", order_id=order["id"])
    [entry] = deliveries(wms, 1)
    assert entry["outcome"] == "delivered"
    wms.fake.lift()
    assert wms.client.get("/webhooks").json() == {"webhooks": [made]}
