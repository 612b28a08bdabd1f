"""The real ShopifyAPI client, unchanged, against the storefront."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shopify
from pyactiveresource.connection import ClientError, ResourceNotFound, UnauthorizedAccess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.conftest import RunningFake

TOKEN = "shpat_handoff"


@pytest.fixture
def session(storefront: RunningFake) -> Iterator[RunningFake]:
    """Point the client at the fake, as its manual says."""
    shopify.Session.setup(protocol="http", myshopify_domain="0.0.1", port=storefront.port)
    shopify.ShopifyResource.activate_session(shopify.Session("127.0.0.1", "2026-07", TOKEN))
    yield storefront
    shopify.ShopifyResource.clear_session()


def test_it_creates_reads_and_changes_an_order(session: RunningFake) -> None:
    """An order the client makes can be read and changed by it, and is the one the control plane shows."""
    order = shopify.Order({"line_items": [{"title": "Mug", "sku": "MUG", "quantity": 2, "price": "12.50"}]})
    assert order.save()
    assert shopify.Order.find(order.id).total_price == "25.00"
    order.note = "gift"
    assert order.save()
    assert shopify.Order.find(order.id).note == "gift"
    [record] = session.state("orders")
    assert (record["id"], record["total_price"], record["note"]) == (str(order.id), "25.00", "gift")


def test_it_sees_what_is_wrong_with_an_order(session: RunningFake) -> None:
    """A refused order does not save and tells why."""
    order = shopify.Order({"line_items": []})
    assert not order.save()
    assert order.errors.full_messages() == ["line_items must have at least one line item"]
    assert session.state("orders") == []


def test_it_pages_through_all_orders(session: RunningFake) -> None:
    """Following the pages forward and back shows every order once."""
    placed = [order["name"] for order in session.act("place-order", count=7)["orders"]]
    page = shopify.Order.find(limit=3)
    names = [order.name for order in page]
    while page.has_next_page():
        page = page.next_page()
        names += [order.name for order in page]
    assert names == placed[::-1]
    assert [order.name for order in page.previous_page()] == names[3:6]


def test_it_cancels_closes_and_opens(session: RunningFake) -> None:
    """The client's verbs reach the order."""
    order_id = session.act("place-order")["orders"][0]["id"]
    order = shopify.Order.find(order_id)
    order.close()
    assert shopify.Order.find(order_id).closed_at
    order.open()
    assert shopify.Order.find(order_id).closed_at is None
    order.cancel()
    cancelled = shopify.Order.find(order_id)
    assert cancelled.cancelled_at
    assert cancelled.financial_status == "refunded"


def test_it_reads_the_call_limit(session: RunningFake) -> None:
    """The client finds the limit header, which it looks up in the vendor's exact spelling."""
    session.seed(settings={"bucket": 40, "leak_per_s": 0.0001})
    shopify.Shop.current()
    shopify.Shop.current()
    assert (shopify.Limits.credit_used(), shopify.Limits.credit_limit()) == (2, 40)


def test_it_hits_the_limit(session: RunningFake) -> None:
    """Past the bucket the client gets the vendor's 429 with its Retry-After."""
    session.seed(settings={"bucket": 3, "leak_per_s": 0.0001})
    for _ in range(3):
        shopify.Shop.current()
    with pytest.raises(ClientError) as refused:
        shopify.Shop.current()
    assert refused.value.response.code == 429
    assert float(refused.value.response.headers["Retry-After"]) > 0
    assert b"Exceeded 2 calls per second for api client" in refused.value.response.body


def test_it_sees_a_revoked_token(session: RunningFake) -> None:
    """Once the token was changed the client is told that it is not authorised."""
    session.seed(settings={"access_token": "another"})
    with pytest.raises(UnauthorizedAccess) as refused:
        shopify.Shop.current()
    assert b"Invalid API key or access token" in refused.value.response.body


def test_it_sees_an_expired_session(session: RunningFake) -> None:
    """An armed session expiry looks like any expired token to the client, and the next call works."""
    session.arm("session_expired", operation="shop.read", attempts=[1])
    with pytest.raises(UnauthorizedAccess):
        shopify.Shop.current()
    assert shopify.Shop.current().name


def test_it_does_not_find_what_is_not_there(session: RunningFake) -> None:
    """An unknown id is the client's not-found."""
    with pytest.raises(ResourceNotFound):
        shopify.Order.find(1)
    assert session.journal("exchange")[-1]["status"] == 404


def test_it_subscribes_and_unsubscribes(session: RunningFake) -> None:
    """Webhook subscriptions can be made, found, refused when taken, and ended."""
    made = shopify.Webhook.create({"topic": "orders/create", "address": "http://127.0.0.1:9/hook", "format": "json"})
    assert made.id
    assert [found.id for found in shopify.Webhook.find(topic="orders/create")] == [made.id]
    again = shopify.Webhook.create({"topic": "orders/create", "address": "http://127.0.0.1:9/hook"})
    assert again.errors.full_messages() == ["address for this topic has already been taken"]
    made.destroy()
    assert shopify.Webhook.find() == []
    assert [entry["event"] for entry in session.journal("subscription")] == ["created", "deleted"]
