"""Variants that make calls beside those that are declared: nobody's business, or the same one too often."""

import json
import os

import httpx2

from reference.backlog import Item
from reference.calls import Caller
from reference.capture import Captured, Delivery
from reference.config import read_settings
from reference.fields import UnusableError
from reference.handoffs import ORDER_CAPTURE, ORDER_TO_ERP
from reference.lane import Send
from reference.orders import parse_order
from reference.outcomes import Failure, FailureError, Health, Outcome
from reference.parts import Parts
from reference.policies import ORDER_TO_ERP as POSTING
from reference.receiver import Receive
from scenarios.zoo.variant import Variant

CREATED, STOREFRONT = "orders/create", "storefront"
# Declared is one repetition.
REPETITIONS = 3


def orders_tagged() -> Parts:
    """Tag every order at the storefront as taken in."""
    return Parts(wrap_receive=_tag)


def repeated_below() -> Parts:
    """Have the client repeat a call three times that got no good answer, before the policy hears of it."""
    return Parts(wrap_send=lambda handoff, send: _repeat(send) if handoff == ORDER_TO_ERP else send)


def _tag(receive: Receive) -> Receive:
    shops: list[Caller] = []

    async def receive_and_tag(delivery: Delivery) -> Captured:
        captured = await receive(delivery)
        if delivery.source == STOREFRONT and delivery.topic == CREATED and captured.outcome == "new":
            shops[:] = shops or [_call_storefront()]
            await _put_tag(shops[0], delivery)
        return captured

    return receive_and_tag


async def _put_tag(shop: Caller, delivery: Delivery) -> None:
    try:
        order = parse_order(delivery.body)
        body = json.dumps({"order": {"id": order.id, "tags": "taken-in"}}).encode()
        await shop.call("PUT", f"/orders/{order.id}.json", content=body)
    except (UnusableError, FailureError):
        return  # a tag is worth no more than one try


def _call_storefront() -> Caller:
    settings = read_settings(os.environ)
    http = httpx2.AsyncClient(timeout=None, trust_env=False)
    headers = {"X-Shopify-Access-Token": settings.storefront_token}
    return Caller(http, settings.storefront_url, settings.scaled(POSTING.timeout_s), headers)


def _repeat(send: Send) -> Send:
    async def carry(item: Item) -> Outcome:
        outcome = await _try(send, item)
        for _ in range(REPETITIONS):
            if not isinstance(outcome, Failure) or outcome.health is not Health.DOWN:
                break
            outcome = await _try(send, item)
        return outcome

    return carry


async def _try(send: Send, item: Item) -> Outcome:
    try:
        return await send(item)
    except FailureError as error:
        return error.failure


UNASKED: tuple[Variant, ...] = (
    # Every order that is placed shows it, so everything may.
    Variant(
        "tags-orders-unasked",
        "broken",
        "tags every order at the storefront, which nobody declared",
        orders_tagged,
        (f"{ORDER_CAPTURE}/clean:resolve", f"{ORDER_TO_ERP}/clean:resolve"),
        (f"{ORDER_CAPTURE}/", f"{ORDER_TO_ERP}/"),
        stack="strict",
    ),
    Variant("reference-under-a-ban", "correct", "the reference, forbidden what nobody declared", Parts, stack="strict"),
    Variant(
        "repeats-more-than-declared",
        "broken",
        "repeats a call three times below its policy, where once is declared",
        repeated_below,
        (f"{ORDER_TO_ERP}/any:retry",),
        (f"{ORDER_TO_ERP}/outage:contain",),
        stack="layered",
    ),
)
