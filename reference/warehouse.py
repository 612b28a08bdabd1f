"""Handing on orders to the warehouse: placed once, and allocated at the second location where the first has too little."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reference.backlog import Item
from reference.orders import Order, load_order
from reference.outcomes import Done, Failure, FailureError, Kind, Outcome
from reference.wms import Wms

FIRST_LOCATION, SECOND_LOCATION = "MAIN", "EAST"
NOT_ALLOCATED = "NOT_ALLOCATED"
_SHORT = frozenset({"received", "partially_allocated", "backordered"})


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The sender of erp-to-wms. `second_location` is None for one that leaves orders short."""

    wms: Wms
    second_location: str | None = SECOND_LOCATION

    async def place(self, item: Item) -> Outcome:
        """
        Place an order by its number; one that is there already is not placed again.

        An order that neither location can fill stays at the WMS, but fails here, so that a person hears of it.
        """
        order = load_order(item.document)
        body = _build_order(order)
        try:
            placed = await self.wms.place(order.number, body)
            item.taken()
            return await self._fill(placed)
        except FailureError as error:
            return replace(error.failure, payload=body)

    async def _fill(self, order: Mapping[str, Any]) -> Outcome:
        if order.get("status") not in _SHORT or self.second_location is None:
            return Done()
        filled = await self.wms.allocate(str(order["id"]), self.second_location)
        if filled.get("status") not in _SHORT:
            return Done("secondary-location")
        text = f"{filled['id']} is {filled.get('status')} after {FIRST_LOCATION} and {self.second_location}"
        raise FailureError(Failure(Kind.OTHER, NOT_ALLOCATED, text))


def _build_order(order: Order) -> bytes:
    return json.dumps(
        {
            "reference": order.number,
            "ship_to": dict(order.ship_to),
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
            "location": FIRST_LOCATION,
        },
        separators=(",", ":"),
    ).encode()
