"""Handing on shipments to the storefront: one fulfilment a parcel, told apart by its tracking number."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reference.backlog import Item
from reference.orders import Order
from reference.outcomes import Done, Failure, FailureError, Kind, Outcome
from reference.shipments import Shipment, load_parcel
from reference.storefront import Storefront

NOTHING_TO_FULFIL = "NOTHING_TO_FULFIL"


@dataclass(frozen=True, slots=True)
class Fulfilments:
    """The sender of fulfilment-writeback."""

    storefront: Storefront

    async def write_back(self, item: Item) -> Outcome:
        """
        Fulfil at the storefront what a parcel holds.

        Where that may have been done already it looks first, as it does when there is less to fulfil than was shipped.
        """
        order, shipment = load_parcel(item.document)
        if item.doubtful and await self._is_written(order, shipment):
            return Done("existed")
        path = f"/orders/{order.id}/fulfillment_orders.json"
        body = _build_fulfilment(order, shipment, await self.storefront.read(path, "fulfillment_orders"))
        if body is None:
            return await self._explain(order, shipment)
        try:
            await self.storefront.write("/fulfillments.json", body, "fulfillment")
        except FailureError as error:
            return replace(error.failure, payload=body)
        return Done()

    async def _explain(self, order: Order, shipment: Shipment) -> Outcome:
        if await self._is_written(order, shipment):
            return Done("existed")
        text = f"the storefront has less open of {order.name} than {shipment.id} holds"
        return Failure(Kind.OTHER, NOTHING_TO_FULFIL, text)

    async def _is_written(self, order: Order, shipment: Shipment) -> bool:
        fulfilments = await self.storefront.read(f"/orders/{order.id}/fulfillments.json", "fulfillments")
        return any(
            shipment.tracking in (one.get("tracking_numbers") or [one.get("tracking_number")])
            for one in fulfilments
            if one.get("status") != "cancelled"
        )


def _build_fulfilment(order: Order, shipment: Shipment, orders: Iterable[Mapping[str, Any]]) -> bytes | None:
    """Build the body of a fulfilment, or None when what was shipped is not open in full."""
    skus = {line.id: line.sku for line in order.lines}
    missing: dict[str, int] = {}
    for sku, quantity in shipment.lines:
        missing[sku] = missing.get(sku, 0) + quantity
    groups = []
    for one in orders:
        taken = _take(one.get("line_items", ()), skus, missing) if one.get("status") in {"open", "in_progress"} else []
        if taken:
            groups.append({"fulfillment_order_id": one["id"], "fulfillment_order_line_items": taken})
    if any(missing.values()):
        return None
    fulfilment = {
        "line_items_by_fulfillment_order": groups,
        "tracking_info": {"number": shipment.tracking, "company": shipment.carrier},
        "notify_customer": False,
    }
    return json.dumps({"fulfillment": fulfilment}, separators=(",", ":")).encode()


def _take(lines: Iterable[Mapping[str, Any]], skus: Mapping[int, str], missing: dict[str, int]) -> list[dict[str, int]]:
    taken = []
    for line in lines:
        sku = skus.get(line["line_item_id"], "")
        units = min(missing.get(sku, 0), line["fulfillable_quantity"])
        if units > 0:
            missing[sku] -= units
            taken.append({"id": line["id"], "quantity": units})
    return taken
