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
from fakes.storefront.model import Customer, Line, Order, Refund, Reservation, Subscription
from fakes.storefront.payloads import show_order, show_subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange
    from fakes.storefront.settings import Settings

_PEOPLE = (("Ada", "Byron"), ("Emil", "Nolde"), ("Ines", "Prado"), ("Jonas", "Lindt"), ("Mira", "Okafor"))
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
        self.announce: Callable[[tuple[str, ...], Order], object] = lambda _topics, _order: None
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
        return tuple(
            Line(self.ids.number("line"), sku, title, quantity, price) for sku, title, quantity, price in goods
        )

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
            customer or Customer(first, last, f"{first}.{last}.{number}@example.com".lower()),
        )
        self.reservations[reservation.id] = reservation
        self.entities.register(reservation.name, [str(reservation.id), str(number)])
        return reservation

    def place(self, reservation: Reservation, exchange: Exchange | None = None, **details: Any) -> Order:
        """Make a reserved order real and announce it."""
        del self.reservations[reservation.id]
        order = self.preview(reservation, **details)
        self.orders.put(order.id, order, entity=order.name, exchange=exchange)
        topics = ("orders/create", "orders/paid") if order.financial_status == "paid" else ("orders/create",)
        self._tell(topics, order, exchange)
        return order

    def preview(self, reservation: Reservation, **details: Any) -> Order:
        """Return what a reserved order would be if it were placed now; nothing is placed."""
        now = self.clock.wall()
        return Order(
            reservation.id,
            reservation.number,
            reservation.customer,
            reservation.lines,
            created_at=now,
            updated_at=now,
            **details,
        )

    def update(
        self, order: Order, exchange: Exchange | None = None, *, topics: tuple[str, ...] = (), **changes: Any
    ) -> Order:
        """Change an order and announce it as updated, and under these topics."""
        changed = replace(order, updated_at=self.clock.wall(), **changes)
        self.orders.put(changed.id, changed, exchange=exchange)
        self._tell((*topics, "orders/updated"), changed, exchange)
        return changed

    def cancel(self, order: Order, reason: str, exchange: Exchange | None = None) -> Order:
        """Cancel an order; its payment is given back."""
        now = self.clock.wall()
        paid = order.financial_status in {"paid", "partially_refunded"}
        changes: dict[str, Any] = {"financial_status": "refunded" if paid else "voided"}
        if paid and order.total > order.refunded:
            changes["refunds"] = (*order.refunds, self._build_refund(order.total - order.refunded))
        topics = ("orders/cancelled",)
        return self.update(
            order, exchange, topics=topics, cancelled_at=now, closed_at=now, cancel_reason=reason, **changes
        )

    def refund(self, order: Order, amount: int) -> Order:
        """Give back an amount, at most what is left."""
        refunds = (*order.refunds, self._build_refund(amount))
        status = "refunded" if order.refunded + amount >= order.total else "partially_refunded"
        return self.update(order, topics=("refunds/create",), refunds=refunds, financial_status=status)

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

    def _tell(self, topics: tuple[str, ...], order: Order, exchange: Exchange | None) -> None:
        if exchange is None or not exchange.dry_run:
            self.announce(topics, order)

    def _build_refund(self, amount: int) -> Refund:
        return Refund(self.ids.number("refund"), amount, self.clock.wall())
