"""The warehouse, put together."""

from __future__ import annotations

from fakes.kit.clock import SystemClock
from fakes.kit.fake import Fake
from fakes.wms.catalogue import CATALOGUE
from fakes.wms.errors import build_replies
from fakes.wms.messages import MessageActs
from fakes.wms.routes import Gate, Routes, build_subject
from fakes.wms.seed import WarehouseActs
from fakes.wms.settings import Settings
from fakes.wms.subscribers import Subscribers
from fakes.wms.subscriptions import SubscriptionRoutes
from fakes.wms.warehouse import Warehouse
from fakes.wms.webhooks import WebhookSender


def build_wms(*, nonce: str, settings: Settings | None = None, time_scale: float = 1.0) -> Fake:
    """Return a warehouse of its own."""
    warehouse = Warehouse(SystemClock(), nonce=nonce, settings=settings or Settings(), time_scale=time_scale)
    subscribers = Subscribers(warehouse)
    sender = WebhookSender(warehouse, subscribers)
    acts = WarehouseActs(warehouse, subscribers, sender)
    messages = MessageActs(warehouse, subscribers, sender)
    gate = Gate(warehouse)

    def reset() -> None:
        warehouse.reset()
        sender.reset()

    return Fake(
        system="wms",
        catalogue=CATALOGUE,
        journal=warehouse.journal,
        board=warehouse.board,
        entities=warehouse.entities,
        collections=(warehouse.orders, warehouse.shipments, warehouse.shelves.stock, subscribers.held),
        handlers={**Routes(warehouse).build(), **SubscriptionRoutes(subscribers).build()},
        replies=build_replies(),
        subject_of=lambda exchange: build_subject(warehouse, exchange),
        acts={**acts.build(), **messages.build()},
        seeds=acts.build_seeds(),
        guard=gate.check,
        dress=gate.dress,
        reset=reset,
        close=sender.outbox.reset,
        bad_request=(
            b'{"type":"about:blank","title":"Bad Request","status":400,'
            b'"detail":"This is not HTTP.","code":"malformed_request"}'
        ),
    )
