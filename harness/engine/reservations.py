"""
Reserve what an experiment is about, and make it known to every vendor before anything is armed.

Orders are set aside at the shop, with an authorised payment each where the stack has a gateway; items are taken in at the
warehouse and then at the shop. Nothing of it can be seen by the integration yet.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from harness.core.history import Order
from harness.core.names import TOKEN
from harness.lab.errors import EnvironmentNotReady
from harness.lab.goods import ITEM_LEVELS, SKUS
from harness.wire.privacy import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.core.stack import Fake
    from harness.core.starts import Subject
    from harness.engine.bench import Bench
    from harness.lab.control import ControlClient

SHOP: Final = "shopify"
GATEWAY: Final = "stripe"
WAREHOUSE: Final = "wms"
# Too many live there for it to tell a person, and too many words are called so.
PUBLIC: Final = frozenset({"city", "zip", "country", "country_code", "province", "province_code"})
# A count that finds fewer of an item than there should be, and leaves enough for another one.
MISSING = -3


async def reserve_orders(
    bench: Bench, count: int, basket: Mapping[str, Any], totals: Mapping[int, str]
) -> tuple[Order, ...]:
    """
    Reserve so many orders of this basket; those that are to add up to a given total hold one line at that price.

    Raises LabError where a vendor refuses, or where the stack has no shop.
    """
    shop, gateway = _need(bench, SHOP), bench.find_control(GATEWAY)
    private = list(list_private(basket.get("customer")))
    for redactor in (OURS, bench.recorder.redactor):
        redactor.tell(private)
    await _keep_private([shop], private)
    others = [bench.lab.tap, *(control for control in bench.lab.controls.values() if control is not shop)]
    # Nobody but the shop hears of a person before all of them know what to keep to themselves.
    reserved, _ = await asyncio.gather(_reserve(shop, count, basket, totals), _keep_private(others, private))
    orders = [
        Order(ordinal, str(given["name"]), str(given["id"]), str(given["number"]), pick_tokens(given["aliases"]))
        for ordinal, given in enumerate(reserved, start=1)
    ]
    if gateway is None:
        await _make_known(bench, shop, orders)
        return tuple(orders)
    orders, payments = await _authorise(gateway, orders, reserved)
    await asyncio.gather(shop.act("attach-payments", payments=payments), _make_known(bench, shop, orders))
    return tuple(orders)


async def reserve_items(bench: Bench, count: int) -> tuple[Order, ...]:
    """Take so many new items in, first at the warehouse, then at the shop; raises LabError as `reserve_orders`."""
    warehouse, shop = _need(bench, WAREHOUSE), _need(bench, SHOP)
    skus = [str(item["sku"]) for item in (await warehouse.act("reserve-items", count=count))["items"]]
    levels = dict(ITEM_LEVELS)
    stocked = await shop.act("stock-items", items=[{"sku": sku, "levels": levels} for sku in skus])
    shown = {str(item["sku"]): item for item in stocked["items"]}
    items = [
        Order(ordinal, sku, str(shown[sku]["inventory_item_id"]), further=pick_tokens(shown[sku]["aliases"]))
        for ordinal, sku in enumerate(skus, start=1)
    ]
    await _make_known(bench, shop, items)
    return tuple(items)


async def set_in_motion(bench: Bench, subject: Subject, chosen: Sequence[Order]) -> None:
    """Place reserved orders, all at once; of items, find fewer than there should be, one item after another."""
    if subject == "order":
        await _need(bench, SHOP).act("place-order", reserved=[order.id for order in chosen])
        return
    for item in chosen:
        await _need(bench, WAREHOUSE).act("adjust-stock", sku=item.name, location="MAIN", delta=MISSING)


def pick_tokens(aliases: Iterable[object]) -> frozenset[str]:
    """Pick the aliases that are one whole token each: references are searched by such."""
    return frozenset(filter(TOKEN.fullmatch, map(str, aliases)))


def list_private(customer: Any) -> Iterator[str]:
    """List what a customer is told by in prose: the name in parts and whole, the street, and how to reach them."""
    if isinstance(customer, dict):
        yield f"{customer.get('first_name', '')} {customer.get('last_name', '')}".strip()
        for name, value in customer.items():
            if isinstance(value, dict):
                yield from list_private(value)
            elif isinstance(value, str) and value and name not in PUBLIC:
                yield value


async def _reserve(
    shop: ControlClient, count: int, basket: Mapping[str, Any], totals: Mapping[int, str]
) -> list[Mapping[str, Any]]:
    """Have the shop set orders aside; return them as it shows them."""
    reserved: list[Mapping[str, Any]] = []
    for total, ordinals in groupby(range(1, count + 1), key=totals.get):
        lines = {} if total is None else {"lines": [{"sku": SKUS[0], "quantity": 1, "price": total}]}
        answer = await shop.act("reserve-orders", count=len(list(ordinals)), **{**basket, **lines})
        reserved += answer["orders"]
    return reserved


async def _keep_private(controls: Iterable[ControlClient], values: Sequence[str]) -> None:
    """Have none of them record these values."""
    if values:
        await asyncio.gather(*(control.keep_private(values) for control in controls))


def _need(bench: Bench, fake: Fake) -> ControlClient:
    control = bench.find_control(fake)
    if control is None:
        raise EnvironmentNotReady("the lab", f"no system of the stack has the fake {fake}", "handoff lint")
    return control


async def _authorise(
    gateway: ControlClient, orders: Sequence[Order], reserved: Sequence[Mapping[str, Any]]
) -> tuple[list[Order], list[dict[str, str]]]:
    """Have each order's total authorised; return the orders with those names too, and which payment is whose."""
    wanted = [
        {"name": order.name, "order_id": order.id, "amount": given["total_price"], "currency": given["currency"]}
        for order, given in zip(orders, reserved, strict=True)
    ]
    payments = {str(each["name"]): each for each in (await gateway.act("authorise", orders=wanted))["payments"]}
    named = [replace(order, further=order.further | pick_tokens(payments[order.name]["aliases"])) for order in orders]
    return named, [{"order_id": order.id, "authorization": payments[order.name]["id"]} for order in orders]


async def _make_known(bench: Bench, shop: ControlClient, found: Iterable[Order]) -> None:
    """Register them wherever they were not made, under every name they have or will have."""
    entities = [{"name": order.name, "aliases": sorted(order.aliases)} for order in found]
    others = [control for control in bench.lab.controls.values() if control is not shop]
    await asyncio.gather(*(control.seed(entities=entities) for control in others))
