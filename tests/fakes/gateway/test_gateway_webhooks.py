"""Signed webhooks, checked as an integration checks them: with the vendor's own client."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from fakes.gateway.settings import LADDER_S
from tests.fakes.gateway.conftest import AUTH, INTENTS, SECRET, authorise

if TYPE_CHECKING:
    from tests.fakes.conftest import Received, Receiver, RunningFake

CAPTURED = "payment_intent.succeeded"


@pytest.fixture
def told(gateway: RunningFake, receiver: Receiver) -> RunningFake:
    """Give a gateway that tells the receiver of captured payments."""
    gateway.seed(webhooks=[{"topic": CAPTURED, "address": receiver.url}])
    return gateway


def capture(fake: RunningFake, **order: Any) -> str:
    """Hold and capture the money of an order; return the payment's id."""
    intent = authorise(fake, **order)
    assert fake.client.post(f"{INTENTS}/{intent}/capture", headers=AUTH).status_code == 200
    return intent


def read(got: Received, secret: str = SECRET) -> stripe.Event:
    """Verify a webhook and return its event."""
    return stripe.Webhook.construct_event(got.body, got.headers.get("Stripe-Signature"), secret)


def is_genuine(got: Received) -> bool:
    """Tell whether the vendor's client takes a webhook."""
    try:
        read(got)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


def deliveries(fake: RunningFake, count: int) -> list[dict[str, Any]]:
    """Return so many delivery entries, waiting for them."""
    return fake.wait_for(lambda entry: entry["type"] == "delivery", count=count)


def test_a_capture_is_announced_signed(told: RunningFake, receiver: Receiver) -> None:
    """The client takes the webhook: its event has the payment as it was then, and is the one the API shows."""
    intent = capture(told)
    [got] = receiver.wait(1)
    event = read(got)
    assert (event.type, event.data.object["id"], event.data.object["status"]) == (CAPTURED, intent, "succeeded")
    assert told.client.get(f"/v1/events/{event.id}", headers=AUTH).json() == json.loads(got.body)
    [entry] = deliveries(told, 1)
    assert (entry["webhook_id"], entry["event_id"], entry["entity"]) == (event.id, event.id, "#411001")
    assert (entry["topic"], entry["outcome"]) == (CAPTURED, "delivered")


def test_every_attempt_is_signed_anew(told: RunningFake, receiver: Receiver) -> None:
    """Retries are the same event in the same body, with a time and a signature of their own."""
    told.seed(settings={"ladder_s": [1_100.0, 1_100.0]})
    receiver.answers = [500, 302]
    capture(told)
    got = receiver.wait(3)
    assert len({read(one).id for one in got}) == 1
    assert len({one.body for one in got}) == 1
    assert len({one.headers["Stripe-Signature"] for one in got}) == 3
    assert [entry["outcome"] for entry in deliveries(told, 3)] == ["failed", "failed", "delivered"]


def test_the_ladder_ends(told: RunningFake, receiver: Receiver) -> None:
    """Retries go on over the ladder, three days of vendor time unless it is set, and then end."""
    assert sum(LADDER_S) == 3 * 86_400
    told.seed(settings={"ladder_s": [1.0] * 15})
    receiver.usual = 500
    capture(told)
    outcomes = [entry["outcome"] for entry in deliveries(told, 16)]
    assert outcomes == ["failed"] * 15 + ["gave_up"]


def test_an_endpoint_made_by_the_integration_has_its_own_secret(gateway: RunningFake, receiver: Receiver) -> None:
    """The secret is told once, when the endpoint is made; the account's does not fit."""
    data = {"url": receiver.url, "enabled_events[]": "*"}
    made = gateway.client.post("/v1/webhook_endpoints", data=data, headers=AUTH).json()
    shown = gateway.client.get(f"/v1/webhook_endpoints/{made['id']}", headers=AUTH).json()
    assert (shown["status"], "secret" in shown) == ("enabled", False)
    assert made["secret"] not in json.dumps(gateway.journal()) + json.dumps(gateway.state("webhook_endpoints"))
    authorise(gateway)
    got = receiver.wait(3)
    assert {read(one, made["secret"]).type for one in got} == {
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    }
    assert not any(is_genuine(one) for one in got)


