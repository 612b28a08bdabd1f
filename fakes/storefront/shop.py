"""The shop: its orders, its subscriptions, and what can happen to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.board import FaultBoard
from fakes.kit.entities import EntityIndex
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.limits import LeakyBucket
from fakes.kit.records import Collection
from fakes.storefront.fulfilment import Fulfilment
from fakes.storefront.model import Customer, Line, Order, Reservation, Subscription
from fakes.storefront.news import News
from fakes.storefront.parts import Parts
from fakes.storefront.payloads import build_order, show_order, show_subscription
from fakes.storefront.payments import Payments
from fakes.storefront.stock import Stock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange
    from fakes.storefront.settings import Settings

_PEOPLE = (("Ada", "Byron"), ("Emil", "Nolde"), ("Ines", "Prado"), ("Jonas", "Lindt"), ("Mira", "Okafor"))
_HOME = {
    "address1": "Lindenweg 4",
    "city": "Freiburg",
    "zip": "79098",
    "country": "Germany",
    "country_code": "DE",
}
_GOODS = (("MUG-BLUE", "Blue mug", 1250), ("TEE-M", "T-shirt M", 2490), ("LAMP-01", "Desk lamp", 5900))

NUMBER_DIGITS, NUMBER_ROOM = 10, 5


class Shop:
    """Hold the state of one shop; what happens is announced by topic, for the webhooks."""

    def __init__(self, clock: Clock, *, nonce: str, settings: Settings, time_scale: float = 1.0) -> None:
        self.clock = clock
        self.time_scale = time_scale
        self.journal = Journal(clock)
        self.board = FaultBoard(self.journal)
        self.entities = EntityIndex()
        self.ids = IdSource(nonce)
        self.orders: Collection[Order] = Collection(
            "orders",
            show=show_order,
            journal=self.journal,
            entities=self.entities,
            indexes={"name": lambda order: order.name},
        )
        self.subscriptions: Collection[Subscription] = Collection(
            "webhooks", show=show_subscription, journal=self.journal, entities=self.entities
        )
        self.stock = Stock(self)
        self.payments = Payments(self)
        self.fulfilment = Fulfilment(self)
        self.announce: Callable[[Sequence[News]], object] = lambda _: None
        self._initial = settings
        self.reset()

    def reset(self) -> None:
        """Put back what the kit does not know of; ids run on."""
        self.reservations: dict[int, Reservation] = {}
        self.configure(self._initial)

    def configure(self, settings: Settings) -> None:
        """Take on settings and start with an empty bucket."""
        self.settings = settings
        self.bucket = LeakyBucket(self.clock, size=settings.bucket, leak_per_s=settings.leak_per_s * self.time_scale)

    def build_lines(self, goods: list[tuple[str, str, int, int]]) -> tuple[Line, ...]:
        """Return lines from (sku, title, quantity, price in minor units)."""
        return tuple(self._build_line(*one) for one in goods)

    def reserve(self, lines: tuple[Line, ...] | None = None, customer: Customer | None = None) -> Reservation:
        """Set an order's id, name and number aside; nothing of it can be seen through the API."""
        number = self.ids.number("number", digits=NUMBER_DIGITS, room=NUMBER_ROOM)
        ordinal = number % 10**NUMBER_ROOM
        sku, title, price = _GOODS[ordinal % len(_GOODS)]
        first, last = _PEOPLE[ordinal % len(_PEOPLE)]
        reservation = Reservation(
            self.ids.number("order"),
            number,
            lines or self.build_lines([(sku, title, 1 + ordinal % 2, price)]),
            customer or Customer(first, last, f"{first}.{last}.{number}@example.com".lower(), address=_HOME),
            self.ids.number("fulfillment_order"),
        )
        self.reservations[reservation.id] = reservation
        self.entities.register(
            reservation.name, [str(reservation.id), str(number), str(reservation.fulfillment_order_id)]
        )
        return reservation

    def attach(self, reservation: Reservation, authorization: str) -> None:
        """Have a reserved order paid at another gateway, where its money is authorised under this id."""
        self.reservations[reservation.id] = replace(reservation, authorization=authorization)

    def place(self, reservation: Reservation, exchange: Exchange | None = None, **details: Any) -> Order:
        """Make a reserved order real and announce it."""
        del self.reservations[reservation.id]
        order = self.preview(reservation, **details)
        self.orders.put(order.id, order, entity=order.name, exchange=exchange)
        told = self.payments.begin(order, reservation.authorization, exchange)
        self.fulfilment.begin(order, exchange)
        goods = [(line.sku, line.quantity) for line in order.lines]
        told += self.stock.take_all(goods, self.stock.main, exchange)
        topics = ("orders/create", "orders/paid") if order.financial_status == "paid" else ("orders/create",)
        self.tell([*(self.build_news(topic, order) for topic in topics), *told], exchange)
        return order

    def preview(self, reservation: Reservation, **details: Any) -> Order:
        """Return what a reserved order would be if it were placed now; nothing is placed."""
        now = self.clock.wall()
        if reservation.authorization is not None:
            named = ("payment_intent", reservation.authorization)
            details = {**details, "financial_status": "authorized", "gateway": "stripe", "note_attributes": (named,)}
        return Order(
            reservation.id,
            reservation.number,
            reservation.customer,
            reservation.lines,
            created_at=now,
            updated_at=now,
            fulfillment_order_id=reservation.fulfillment_order_id,
            **details,
        )

    def parts(self, order: Order) -> Parts:
        """Return everything of an order beside itself."""
        return Parts(
            tuple(self.payments.transactions_of(order)),
            tuple(self.payments.refunds_of(order)),
            tuple(self.fulfilment.fulfillments_of(order)),
        )

    def show(self, order: Order) -> dict[str, Any]:
        """Return an order as the Admin API shows it."""
        return build_order(order, self.parts(order))

    def update(
        self,
        order: Order,
        exchange: Exchange | None = None,
        *,
        topics: tuple[str, ...] = (),
        news: Sequence[News] = (),
        **changes: Any,
    ) -> Order:
        """Change an order and announce it as updated, under these topics too, with what else happened."""
        changed = replace(order, updated_at=self.clock.wall(), **changes)
        self.orders.put(changed.id, changed, exchange=exchange)
        about = [self.build_news(topic, changed) for topic in (*topics, "orders/updated")]
        self.tell([*news, *about], exchange)
        return changed

    def cancel(self, order: Order, reason: str, exchange: Exchange | None = None, *, back: int | None = None) -> Order:
        """
        Cancel an order: its goods go back to stock, what is authorised is let go, what was paid is given back.

        ``back`` says how much is given back, at most what is left; everything unless given.
        """
        now = self.clock.wall()
        news = self.fulfilment.drop(order, exchange)
        changes: dict[str, Any] = {"cancelled_at": now, "closed_at": now, "cancel_reason": reason}
        balance = self.payments.balance(order)
        amount = balance.refundable if back is None else back
        if amount:
            _, changed = self.payments.refund(
                order, [amount], exchange=exchange, news=news, topics=("orders/cancelled",), **changes
            )
            return changed
        if balance.taken == 0:
            news += self.payments.let_go(order, exchange)
            changes["financial_status"] = "voided"
        return self.update(order, exchange, news=news, topics=("orders/cancelled",), **changes)

    def subscribe(self, topic: str, address: str, *, removable: bool, exchange: Exchange | None = None) -> Subscription:
        """Subscribe an address to a topic; the same subscription twice is one."""
        for held in self.subscriptions:
            if (held.topic, held.address) == (topic, address):
                return held
        now = self.clock.wall()
        made = Subscription(self.ids.number("webhook"), topic, address, removable, now, now)
        self.subscriptions.put(made.id, made, exchange=exchange)
        if exchange is None or not exchange.dry_run:
            self.journal.append("subscription", event="created", topic=topic, address=address)
        return made

    def unsubscribe(self, subscription: Subscription, event: str, exchange: Exchange | None = None) -> None:
        """End a subscription; ``event`` is ``deleted`` or ``removed_by_vendor``."""
        gone = self.subscriptions.delete(subscription.id, exchange=exchange)
        if gone and (exchange is None or not exchange.dry_run):
            self.journal.append("subscription", event=event, topic=subscription.topic, address=subscription.address)

    def find_order(self, given: str) -> Order | None:
        """Return an order by id, number or name."""
        return self.orders.get(given) or next(iter(self.orders.find("name", f"#{given.lstrip('#')}")), None)

    def tell(self, news: Sequence[News], exchange: Exchange | None) -> None:
        """Announce what happened as one event, unless it was only pretended."""
        if exchange is None or not exchange.dry_run:
            self.announce(news)

    def build_news(self, topic: str, order: Order) -> News:
        """Return what is told of an order under a topic."""
        return News(topic, order.name, lambda: self.show(order))

    def _build_line(self, sku: str, title: str, quantity: int, price: int) -> Line:
        item = self.stock.find_sku(sku)
        sold = (None, None) if item is None else (item.variant_id, item.product_id)
        return Line(self.ids.number("line"), sku, title, quantity, price, *sold)
