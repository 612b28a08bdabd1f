"""The storefront, put together."""

from __future__ import annotations

from fakes.kit.clock import SystemClock
from fakes.kit.fake import Fake
from fakes.storefront.catalogue import CATALOGUE
from fakes.storefront.errors import build_replies
from fakes.storefront.fulfilment_routes import FulfilmentRoutes
from fakes.storefront.gate import Gate
from fakes.storefront.refund_routes import RefundRoutes
from fakes.storefront.routes import OrderRoutes
from fakes.storefront.seed import ShopActs
from fakes.storefront.settings import Settings
from fakes.storefront.shop import Shop
from fakes.storefront.stock_routes import StockRoutes
from fakes.storefront.subject import build_subject
from fakes.storefront.subscriptions import SubscriptionRoutes
from fakes.storefront.transaction_routes import TransactionRoutes
from fakes.storefront.webhooks import WebhookSender


def build_storefront(*, nonce: str, settings: Settings | None = None, time_scale: float = 1.0) -> Fake:
    """Return a storefront with a shop of its own."""
    shop = Shop(SystemClock(), nonce=nonce, settings=settings or Settings(), time_scale=time_scale)
    sender = WebhookSender(shop)
    acts = ShopActs(shop, sender)
    gate = Gate(shop)

    def reset() -> None:
        shop.reset()
        sender.reset()

    return Fake(
        system="storefront",
        catalogue=CATALOGUE,
        journal=shop.journal,
        board=shop.board,
        entities=shop.entities,
        collections=(
            shop.orders,
            shop.payments.transactions,
            shop.payments.refunds,
            shop.fulfilment.requests,
            shop.fulfilment.fulfillments,
            shop.stock.items,
            shop.stock.levels,
            shop.subscriptions,
        ),
        handlers={
            name: handler
            for routes in (
                OrderRoutes,
                TransactionRoutes,
                RefundRoutes,
                FulfilmentRoutes,
                StockRoutes,
                SubscriptionRoutes,
            )
            for name, handler in routes(shop).build().items()
        },
        replies=build_replies(),
        subject_of=lambda exchange: build_subject(shop, exchange),
        acts=acts.build(),
        seeds=acts.build_seeds(),
        guard=gate.check,
        dress=gate.dress,
        reset=reset,
        close=sender.outbox.reset,
    )