def test_a_removed_endpoint_is_not_tried_again(gateway: RunningFake, receiver: Receiver) -> None:
    """Retries stop once the endpoint is gone."""
    gateway.seed(settings={"ladder_s": [1_000.0] * 10})
    receiver.usual = 500
    data = {"url": receiver.url, "enabled_events[0]": CAPTURED}
    made = gateway.client.post("/v1/webhook_endpoints", data=data, headers=AUTH).json()
    capture(gateway)
    receiver.wait(1)
    gone = gateway.client.delete(f"/v1/webhook_endpoints/{made['id']}", headers=AUTH).json()
    assert gone == {"id": made["id"], "object": "webhook_endpoint", "deleted": True}
    entries = gateway.wait_for(lambda entry: entry.get("outcome") == "gave_up")
    assert entries[0]["attempt"] < 11
    assert [entry["event"] for entry in gateway.journal("subscription")] == ["created", "deleted"]


def test_what_was_not_written_is_not_announced(told: RunningFake, receiver: Receiver) -> None:
    """A capture that was only pretended makes no event."""
    first = authorise(told)
    told.arm("not_persisted", operation="payment_intent.capture", count=1)
    pretended = told.client.post(f"{INTENTS}/{first}/capture", headers=AUTH)
    assert (pretended.status_code, pretended.json()["status"]) == (200, "succeeded")
    assert told.client.get(f"{INTENTS}/{first}", headers=AUTH).json()["status"] == "requires_capture"
    second = capture(told)
    assert [read(one).data.object["id"] for one in receiver.wait(1)] == [second]
    assert [one["object"] for one in told.state("events") if one["type"] == CAPTURED] == [second]


def test_redelivered_is_the_same_event(told: RunningFake, receiver: Receiver) -> None:
    """A redelivery is the event again; a delivery made anew is another event about the same payment."""
    capture(told)
    first = read(receiver.wait(1)[0])
    told.act("redeliver", webhook_id=first.id)
    assert read(receiver.wait(2)[1]).id == first.id
    [anew] = told.act("deliver", entity="#411001", topic=CAPTURED)["webhook_ids"]
    last = read(receiver.wait(3)[2])
    assert (last.id, last.data.object["id"]) == (anew, first.data.object["id"])
    assert last.id != first.id
    assert told.control.post("/act/redeliver", json={"webhook_id": "evt_nobody"}).status_code == 404
    assert told.control.post("/act/deliver", json={"entity": "#nobody"}).status_code == 404
    assert told.control.post("/act/deliver", json={"entity": "#411001", "topic": "refund.created"}).status_code == 409
    assert told.control.post("/act/deliver", json={"entity": "#411001", "topic": "orders/paid"}).status_code == 422


@pytest.mark.parametrize("how", ["forged", "missing", "other_body"])
def test_forgeries_do_not_verify(told: RunningFake, receiver: Receiver, how: str) -> None:
    """A forgery looks like the event it pretends to be, is posted once, and no client takes it."""
    receiver.usual = 401
    intent = authorise(told)
    sent = told.act("forge", topic=CAPTURED, entity="#411001", how=how)["deliveries"]
    [got] = receiver.wait(1)
    assert not is_genuine(got)
    assert json.loads(got.body)["data"]["object"]["id"] == intent
    assert [(one["address"], one["status"]) for one in sent] == [(receiver.url, 401)]
    [entry] = deliveries(told, 1)
    assert (entry["entity"], entry["outcome"]) == ("#411001", "gave_up")
    assert told.state("events")[-1]["type"] == "payment_intent.amount_capturable_updated"


