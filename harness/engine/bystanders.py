"""What a lab holds before an experiment begins: whatever is about it is about no stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.history import Order
from harness.core.names import TOKEN
from harness.engine.reservations import GATEWAY, SHOP, pick_tokens
from harness.lab.goods import SKUS

if TYPE_CHECKING:
    from harness.engine.bench import Bench
    from harness.lab.control import ControlClient


async def list_known(bench: Bench) -> set[str]:
    """List the tokens of the catalogue, and of the orders, payments and items of earlier runs where the lab was joined."""
    # The longest word of a name is enough to know it by; short ones stand in anybody's reference.
    known = {max(TOKEN.findall(sku), key=len) for sku in SKUS}
    shop, gateway = bench.find_control(SHOP), bench.find_control(GATEWAY)
    if shop is not None:
        known |= await _list_sold(shop)
    if gateway is not None:
        known |= {TOKEN.findall(str(payment["id"]))[-1] for payment in await gateway.state("payment_intents")}
    return known


async def _list_sold(shop: ControlClient) -> set[str]:
    known: set[str] = set()
    for record in await shop.state("orders"):
        known |= Order(0, str(record["name"]), str(record["id"]), str(record["number"])).aliases
    for item in await shop.state("items"):
        known |= pick_tokens((item["id"], item["sku"]))
    return known | {str(request["id"]) for request in await shop.state("fulfillment_orders")}
