"""The storefront of a story: where orders come from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from harness.core.ends import IN_SYNC, EndState
from harness.core.experiments import Place
from harness.core.faults import Fault, Layer
from harness.pytest_plugin.conditions import Standing, Until
from harness.pytest_plugin.system import System

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.engine.driver import Driver
    from harness.pytest_plugin.orders import Items, Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story

ORDER_CREATED = "orders/create"
THROTTLED = 429
CALLS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What came of changing many prices at once: how many were changed, and how many the shop refused for the moment."""

    changed: int
    refused: int


class Storefront(System):
    """The shop."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "shopify")

    def place(self, orders: int | Orders, **basket: Any) -> Orders:
        """Place reserved orders, or so many new ones, all at once; `basket` as for `reserve`."""
        reserved = self.reserve(orders, **basket) if isinstance(orders, int) else orders
        self._story.perform(Place(reserved.ordinals))
        return reserved

    def reserve(self, count: int, **basket: Any) -> Orders:
        """
        Set orders aside, each with its payment authorised where there is a gateway, for faults to be aimed at them.

        `lines` are `[{"sku", "quantity"?, "price"?}]`, prices as text in major units, and `customer` is as the storefront's
        control plane takes it; what is not given is drawn from the seed.
        """
        return self._story.build_orders(self._story.reserve(count, **basket))

    def cancel(self, orders: Orders) -> None:
        """Have customers cancel their orders."""
        for order in orders:
            self.act("cancel-order", id=order.id)

    def refund(self, orders: Orders, amount: str | None = None) -> None:
        """Have the shop's own payment provider pay money back: all of it, or an amount in major units."""
        given = {} if amount is None else {"amount": amount}
        for order in orders:
            self.act("refund", id=order.id, **given)

    def change_prices(self, count: int) -> PriceChange:
        """
        Change so many prices at once through the shop's API, under the integration's token, and see how many it takes.

        Shopify counts calls by token and shop, in a bucket that holds 40: whoever shares the token shares the bucket.
        """
        answers = self._story.do(lambda driver: self._put_prices(driver, count))
        return PriceChange(sum(200 <= status < 300 for status in answers), answers.count(THROTTLED))

    def drops_webhooks(self, topic: str = ORDER_CREATED, *, orders: Orders | None = None) -> Fault:
        """Build webhooks that are never sent."""
        return self._send("webhook_dropped", topic, orders)

    def repeats_webhooks(self, topic: str = ORDER_CREATED, *, copies: int = 2, orders: Orders | None = None) -> Fault:
        """Build webhooks that are sent several times."""
        return self._send("webhook_duplicate", topic, orders, copies=copies)

    def mangles_webhooks(
        self, topic: str = ORDER_CREATED, *, how: str = "wrong_types", orders: Orders | None = None
    ) -> Fault:
        """
        Build webhooks that are signed correctly and cannot be understood.

        `how`: `truncated`, `not_json`, `wrong_types`, `missing_fields` or `empty`.
        """
        return self._send("webhook_malformed", topic, orders, mutation=how)

    def forgets_subscription(self, topic: str = ORDER_CREATED) -> Fault:
        """Build a subscription that the shop has removed."""
        return self._send("subscription_removed", topic, None)

    def orders(self, orders: Orders) -> Records:
        """Return the orders as the shop has them."""
        return self.records("order", orders)

    def transactions(self, orders: Orders) -> Records:
        """Return what the shop knows of money; `capture` is the state of a captured one."""
        return self.records("transaction", orders)

    def fulfillments(self, orders: Orders) -> Records:
        """Return the parcels the shop tells its customers of."""
        return self.records("fulfillment", orders)

    def in_sync(self, items: Items) -> Until:
        """Build the condition that it shows of each item what the warehouse has available, at every location."""
        return Until(Standing(EndState(self.name, "inventory_level", IN_SYNC), items.ordinals))

    def levels(self, items: Items) -> Mapping[str, Mapping[str, int]]:
        """Return what it shows as available, by SKU and location."""
        history = self._story.look()
        return {
            item.name: {
                change.record["location"]: change.record["available"]
                for change in history.records("inventory_levels", item.ordinal, self.name)
            }
            for item in items.each
        }

    def _send(self, kind: str, topic: str, orders: Orders | None, **params: Any) -> Fault:
        return self._build(kind, (topic,), layer=Layer.WEBHOOK, orders=orders, params=params)

    async def _put_prices(self, driver: Driver, count: int) -> Sequence[int]:
        """Update variants all at once, in front of the tap, as the integration would."""
        variants = [item["variant_id"] for item in await driver.lab.controls[self.name].state("items")]
        headers = {"X-Shopify-Access-Token": driver.lab.environment["STOREFRONT_TOKEN"]}
        tap = driver.lab.tap_addresses[self.name]
        limits = httpx2.Limits(max_connections=CALLS_AT_ONCE)
        async with httpx2.AsyncClient(base_url=tap, headers=headers, trust_env=False, limits=limits) as shop:
            calls = [
                shop.put(f"/admin/variants/{variant}.json", json={"variant": {"id": variant, "price": "12.50"}})
                for variant in (variants[number % len(variants)] for number in range(count))
            ]
            return [answer.status_code for answer in await asyncio.gather(*calls)]