def test_a_forgery_may_carry_any_body_and_signature(told: RunningFake, receiver: Receiver) -> None:
    """A body and a signature that are given go out as they are."""
    told.act("forge", topic=CAPTURED, body={"id": "evt_1"}, signature="t=1,v1=00")
    [got] = receiver.wait(1)
    assert (got.body, got.headers["Stripe-Signature"]) == (b'{"id":"evt_1"}', "t=1,v1=00")
    assert told.control.post("/act/forge", json={"topic": CAPTURED}).status_code == 422
    assert told.control.post("/act/forge", json={"topic": "refund.created", "body": "x"}).status_code == 409


def test_dropped_ones_are_suppressed(told: RunningFake, receiver: Receiver) -> None:
    """A dropped webhook never arrives; the event itself can be read."""
    told.arm("webhook_dropped", operation=CAPTURED, count=1)
    first = capture(told)
    second = capture(told)
    assert [read(one).data.object["id"] for one in receiver.wait(1)] == [second]
    assert sorted(entry["outcome"] for entry in deliveries(told, 2)) == ["delivered", "suppressed"]
    listed = told.client.get("/v1/events", params={"type": CAPTURED}, headers=AUTH).json()["data"]
    assert [event["data"]["object"]["id"] for event in listed] == [second, first]


@pytest.mark.parametrize("same_id", [True, False])
def test_duplicates_are_one_event_or_several(told: RunningFake, receiver: Receiver, same_id: bool) -> None:
    """A duplicate comes under the same event id, or as events of their own about the same payment."""
    told.arm("webhook_duplicate", operation=CAPTURED, params={"copies": 3, "same_id": same_id})
    intent = capture(told)
    events = [read(one) for one in receiver.wait(3)]
    assert {event.data.object["id"] for event in events} == {intent}
    ids = {event.id for event in events}
    assert len(ids) == (1 if same_id else 3)
    assert {entry["webhook_id"] for entry in deliveries(told, 3)} == ids
    assert all(told.client.get(f"/v1/events/{event_id}", headers=AUTH).status_code == 200 for event_id in ids)


@pytest.mark.parametrize("how", ["forged", "missing", "other_body"])
def test_bad_signatures_do_not_verify(told: RunningFake, receiver: Receiver, how: str) -> None:
    """A webhook with a bad signature is not taken by the client."""
    told.arm("webhook_bad_signature", operation=CAPTURED, params={"how": how})
    capture(told)
    assert not is_genuine(receiver.wait(1)[0])


def test_a_stale_webhook_has_an_old_time(told: RunningFake, receiver: Receiver) -> None:
    """A stale webhook is signed genuinely, but so long ago that the client does not take it."""
    told.arm("webhook_stale", operation=CAPTURED, params={"age_s": 3_600})
    capture(told)
    [got] = receiver.wait(1)
    assert not is_genuine(got)
    event = stripe.Webhook.construct_event(got.body, got.headers["Stripe-Signature"], SECRET, tolerance=5_000)
    signed_at = int(got.headers["Stripe-Signature"].partition(",")[0].removeprefix("t="))
    assert 3_590 <= time.time() - signed_at <= 3_700
    assert event.type == CAPTURED


def test_an_old_event_may_be_signed_afresh(told: RunningFake, receiver: Receiver) -> None:
    """``webhook_stale`` signed now is genuine, and the event itself was made so long ago."""
    told.arm("webhook_stale", operation=CAPTURED, params={"age_s": 14_400, "signed": "now"})
    capture(told)
    [got] = receiver.wait(1)
    assert is_genuine(got)
    assert 14_390 <= time.time() - json.loads(got.body)["created"] <= 14_500


