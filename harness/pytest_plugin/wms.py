"""The warehouse of a story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.faults import Fault, Layer
from harness.pytest_plugin.orders import Items
from harness.pytest_plugin.system import System

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story

PLACED = "wms_order.create"
SHIPPED = "order.shipped"


class Wms(System):
    """The warehouse."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "wms")

    def ship(self, orders: Orders, lines: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Ship what is set aside for orders, or these `lines` (`{"sku", "quantity"}`); one parcel a location."""
        given = {} if lines is None else {"lines": list(lines)}
        for order in orders:
            self.act("ship", entity=order.name, **given)

    def take_in(self, count: int) -> Items:
        """Take new items in, 100 of each at MAIN and 50 at EAST, and put them on sale."""
        return Items(self._story.reserve(count, subject="item"))

    def adjust(self, items: Items, delta: int, *, location: str = "MAIN") -> None:
        """Count items anew, and find so many more or fewer than there should be."""
        for sku in items.skus:
            self.act("adjust-stock", sku=sku, location=location, delta=delta)

    def answers_late(self, at: str, *, by: str, times: int | None = None) -> Fault:
        """Build answers of one operation that come late, by so much of production."""
        seconds = self._story.lab_s(by)
        return self._build("delay", self._aim(at), times=times, params={"seconds": seconds})

    def allocates_partially(self, orders: Orders | None = None) -> Fault:
        """Build orders of which only half can be set aside where they were sent."""
        return self._build("partial_allocation", (PLACED,), orders=orders, times=1)

    def drops_webhooks(self, topic: str = SHIPPED, *, orders: Orders | None = None) -> Fault:
        """Build webhooks that are never sent."""
        return self._build("webhook_dropped", (topic,), layer=Layer.WEBHOOK, orders=orders)

    def orders(self, orders: Orders) -> Records:
        """Return the orders as the warehouse has them."""
        return self.records("order", orders)

    def shipments(self, orders: Orders) -> Records:
        """Return the parcels."""
        return self.records("shipment", orders)

    def stock(self, items: Items) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Return the stock of items, by SKU and location: `on_hand`, `allocated`, `available`, `shipped` and more."""
        rows = self.state("stock")
        return {
            sku: {str(row["location"]): row for row in sorted(rows, key=_location) if row["sku"] == sku}
            for sku in items.skus
        }


def _location(row: Mapping[str, Any]) -> str:
    return str(row["location"])
