"""What the control plane can make the warehouse tell: its webhooks again, and ones it never sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import dump_json
from fakes.kit.fake import Act
from fakes.kit.forgery import Forgery
from fakes.kit.problems import ProblemError, invalid, unknown
from fakes.wms.catalogue import TOPICS
from fakes.wms.fulfilment import allocate, ship
from fakes.wms.model import Event, Line, Order, Shipment, ShortPick
from fakes.wms.payloads import build_allocated, build_cancelled, build_envelope, build_shipped, build_short_picked
from fakes.wms.verbs import DeliverBody, ForgeBody, RedeliverBody

if TYPE_CHECKING:
    from fakes.wms.subscribers import Subscribers
    from fakes.wms.warehouse import Warehouse
    from fakes.wms.webhooks import WebhookSender


class MessageActs:
    """The verbs about webhooks."""

    def __init__(self, warehouse: Warehouse, subscribers: Subscribers, sender: WebhookSender) -> None:
        self._warehouse = warehouse
        self._subscribers = subscribers
        self._sender = sender

    def build(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "deliver": Act("Send an order's webhooks now, as new deliveries", self.deliver, DeliverBody),
            "redeliver": Act("Send a delivery again, under the same webhook id", self.redeliver, RedeliverBody),
            "forge": Act("Post a webhook the warehouse never sent", self.forge, ForgeBody),
        }

    def deliver(self, given: DeliverBody) -> dict[str, Any]:
        """Send an order's webhooks of a topic."""
        _check_topic(given.topic)
        order = self._warehouse.find_order(given.entity, given.order_id)
        if order is None:
            raise ProblemError(404, f"there is no order {given.order_id or given.entity!r}")
        events = _recall(order, given.topic)
        if not events:
            raise ProblemError(409, f"the order {order.reference} is {order.status}: it has no {given.topic}")
        return {"webhook_ids": [webhook.webhook_id for event in events for webhook in self._sender.announce(event)]}

    def redeliver(self, given: RedeliverBody) -> dict[str, Any]:
        """Send a delivery again."""
        if not self._sender.redeliver(given.webhook_id):
            raise ProblemError(404, f"no webhook {given.webhook_id!r} was sent")
        return {"webhook_id": given.webhook_id}

    async def forge(self, given: ForgeBody) -> dict[str, Any]:
        """Post a forgery and say how it was received."""
        _check_topic(given.topic)
        if not self._subscribers.of(given.topic):
            raise ProblemError(409, f"nobody subscribed to {given.topic}")
        attempts = await self._sender.forge(
            replace(self._build_forgery(given), age_s=given.age_s), signature=given.signature
        )
        return {
            "deliveries": [
                {
                    "webhook_id": attempt.webhook.webhook_id,
                    "address": attempt.webhook.address,
                    "status": attempt.status,
                    "error": attempt.error,
                }
                for attempt in attempts
            ]
        }

    def _build_forgery(self, given: ForgeBody) -> Forgery:
        about = given.entity or given.order
        if (given.body is None) == (about is None):
            raise invalid("body", "give body, or entity, one of them")
        if about is None:
            body = given.body.encode() if isinstance(given.body, str) else dump_json(given.body)
            return Forgery(given.topic, body, given.how)
        if not given.topic.startswith("order."):
            raise invalid("topic", "a forgery about an order has a topic of orders")
        names = [name for name in (given.entity, given.order) if name is not None]
        known = [self._warehouse.find_order(name, None) or self._warehouse.orders.get(name) for name in names]
        held = next((order for order in known if order is not None), None)
        shipment_id = "shp_" + self._warehouse.ids.text("shipment", length=20)
        event = _invent(held or self._imagine(about), given.topic, shipment_id, self._warehouse.clock.wall())
        return Forgery(given.topic, dump_json(build_envelope(event)), given.how, entity=event.entity)

    def _imagine(self, about: str) -> Order:
        """Make up an order the warehouse was never told of."""
        now = self._warehouse.clock.wall()
        entity = self._warehouse.entities.find(about) or about
        reference = entity.lstrip("#") or entity
        order_id = "ord_" + self._warehouse.ids.text("order", length=20)
        return Order(order_id, reference, entity, "MAIN", (Line("NO-SUCH-ITEM", 1),), now, now, 0)


def _check_topic(topic: str) -> None:
    if topic not in TOPICS:
        raise unknown("topic", topic, TOPICS)


def _recall(order: Order, topic: str) -> list[Event]:
    """Return the events of a topic an order had, as they would be told now."""
    if topic == "order.shipped":
        return [build_shipped(order, shipment) for shipment in order.shipments]
    if topic == "order.allocated" and order.missing < order.quantity:
        return [build_allocated(order)]
    if topic == "order.short_picked" and order.short_picks:
        return [build_short_picked(order, order.short_picks)]
    if topic == "order.cancelled" and order.cancelled_at is not None:
        return [build_cancelled(order)]
    return []


def _invent(order: Order, topic: str, shipment_id: str, at: float) -> Event:
    """Return the event of a topic an order would have if what a forger claims were true: of all its units."""
    goods = tuple((line.sku, line.quantity) for line in order.lines)
    if topic == "order.cancelled":
        return build_cancelled(replace(order, cancelled_at=at, updated_at=at, cancel_reason="cancelled by the client"))
    if topic == "order.short_picked":
        return build_short_picked(order, [ShortPick(sku, order.location, units, "not_found") for sku, units in goods])
    fresh = replace(order, lines=tuple(Line(sku, units) for sku, units in goods), allocations=(), cancelled_at=None)
    allocated = allocate(fresh, order.location, lambda _: order.quantity, limit=order.quantity)
    if topic == "order.allocated":
        return build_allocated(allocated)
    shipment = Shipment(
        shipment_id, order.id, order.reference, f"TRK{shipment_id[4:]}", "DHL", order.location, at, goods
    )
    return build_shipped(ship(replace(allocated, held=False))[0], shipment)
