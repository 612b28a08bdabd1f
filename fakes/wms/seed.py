"""What the control plane can make the warehouse do: set aside, pick, pack, ship, count, and set its stock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from fakes.kit.fake import Act, Seeds
from fakes.kit.problems import ProblemError
from fakes.wms import fulfilment
from fakes.wms.model import NotPossibleError
from fakes.wms.payloads import show_order, show_stock
from fakes.wms.settings import SettingsBody
from fakes.wms.verbs import (
    AdjustBody,
    AllocateBody,
    CancelBody,
    OrderBody,
    ReceiveBody,
    ReserveBody,
    ShipBody,
    ShortPickBody,
    SnapshotBody,
    StockSeed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.wms.model import Order
    from fakes.wms.subscribers import Subscribers
    from fakes.wms.warehouse import Warehouse
    from fakes.wms.webhooks import WebhookSender

Result = TypeVar("Result")


class WarehouseActs:
    """The verbs about orders and stock, and the seeds."""

    def __init__(self, warehouse: Warehouse, subscribers: Subscribers, sender: WebhookSender) -> None:
        self._warehouse = warehouse
        self._subscribers = subscribers
        self._sender = sender

    def build(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "allocate": Act("Set aside what is missing of an order", _guard(self.allocate), AllocateBody),
            "hold": Act("Stop an order before it is picked", _guard(self.hold), OrderBody),
            "release": Act("Let a stopped order go on", _guard(self.release), OrderBody),
            "pick": Act("Pick what is set aside for an order", _guard(self.pick), OrderBody),
            "short-pick": Act("Fail to find units of an order", _guard(self.pick_short), ShortPickBody),
            "pack": Act("Pack what is set aside for an order", _guard(self.pack), OrderBody),
            "ship": Act("Ship what is set aside for an order", _guard(self.ship), ShipBody),
            "cancel": Act("Cancel an order before it is picked", _guard(self.cancel), CancelBody),
            "snapshot": Act("Count everything and announce it", self.count, SnapshotBody),
            "adjust-stock": Act("Correct what lies at a location", _guard(self.adjust), AdjustBody),
            "receive-stock": Act("Let goods come in", _guard(self.receive), ReceiveBody),
            "reserve-items": Act("Take in new items without a word", self.reserve, ReserveBody),
        }

    def build_seeds(self) -> Seeds:
        """Return what ``POST /seed`` can set."""
        return Seeds(
            webhook=self._subscribe,
            records={"stock": (StockSeed, _guard(self._count))},
            settings=(SettingsBody, self._configure),
        )

    def allocate(self, given: AllocateBody) -> dict[str, Any]:
        """Set aside what is missing."""
        return self._show(self._warehouse.allocate_anywhere(self._find(given), given.location))

    def hold(self, given: OrderBody) -> dict[str, Any]:
        """Stop an order."""
        return self._show(self._warehouse.advance(self._find(given), lambda order: fulfilment.hold(order, held=True)))

    def release(self, given: OrderBody) -> dict[str, Any]:
        """Let an order go on."""
        return self._show(self._warehouse.advance(self._find(given), lambda order: fulfilment.hold(order, held=False)))

    def pick(self, given: OrderBody) -> dict[str, Any]:
        """Pick an order."""
        return self._show(self._warehouse.advance(self._find(given), fulfilment.pick))

    def pick_short(self, given: ShortPickBody) -> dict[str, Any]:
        """Fail to find units."""
        order = self._find(given)
        return self._show(self._warehouse.pick_short(order, given.sku, given.quantity, given.reason))

    def pack(self, given: OrderBody) -> dict[str, Any]:
        """Pack an order."""
        return self._show(self._warehouse.advance(self._find(given), fulfilment.pack))

    def ship(self, given: ShipBody) -> dict[str, Any]:
        """Ship an order and tell its new shipments."""
        order = self._find(given)
        wanted: dict[str, int] | None = None
        if given.lines is not None:
            wanted = {}
            for line in given.lines:
                wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        shipped = self._warehouse.ship(order, wanted, given.tracking, given.carrier)
        made = shipped.shipments[len(order.shipments) :]
        shipments = self._warehouse.shipments
        return {**self._show(shipped), "shipments": [shipments.describe(one, one.id) for one in made]}

    def cancel(self, given: CancelBody) -> dict[str, Any]:
        """Cancel an order."""
        return self._show(self._warehouse.cancel(self._find(given), given.reason))

    def count(self, given: SnapshotBody) -> dict[str, Any]:
        """Count everything."""
        return self._warehouse.count_all(given.location).data

    def adjust(self, given: AdjustBody) -> dict[str, Any]:
        """Correct stock."""
        stock = self._warehouse.move_stock(given.sku, given.location, given.reason, adjusted=given.delta)
        return {"stock": {"id": stock.id, **show_stock(stock)}}

    def receive(self, given: ReceiveBody) -> dict[str, Any]:
        """Let goods come in."""
        stock = self._warehouse.move_stock(given.sku, given.location, "received", received=given.quantity)
        return {"stock": {"id": stock.id, **show_stock(stock)}}

    def reserve(self, given: ReserveBody) -> dict[str, Any]:
        """Take in new items."""
        return {"items": [{"sku": self._warehouse.reserve_item()} for _ in range(given.count)]}

    def _subscribe(self, topic: str, address: str) -> None:
        self._subscribers.add(address, [topic], removable=False)

    def _count(self, given: StockSeed) -> None:
        self._warehouse.shelves.count(given.sku, given.location, given.on_hand)

    def _configure(self, given: SettingsBody) -> None:
        changes = given.model_dump(exclude_none=True)
        if "ladder_s" in changes:
            changes["ladder_s"] = tuple(changes["ladder_s"])
        self._warehouse.configure(replace(self._warehouse.settings, **changes))
        self._sender.configure()

    def _find(self, given: OrderBody) -> Order:
        order = self._warehouse.find_order(given.entity, given.order_id)
        if order is None:
            raise ProblemError(404, f"there is no order {given.order_id or given.entity!r}")
        return order

    def _show(self, order: Order) -> dict[str, Any]:
        return {"order": {"id": order.id, **show_order(order), "entity": order.entity}}


def _guard(run: Callable[[Any], Result]) -> Callable[[Any], Result]:
    def guarded(given: Any) -> Result:
        try:
            return run(given)
        except NotPossibleError as error:
            raise ProblemError(409, error.detail, code=error.code) from error

    return guarded
