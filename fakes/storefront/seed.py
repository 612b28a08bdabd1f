"""What the control plane can make the shop do: place, change and cancel orders, send, repeat and forge webhooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import dump_json
from fakes.kit.fake import Act, Seeds
from fakes.kit.forgery import Forgery
from fakes.kit.problems import ProblemError, invalid, unknown
from fakes.storefront.catalogue import TOPICS
from fakes.storefront.model import Customer
from fakes.storefront.money import format_money
from fakes.storefront.parts import Parts
from fakes.storefront.payloads import build_order, show_order
from fakes.storefront.settings import SettingsBody
from fakes.storefront.verbs import (
    AttachBody,
    CancelBody,
    CustomerBody,
    DeliverBody,
    ForgeBody,
    ItemBody,
    LineBody,
    PlaceBody,
    RedeliverBody,
    RefundBody,
    ReserveBody,
    StockBody,
    UpdateBody,
)

if TYPE_CHECKING:
    from fakes.storefront.model import Line, Order, Reservation
    from fakes.storefront.news import News
    from fakes.storefront.shop import Shop
    from fakes.storefront.webhooks import WebhookSender


class ShopActs:
    """The verbs of the storefront."""

    def __init__(self, shop: Shop, sender: WebhookSender) -> None:
        self._shop = shop
        self._sender = sender

    def build(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "reserve-orders": Act("Set orders aside without placing them", self.reserve, ReserveBody),
            "attach-payments": Act("Have reserved orders paid at another gateway", self.attach, AttachBody),
            "stock-items": Act("Take items into the catalogue and into stock", self.stock, StockBody),
            "place-order": Act("Place reserved orders or new ones", self.place, PlaceBody),
            "update-order": Act("Change an order as a merchant would", self.update, UpdateBody),
            "cancel-order": Act("Cancel an order", self.cancel, CancelBody),
            "refund": Act("Give money back", self.refund, RefundBody),
            "deliver": Act("Send an order's webhook now, as a new delivery", self.deliver, DeliverBody),
            "redeliver": Act("Send a delivery again, under the same webhook id", self.redeliver, RedeliverBody),
            "forge": Act("Post a webhook the vendor never sent", self.forge, ForgeBody),
        }

    def reserve(self, given: ReserveBody) -> dict[str, Any]:
        """Reserve orders."""
        return {"orders": [_name(self._reserve_one(given)) for _ in range(given.count)]}

    def attach(self, given: AttachBody) -> dict[str, Any]:
        """Attach payments to reserved orders, all or none."""
        reserved = {str(one.id): one for one in self._find_reserved([one.order_id for one in given.payments])}
        for one in given.payments:
            self._shop.attach(reserved[one.order_id], one.authorization)
        return {"orders": [_name(self._shop.reservations[one.id]) for one in reserved.values()]}

    def stock(self, given: StockBody) -> dict[str, Any]:
        """Take items in."""
        return {"items": [self._stock_one(item) for item in given.items]}

    def place(self, given: PlaceBody) -> dict[str, Any]:
        """Place orders, all or none."""
        if given.reserved is None:
            reserved = [self._reserve_one(given) for _ in range(given.count)]
        else:
            reserved = self._find_reserved(given.reserved)
        orders = [self._shop.place(one, financial_status=given.financial_status) for one in reserved]
        return {"orders": [_name(order) for order in orders]}

    def update(self, given: UpdateBody) -> dict[str, Any]:
        """Change an order."""
        changes = {name: value for name in ("note", "tags") if (value := getattr(given, name)) is not None}
        return self._show(self._shop.update(self._find(given.id), **changes))

    def cancel(self, given: CancelBody) -> dict[str, Any]:
        """Cancel an order."""
        order = self._find(given.id)
        if order.cancelled_at is not None:
            raise ProblemError(409, f"the order {order.name} is cancelled already")
        return self._show(self._shop.cancel(order, given.reason))

    def refund(self, given: RefundBody) -> dict[str, Any]:
        """Refund an order."""
        order = self._find(given.id)
        left = order.total - order.refunded
        amount = left if given.amount is None else given.amount
        if not 0 < amount <= left:
            raise ProblemError(409, f"{format_money(left)} are left of the order {order.name}")
        _, refunded = self._shop.payments.refund(order, [amount])
        return self._show(refunded)

    def deliver(self, given: DeliverBody) -> dict[str, Any]:
        """Send an order's webhook."""
        self._check_topic(given.topic)
        sent = self._sender.announce(self._find_news(given.topic, given.id))
        return {"webhook_ids": [webhook.webhook_id for webhook in sent]}

    def redeliver(self, given: RedeliverBody) -> dict[str, Any]:
        """Send a delivery again."""
        if not self._sender.redeliver(given.webhook_id):
            raise ProblemError(404, f"no webhook {given.webhook_id!r} was sent")
        return {"webhook_id": given.webhook_id}

    async def forge(self, given: ForgeBody) -> dict[str, Any]:
        """Post a forgery and say how it was received."""
        self._check_topic(given.topic)
        if not any(one.topic == given.topic for one in self._shop.subscriptions):
            raise ProblemError(409, f"nobody subscribed to {given.topic}")
        forgery = replace(self._build_forgery(given), age_s=given.age_s)
        attempts = await self._sender.forge(forgery, signature=given.signature)
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
        if (given.body is None) == (given.order is None):
            raise invalid("body", "give body or order, one of them")
        if given.order is None:
            body = given.body.encode() if isinstance(given.body, str) else dump_json(given.body)
            return Forgery(given.topic, body, given.how)
        order = self._shop.preview(*self._find_reserved([given.order]))
        return Forgery(given.topic, dump_json(build_order(order, Parts())), given.how, entity=order.name)

    def build_seeds(self) -> Seeds:
        """Return what ``POST /seed`` can set."""
        return Seeds(
            webhook=self._subscribe,
            records={"items": (ItemBody, self._take_in)},
            settings=(SettingsBody, self._configure),
        )

    def _stock_one(self, given: ItemBody) -> dict[str, Any]:
        levels = {str(place): units for place, units in given.levels.items()}
        item = self._shop.stock.stock(given.sku, levels, title=given.title, price=given.price)
        return {"sku": item.sku, "inventory_item_id": str(item.id), "aliases": [str(item.id)]}

    def _take_in(self, given: ItemBody) -> None:
        self._stock_one(given)

    def _find_news(self, topic: str, given: str) -> list[News]:
        stock, payments, fulfilment = self._shop.stock, self._shop.payments, self._shop.fulfilment
        if topic in {"inventory_levels/update", "products/update"}:
            item = stock.find_sku(given)
            if item is None:
                raise ProblemError(404, f"there is no item {given!r}")
            if topic == "products/update":
                return [stock.build_product_news(item)]
            return [stock.build_news(level) for level in stock.levels_of(item.id)]
        order = self._find(given)
        latest = {
            "refunds/create": [payments.build_refund_news(one, order) for one in payments.refunds_of(order)],
            "order_transactions/create": [
                payments.build_transaction_news(one, order) for one in payments.transactions_of(order)
            ],
            "fulfillments/create": [fulfilment.build_news(one, order) for one in fulfilment.fulfillments_of(order)],
        }
        if topic not in latest:
            return [self._shop.build_news(topic, order)]
        if not latest[topic]:
            raise ProblemError(409, f"the order {order.name} has no {topic.partition('/')[0]}")
        return latest[topic][-1:]

    def _subscribe(self, topic: str, address: str) -> None:
        self._shop.subscribe(topic, address, removable=False)

    def _configure(self, given: SettingsBody) -> None:
        changes = given.model_dump(exclude_none=True)
        if "ladder_s" in changes:
            changes["ladder_s"] = tuple(changes["ladder_s"])
        self._shop.configure(replace(self._shop.settings, **changes))
        self._sender.configure()

    def _reserve_one(self, given: ReserveBody) -> Reservation:
        return self._shop.reserve(self._build_lines(given.lines), _build_customer(given.customer))

    def _build_lines(self, lines: list[LineBody] | None) -> tuple[Line, ...] | None:
        if lines is None:
            return None
        return self._shop.build_lines([line.goods() for line in lines])

    def _find_reserved(self, ids: list[str]) -> list[Reservation]:
        found = []
        for order_id in dict.fromkeys(ids):
            reservation = (
                self._shop.reservations.get(int(order_id)) if order_id.isdecimal() and len(order_id) < 20 else None
            )
            if reservation is None:
                placed = self._shop.orders.get(order_id) is not None
                detail = f"the order {order_id!r} is {'placed already' if placed else 'not reserved'}"
                raise ProblemError(409 if placed else 404, detail)
            found.append(reservation)
        return found

    def _find(self, given: str) -> Order:
        order = self._shop.find_order(given)
        if order is None:
            raise ProblemError(404, f"there is no order {given!r}")
        return order

    def _show(self, order: Order) -> dict[str, Any]:
        return {"order": {"id": str(order.id), **show_order(order)}}

    def _check_topic(self, topic: str) -> None:
        if topic not in TOPICS:
            raise unknown("topic", topic, TOPICS)


def _name(order: Order | Reservation) -> dict[str, Any]:
    return {
        "id": str(order.id),
        "name": order.name,
        "number": order.number,
        "total_price": format_money(order.total),
        "currency": order.currency,
        "aliases": [str(order.fulfillment_order_id)],
    }


def _build_customer(given: CustomerBody | None) -> Customer | None:
    return None if given is None else Customer(**given.model_dump())
