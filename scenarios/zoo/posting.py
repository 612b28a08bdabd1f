"""Variants that buy labels, tell the shop of parcels, or write contacts in another way."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from sqlite3 import Connection

from reference import backlog
from reference.backlog import Draft, Item, Wake
from reference.graph import Graph, Step
from reference.handoffs import (
    FULFILMENT_WRITEBACK,
    ORDER_TO_CRM,
    ORDER_TO_ERP,
    PAYMENT_CAPTURE,
    SHIPMENT_TO_CARRIER,
)
from reference.lane import Send
from reference.orders import Order
from reference.parts import Parts
from reference.shipments import Shipment, dump_parcel

WEBHOOK = "webhook"


def bought_anew() -> Parts:
    """Buy a label under another key with every attempt."""
    return Parts(label_key=lambda item, attempt: f"label:{item.ref}:{item.trigger}:{attempt}")


def bought_by_the_webhook() -> Parts:
    """Buy another label whenever the warehouse tells of a parcel again."""
    return Parts(make_graph=EagerGraph)


def contact_first() -> Parts:
    """Have every order wait until its customer is known to the CRM."""
    return Parts(make_graph=CourteousGraph)


def told_in_part() -> Parts:
    """Tell the shop of one piece of each thing in a parcel, however many there were."""
    return Parts(wrap_send=_tell_one_of_each)


class EagerGraph(Graph):
    """A graph in which each telling of a parcel that is known is another label."""

    def ship(self, conn: Connection, order: Order, shipment: Shipment, *, trigger: str, now: float) -> list[Wake]:
        """Queue what follows a shipment, and another label where that follows already."""
        known = SHIPMENT_TO_CARRIER in backlog.read_states(conn, shipment.id)
        wakes = super().ship(conn, order, shipment, trigger=trigger, now=now)
        if not known or trigger != WEBHOOK:
            return wakes
        ref = f"{shipment.id}-{uuid.uuid4().hex[:6]}"
        again = Draft(SHIPMENT_TO_CARRIER, ref, order.name, dump_parcel(order, shipment), trigger)
        return [*wakes, Wake(SHIPMENT_TO_CARRIER, ref)] if backlog.enqueue(conn, again, now=now) else wakes


class CourteousGraph(Graph):
    """A graph in which nothing is done for an order before its customer is a contact."""

    def _before(self, step: Step, order: Order) -> Iterable[str]:
        earlier = [*super()._before(step, order)]
        waits = step.handoff in {ORDER_TO_ERP, PAYMENT_CAPTURE} and ORDER_TO_CRM in self._policies
        return [*earlier, ORDER_TO_CRM] if waits else earlier


def _tell_one_of_each(handoff: str, send: Send) -> Send:
    if handoff != FULFILMENT_WRITEBACK:
        return send
    return lambda item: send(replace(item, document=_keep_one_of_each(item)))


def _keep_one_of_each(item: Item) -> bytes:
    parcel = json.loads(item.document)
    parcel["shipment"]["lines"] = [[sku, 1] for sku, _ in parcel["shipment"]["lines"]]
    return json.dumps(parcel).encode()
