"""The fault ``subscription_removed``: a vendor that forgets who subscribed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake

API = "/admin/api/2026-07"
HEADERS = {"X-Shopify-Access-Token": "shpat_handoff"}


def subscribe(fake: RunningFake, address: str, *topics: str) -> None:
    """Seed subscriptions."""
    fake.seed(webhooks=[{"topic": topic, "address": address} for topic in topics or ("orders/create",)])


def subscribe_anew(fake: RunningFake, address: str) -> int:
    """Subscribe through the API and return the status."""
    body = {"webhook": {"topic": "orders/create", "address": address}}
    return fake.client.post(f"{API}/webhooks.json", json=body, headers=HEADERS).status_code


def place(fake: RunningFake) -> str:
    """Place an order and return its name."""
    return fake.act("place-order")["orders"][0]["name"]


def deliveries(fake: RunningFake, count: int) -> list[dict[str, Any]]:
    """Return so many delivery entries, waiting for them."""
    return fake.wait_for(lambda entry: entry["type"] == "delivery", count=count)


def events(fake: RunningFake) -> list[str]:
    """Return what happened to subscriptions."""
    return [entry["event"] for entry in fake.journal("subscription")]


def test_the_subscription_is_gone_while_it_is_armed(storefront: RunningFake, receiver: Receiver) -> None:
    """Arming removes the topic's subscriptions, and no others, for every reader of the API to see."""
    subscribe(storefront, receiver.url, "orders/create", "orders/updated")
    storefront.arm("subscription_removed", operation="orders/create")
    shown = storefront.client.get(f"{API}/webhooks.json", headers=HEADERS).json()["webhooks"]
    assert [one["topic"] for one in shown] == ["orders/updated"]
    assert events(storefront) == ["created", "created", "removed_by_vendor"]


def test_what_it_would_have_got_is_a_receipt(storefront: RunningFake, receiver: Receiver) -> None:
    """Each delivery that never left is journaled as suppressed with the fault's id, and hits the fault."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    name = place(storefront)
    [entry] = deliveries(storefront, 1)
    assert (entry["entity"], entry["outcome"], entry["faults"]) == (name, "suppressed", ["f1"])
    [hit] = [one for one in storefront.journal("fault") if one["event"] == "hit"]
    assert (hit["entity"], hit["webhook_id"]) == (name, entry["webhook_id"])
    assert receiver.received == []


@pytest.mark.parametrize("ending", ["lift", "ttl", "count"])
def test_it_is_put_back_when_the_fault_ends(storefront: RunningFake, receiver: Receiver, ending: str) -> None:
    """However the fault ends, the same subscription stands again and gets what happens from then on."""
    subscribe(storefront, receiver.url)
    [before] = storefront.state("webhooks")
    limits: dict[str, Any] = {"ttl": {"ttl_s": 0.05}, "count": {"count": 1}}.get(ending, {})
    storefront.arm("subscription_removed", operation="orders/create", **limits)
    if ending == "lift":
        storefront.lift()
    if ending == "count":
        place(storefront)
    storefront.wait_for(lambda entry: entry["type"] == "fault" and entry["event"] in {"lifted", "expired"})
    assert storefront.state("webhooks") == [before]
    assert events(storefront) == ["created", "removed_by_vendor", "created"]
    name = place(storefront)
    assert json.loads(receiver.wait(1)[0].body)["name"] == name


def test_who_subscribes_anew_is_served(storefront: RunningFake, receiver: Receiver) -> None:
    """A new subscription gets its webhooks while the fault is armed, each once, and is not doubled when it ends."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    assert subscribe_anew(storefront, receiver.url) == 201
    place(storefront)
    storefront.lift()
    place(storefront)
    assert [entry["outcome"] for entry in deliveries(storefront, 2)] == ["delivered", "delivered"]
    assert len(receiver.wait(2)) == len({one.headers["X-Shopify-Webhook-Id"] for one in receiver.received}) == 2
    assert len(storefront.state("webhooks")) == 1


def test_another_address_does_not_stand_for_it(storefront: RunningFake, receiver: Receiver) -> None:
    """Somebody else's new subscription leaves the removed one to be put back."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    assert subscribe_anew(storefront, f"{receiver.url}&other=1") == 201
    place(storefront)
    assert sorted(entry["outcome"] for entry in deliveries(storefront, 2)) == ["delivered", "suppressed"]
    storefront.lift()
    assert len(storefront.state("webhooks")) == 2


def test_it_can_be_limited_to_orders(storefront: RunningFake, receiver: Receiver) -> None:
    """Armed for one order, webhooks about others still arrive."""
    subscribe(storefront, receiver.url)
    reserved = storefront.act("reserve-orders", count=2)["orders"]
    storefront.arm("subscription_removed", operation="orders/create", entity=reserved[0]["name"])
    storefront.act("place-order", reserved=[one["id"] for one in reserved])
    outcomes = {entry["entity"]: entry["outcome"] for entry in deliveries(storefront, 2)}
    assert outcomes == {reserved[0]["name"]: "suppressed", reserved[1]["name"]: "delivered"}


def test_it_stays_removed_while_one_fault_says_so(storefront: RunningFake, receiver: Receiver) -> None:
    """Of two faults on a topic the one lifted last puts the subscription back, once."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    storefront.arm("subscription_removed", "f2", operation="orders/create")
    storefront.lift()
    assert storefront.state("webhooks") == []
    storefront.lift("f2")
    assert len(storefront.state("webhooks")) == 1


def test_without_a_topic_all_are_removed(storefront: RunningFake, receiver: Receiver) -> None:
    """A removal that names no topic takes all subscriptions, and gives all of them back."""
    subscribe(storefront, receiver.url, "orders/create", "orders/updated")
    storefront.arm("subscription_removed")
    assert storefront.state("webhooks") == []
    storefront.lift()
    assert {one["topic"] for one in storefront.state("webhooks")} == {"orders/create", "orders/updated"}


def test_a_reset_forgets_what_was_removed(storefront: RunningFake, receiver: Receiver) -> None:
    """After a reset nothing is put back and nothing is suppressed."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    storefront.reset()
    place(storefront)
    assert storefront.state("webhooks") == []
    assert storefront.journal("delivery") == []
    assert events(storefront) == []


def test_what_was_removed_twice_comes_back_once(storefront: RunningFake, receiver: Receiver) -> None:
    """A subscription made anew and removed again by a second fault is put back as one."""
    subscribe(storefront, receiver.url)
    storefront.arm("subscription_removed", operation="orders/create")
    assert subscribe_anew(storefront, receiver.url) == 201
    storefront.arm("subscription_removed", "f2", operation="orders/create")
    place(storefront)
    assert [entry["outcome"] for entry in deliveries(storefront, 1)] == ["suppressed"]
    storefront.lift()
    storefront.lift("f2")
    assert [one["removable"] for one in storefront.state("webhooks")] == [True]
