"""Signed webhooks as the vendor sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.conftest import start_fake

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake

API = "/admin/api/2026-07"
HEADERS = {"X-Shopify-Access-Token": "shpat_handoff"}
SECRET = b"hush-handoff"


def subscribe(fake: RunningFake, address: str, *topics: str) -> None:
    """Seed subscriptions."""
    fake.seed(webhooks=[{"topic": topic, "address": address} for topic in topics or ("orders/create",)])


def place(fake: RunningFake) -> dict[str, Any]:
    """Place one order."""
    return fake.act("place-order")["orders"][0]


def verifies(headers: dict[str, str], body: bytes) -> bool:
    """Check the signature as an integration does."""
    digest = base64.b64encode(hmac.new(SECRET, body, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(headers.get("X-Shopify-Hmac-Sha256", ""), digest)


def deliveries(fake: RunningFake, count: int) -> list[dict[str, Any]]:
    """Return so many delivery entries, waiting for them."""
    return fake.wait_for(lambda entry: entry["type"] == "delivery", count=count)


def test_an_order_is_announced_signed(storefront: RunningFake, receiver: Receiver) -> None:
    """A new order comes with the vendor's headers in the vendor's case, a genuine signature and the REST payload."""
    subscribe(storefront, receiver.url)
    order = place(storefront)
    [got] = receiver.wait(1)
    assert verifies(got.headers, got.body)
    assert set(got.headers) >= {
        "X-Shopify-Topic",
        "X-Shopify-Hmac-Sha256",
        "X-Shopify-Shop-Domain",
        "X-Shopify-API-Version",
        "X-Shopify-Webhook-Id",
        "X-Shopify-Event-Id",
        "X-Shopify-Triggered-At",
    }
    payload = json.loads(got.body)
    assert (str(payload["id"]), payload["name"]) == (order["id"], order["name"])
    assert payload == storefront.client.get(f"{API}/orders/{order['id']}.json", headers=HEADERS).json()["order"]
    [entry] = deliveries(storefront, 1)
    assert (entry["webhook_id"], entry["entity"]) == (got.headers["X-Shopify-Webhook-Id"], order["name"])


def test_a_configured_secret_signs(storefront: RunningFake, receiver: Receiver) -> None:
    """The secret that was set is the one that signs."""
    storefront.seed(settings={"webhook_secret": "other"})
    subscribe(storefront, receiver.url)
    place(storefront)
    [got] = receiver.wait(1)
    assert not verifies(got.headers, got.body)


def test_secrets_come_from_the_command_line(receiver: Receiver) -> None:
    """A storefront started with a token and a secret uses them, and writes neither down."""
    account = ("--access-token", "token-of-ours", "--webhook-secret", "secret-of-ours")
    with start_fake("fakes.storefront", *account) as fake:
        subscribe(fake, receiver.url)
        answer = fake.client.get(f"{API}/shop.json", headers={"X-Shopify-Access-Token": "token-of-ours"})
        assert answer.status_code == 200
        place(fake)
        [got] = receiver.wait(1)
        signature = base64.b64encode(hmac.new(b"secret-of-ours", got.body, hashlib.sha256).digest()).decode()
        assert got.headers["X-Shopify-Hmac-Sha256"] == signature
        deliveries(fake, 1)
        assert "of-ours" not in json.dumps(fake.journal())


def test_retries_are_one_webhook(storefront: RunningFake, receiver: Receiver) -> None:
    """Webhook id, event id, body and signature stay the same over the retries."""
    receiver.answers = [500, 302]
    subscribe(storefront, receiver.url)
    place(storefront)
    got = receiver.wait(3)
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in got}) == 1
    assert len({one.headers["X-Shopify-Event-Id"] for one in got}) == 1
    assert len({(one.body, one.headers["X-Shopify-Hmac-Sha256"]) for one in got}) == 1
    assert [entry["outcome"] for entry in deliveries(storefront, 3)] == ["failed", "failed", "delivered"]


def test_one_event_fires_several_topics(storefront: RunningFake, receiver: Receiver) -> None:
    """A cancellation is one event under several topics, each a webhook of its own."""
    subscribe(storefront, receiver.url, "orders/cancelled", "orders/updated")
    order = place(storefront)
    storefront.act("cancel-order", id=order["id"])
    got = receiver.wait(2)
    assert {one.headers["X-Shopify-Topic"] for one in got} == {"orders/cancelled", "orders/updated"}
    assert len({one.headers["X-Shopify-Event-Id"] for one in got}) == 1
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in got}) == 2
    assert all(json.loads(one.body)["cancelled_at"] for one in got)


def test_an_integrations_own_change_is_announced(storefront: RunningFake, receiver: Receiver) -> None:
    """Changing an order through the API is announced like any other change."""
    subscribe(storefront, receiver.url, "orders/updated")
    order = place(storefront)
    storefront.client.put(f"{API}/orders/{order['id']}.json", json={"order": {"note": "n"}}, headers=HEADERS)
    assert json.loads(receiver.wait(1)[0].body)["note"] == "n"


def test_what_was_not_written_is_not_announced(storefront: RunningFake, receiver: Receiver) -> None:
    """A write that was only pretended fires no webhook."""
    subscribe(storefront, receiver.url, "orders/create", "orders/updated")
    storefront.arm("not_persisted", operation="order.create")
    draft = {"order": {"line_items": [{"title": "x", "quantity": 1, "price": "1"}]}}
    assert storefront.client.post(f"{API}/orders.json", json=draft, headers=HEADERS).status_code == 201
    place(storefront)
    assert len(deliveries(storefront, 1)) == 1
    assert len(storefront.state("orders")) == len(receiver.wait(1)) == 1


@pytest.mark.parametrize("removable", [True, False])
def test_a_failing_subscription_is_removed_if_made_through_the_api(
    storefront: RunningFake, receiver: Receiver, removable: bool
) -> None:
    """After eight failures in a row the vendor removes what was made through its API, and never what was seeded."""
    storefront.seed(settings={"ladder_s": [0.001] * 8})
    receiver.usual = 500
    if removable:
        body = {"webhook": {"topic": "orders/create", "address": receiver.url}}
        assert storefront.client.post(f"{API}/webhooks.json", json=body, headers=HEADERS).status_code == 201
    else:
        subscribe(storefront, receiver.url)
    place(storefront)
    storefront.wait_for(lambda entry: entry.get("outcome") == "gave_up")
    events = [entry["event"] for entry in storefront.journal("subscription")]
    assert events == (["created", "removed_by_vendor"] if removable else ["created"])
    assert len(storefront.state("webhooks")) == (not removable)
    assert len(receiver.received) == (8 if removable else 9)


def test_a_success_clears_the_failures(storefront: RunningFake, receiver: Receiver) -> None:
    """Seven failures and a success are forgiven."""
    storefront.seed(settings={"ladder_s": [0.001] * 8})
    body = {"webhook": {"topic": "orders/create", "address": receiver.url}}
    storefront.client.post(f"{API}/webhooks.json", json=body, headers=HEADERS)
    receiver.answers = [500] * 7 + [200] + [500] * 7 + [200]
    place(storefront)
    deliveries(storefront, 8)
    place(storefront)
    deliveries(storefront, 16)
    assert len(storefront.state("webhooks")) == 1


def test_deliver_is_a_new_delivery_redeliver_the_same(storefront: RunningFake, receiver: Receiver) -> None:
    """``deliver`` sends under a new webhook id, ``redeliver`` repeats one to the letter."""
    subscribe(storefront, receiver.url)
    order = place(storefront)
    receiver.wait(1)
    [webhook_id] = storefront.act("deliver", id=order["id"])["webhook_ids"]
    receiver.wait(2)
    storefront.act("redeliver", webhook_id=webhook_id)
    first, second, third = receiver.wait(3)
    assert first.headers["X-Shopify-Webhook-Id"] != webhook_id == second.headers["X-Shopify-Webhook-Id"]
    assert third == second


@pytest.mark.parametrize("body", [{"id": 1}, "not json"])
def test_a_forgery_is_posted_once(storefront: RunningFake, receiver: Receiver, body: Any) -> None:
    """``forge`` posts what the vendor never sent under a signature that does not verify, and tells the answer."""
    subscribe(storefront, receiver.url)
    receiver.usual = 401
    [delivery] = storefront.act("forge", topic="orders/create", body=body)["deliveries"]
    assert delivery["status"] == 401
    [got] = receiver.wait(1)
    assert not verifies(got.headers, got.body)
    storefront.act("forge", topic="orders/create", body=body, signature="abc")
    assert receiver.wait(2)[1].headers["X-Shopify-Hmac-Sha256"] == "abc"


def test_an_old_webhook_says_so(storefront: RunningFake, receiver: Receiver) -> None:
    """``webhook_stale`` carries an old trigger time under a genuine signature."""
    subscribe(storefront, receiver.url)
    storefront.arm("webhook_stale", operation="orders/create", params={"age_s": 86400 * 365})
    place(storefront)
    [got] = receiver.wait(1)
    assert verifies(got.headers, got.body)
    year = int(got.headers["X-Shopify-Triggered-At"][:4])
    assert year < int(json.loads(got.body)["created_at"][:4])


def test_reserved_orders_meet_their_fault(storefront: RunningFake, receiver: Receiver) -> None:
    """A fault armed on a reserved order hits its webhook and no other order's."""
    subscribe(storefront, receiver.url)
    reserved = storefront.act("reserve-orders", count=2)["orders"]
    storefront.arm("webhook_dropped", operation="orders/create", entity=reserved[0]["name"])
    storefront.act("place-order", reserved=[one["id"] for one in reserved])
    outcomes = {entry["entity"]: entry["outcome"] for entry in deliveries(storefront, 2)}
    assert outcomes == {reserved[0]["name"]: "suppressed", reserved[1]["name"]: "delivered"}
    assert len(receiver.wait(1)) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"topic": "orders/creat", "address": "http://127.0.0.1/"}, "topic"),
        ({"topic": ["orders/create"], "address": "http://127.0.0.1/"}, "topic"),
        ({"topic": "orders/create"}, "address"),
        ({"topic": "orders/create", "address": "ftp://x/"}, "address"),
        ({"topic": "orders/create", "address": "http://"}, "address"),
        ({"topic": "orders/create", "address": "http://x:99999/"}, "address"),
        ({"topic": "orders/create", "address": "http://x/ y"}, "address"),
        ({"topic": "orders/create", "address": "http://x/", "format": "xml"}, "format"),
    ],
)
def test_a_bad_subscription_is_refused(storefront: RunningFake, given: dict[str, Any], field: str) -> None:
    """A subscription that cannot work is refused by the field that is wrong."""
    answer = storefront.client.post(f"{API}/webhooks.json", json={"webhook": given}, headers=HEADERS)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_a_new_address_is_for_new_webhooks(storefront: RunningFake, receiver: Receiver) -> None:
    """Changing a subscription's address takes effect with the next webhook."""
    body = {"webhook": {"topic": "orders/create", "address": "http://127.0.0.1:1/"}}
    made = storefront.client.post(f"{API}/webhooks.json", json=body, headers=HEADERS).json()["webhook"]
    change = {"webhook": {"id": made["id"], "address": receiver.url}}
    url = f"{API}/webhooks/{made['id']}.json"
    assert storefront.client.put(url, json=change, headers=HEADERS).json()["webhook"]["address"] == receiver.url
    place(storefront)
    receiver.wait(1)
    assert storefront.client.get(f"{API}/webhooks/count.json", headers=HEADERS).json() == {"count": 1}
    assert storefront.client.delete(url, headers=HEADERS).status_code == 200
    assert storefront.client.get(url, headers=HEADERS).status_code == 404
