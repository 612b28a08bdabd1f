"""Calls to the storefront's Admin API that several tests make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.conftest import RunningFake

API = "/admin/api/2026-07"
HEADERS = {"X-Shopify-Access-Token": "shpat_handoff"}


def get(fake: RunningFake, path: str, **query: Any) -> httpx2.Response:
    """Read from the Admin API."""
    return fake.client.get(f"{API}{path}", params=query, headers=HEADERS)


def post(fake: RunningFake, path: str, body: Any) -> httpx2.Response:
    """Post to the Admin API."""
    return fake.client.post(f"{API}{path}", json=body, headers=HEADERS)


def place(fake: RunningFake, *lines: tuple[str, int, str], **order: Any) -> dict[str, Any]:
    """Place an order of (sku, quantity, price) and return what the act answers."""
    given = [{"sku": sku, "quantity": quantity, "price": price} for sku, quantity, price in lines]
    return fake.act("place-order", **({"lines": given} if given else {}), **order)["orders"][0]


def authorise(fake: RunningFake, price: str = "20.00") -> dict[str, Any]:
    """Place an order whose payment another gateway holds."""
    [reserved] = fake.act("reserve-orders", lines=[{"sku": "A", "price": price}])["orders"]
    fake.act("attach-payments", payments=[{"order_id": reserved["id"], "authorization": "pi_123"}])
    return fake.act("place-order", reserved=[reserved["id"]])["orders"][0]


def capture(fake: RunningFake, order: dict[str, Any], **transaction: Any) -> httpx2.Response:
    """Take money of an order."""
    return post(fake, f"/orders/{order['id']}/transactions.json", {"transaction": {"kind": "capture", **transaction}})


def fulfil(fake: RunningFake, order: dict[str, Any], lines: list[dict[str, Any]] | None = None) -> httpx2.Response:
    """Send an order's first fulfillment order, whole or by lines."""
    rows = {} if lines is None else {"fulfillment_order_line_items": lines}
    given = [{"fulfillment_order_id": int(order["aliases"][0]), **rows}]
    tracking = {"number": "T1", "company": "DHL", "url": "https://track.example/T1"}
    body = {"line_items_by_fulfillment_order": given, "tracking_info": tracking}
    return post(fake, "/fulfillments.json", {"fulfillment": body})


def request_lines(fake: RunningFake, order: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of an order's first fulfillment order."""
    return get(fake, f"/orders/{order['id']}/fulfillment_orders.json").json()["fulfillment_orders"][0]["line_items"]


def stock(fake: RunningFake, sku: str = "SKU1", **levels: int) -> str:
    """Stock an item and return its inventory item's id."""
    given = {"sku": sku, "levels": levels or {"MAIN": 100, "EAST": 50}}
    return fake.act("stock-items", items=[given])["items"][0]["inventory_item_id"]


def available(fake: RunningFake, sku: str = "SKU1") -> dict[str, int]:
    """Return what can be sold of an item, by location."""
    levels = [level for level in fake.state("inventory_levels") if level["sku"] == sku]
    return {level["location"]: level["available"] for level in levels}


def locations(fake: RunningFake) -> dict[str, int]:
    """Return the ids of the locations by name."""
    return {one["name"]: one["id"] for one in get(fake, "/locations.json").json()["locations"]}