@pytest.mark.parametrize("mutation", ["truncated", "not_json", "wrong_types", "missing_fields", "empty"])
def test_malformed_bodies_are_signed(told: RunningFake, receiver: Receiver, mutation: str) -> None:
    """A malformed body carries a genuine signature."""
    told.arm("webhook_malformed", operation=CAPTURED, params={"mutation": mutation})
    capture(told)
    [got] = receiver.wait(1)
    stripe.WebhookSignature.verify_header(got.body, got.headers["Stripe-Signature"], SECRET, 300)
    assert b'"payment_intent.succeeded"' not in got.body or mutation == "truncated"


def test_late_and_out_of_order(gateway: RunningFake, receiver: Receiver) -> None:
    """A webhook can be held until another one about the same order has been delivered, or sent late."""
    topics = ("charge.captured", CAPTURED)
    gateway.seed(webhooks=[{"topic": topic, "address": receiver.url} for topic in topics])
    gateway.arm("webhook_out_of_order", operation="charge.captured", params={"after_topic": CAPTURED})
    gateway.arm("webhook_delayed", "f2", operation=CAPTURED, params={"seconds": 0.2})
    capture(gateway)
    assert [read(one).type for one in receiver.wait(2)] == [CAPTURED, "charge.captured"]


def test_seeded_topics_of_an_address_are_one_endpoint(gateway: RunningFake, receiver: Receiver) -> None:
    """Topics seeded for one address end up at one endpoint, each journaled."""
    topics = ["charge.captured", CAPTURED, CAPTURED]
    gateway.seed(webhooks=[{"topic": topic, "address": receiver.url} for topic in topics])
    [endpoint] = gateway.state("webhook_endpoints")
    assert endpoint["enabled_events"] == ["charge.captured", CAPTURED]
    assert [entry["topic"] for entry in gateway.journal("subscription")] == ["charge.captured", CAPTURED]


@pytest.mark.parametrize("topics", [["payment_intent.succeeded", "charge.captured"], ["*"]])
def test_a_removed_subscription_is_put_back(gateway: RunningFake, receiver: Receiver, topics: list[str]) -> None:
    """While the fault is armed the endpoint lacks the event type and its webhook is suppressed; then all is as before."""
    data = {"url": receiver.url, **{f"enabled_events[{i}]": topic for i, topic in enumerate(topics)}}
    made = gateway.client.post("/v1/webhook_endpoints", data=data, headers=AUTH).json()
    gateway.arm("subscription_removed", operation=CAPTURED)
    shown = gateway.client.get(f"/v1/webhook_endpoints/{made['id']}", headers=AUTH).json()
    assert CAPTURED not in shown["enabled_events"]
    assert "charge.captured" in shown["enabled_events"]
    capture(gateway)
    [missed] = gateway.wait_for(lambda entry: entry.get("topic") == CAPTURED and entry["type"] == "delivery")
    assert (missed["outcome"], missed["faults"], missed["entity"]) == ("suppressed", ["f1"], "#411001")
    gateway.lift()
    capture(gateway)
    entries = gateway.wait_for(lambda entry: entry.get("topic") == CAPTURED and entry.get("outcome") == "delivered")
    assert entries[0]["address"] == receiver.url
    [again] = gateway.state("webhook_endpoints")
    assert again["id"] == made["id"]


def test_an_endpoint_without_topics_is_gone_until_the_fault_ends(told: RunningFake, receiver: Receiver) -> None:
    """Losing its only event type an endpoint is gone, and comes back; who subscribes anew is not doubled."""
    [before] = told.state("webhook_endpoints")
    told.arm("subscription_removed")
    assert told.state("webhook_endpoints") == []
    told.lift()
    assert told.state("webhook_endpoints") == [before]
    told.arm("subscription_removed", operation=CAPTURED)
    data = {"url": receiver.url, "enabled_events[]": CAPTURED}
    assert told.client.post("/v1/webhook_endpoints", data=data, headers=AUTH).status_code == 200
    told.lift()
    capture(told)
    assert [entry["outcome"] for entry in deliveries(told, 1)] == ["delivered"]
    assert len(told.state("webhook_endpoints")) == 1
