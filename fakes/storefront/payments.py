"""The money of orders: what was authorised, taken and given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakes.kit.records import Collection
from fakes.storefront.news import News
from fakes.storefront.parts import Refund, RefundLine, Transaction
from fakes.storefront.payment_payloads import build_refund, build_transaction, show_refund, show_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.shop import Shop


@dataclass(frozen=True, slots=True)
class Balance:
    """What happened to an order's money so far, in minor units."""

    authorised: int = 0
    taken: int = 0
    refunded: int = 0
    voided: int = 0
    pending: int = 0

    @property
    def capturable(self) -> int:
        """What is authorised and neither taken nor let go."""
        return max(0, self.authorised - self.taken - self.voided)

    @property
    def refundable(self) -> int:
        """What was taken and not given back."""
        return max(0, self.taken - self.refunded)


class Payments:
    """Keep transactions and refunds; each changes its order's financial status and is announced with it."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.transactions: Collection[Transaction] = Collection(
            "transactions",
            show=show_transaction,
            journal=shop.journal,
            entities=shop.entities,
            indexes={"order": lambda one: str(one.order_id)},
        )
        self.refunds: Collection[Refund] = Collection(
            "refunds",
            show=show_refund,
            journal=shop.journal,
            entities=shop.entities,
            indexes={"order": lambda one: str(one.order_id)},
        )

    def transactions_of(self, order: Order) -> list[Transaction]:
        """Return an order's transactions, the first first."""
        return self.transactions.find("order", str(order.id))

    def refunds_of(self, order: Order) -> list[Refund]:
        """Return an order's refunds, the first first."""
        return self.refunds.find("order", str(order.id))

    def balance(self, order: Order) -> Balance:
        """Add up an order's transactions."""
        sums = dict.fromkeys(("authorization", "capture", "sale", "refund", "void", "pending"), 0)
        for one in self.transactions_of(order):
            sums[one.kind if one.status == "success" else "pending"] += one.amount
        return Balance(
            authorised=sums["authorization"],
            taken=sums["capture"] + sums["sale"],
            refunded=sums["refund"],
            voided=sums["void"],
            pending=sums["pending"],
        )

    def begin(self, order: Order, authorization: str | None, exchange: Exchange | None) -> list[News]:
        """Write down how a new order is paid: taken at once, authorised, or still to come."""
        kind = "authorization" if order.financial_status == "authorized" else "sale"
        status = "success" if order.financial_status in {"authorized", "paid"} else "pending"
        made = self._build(order, kind, order.total, status=status, authorization=authorization)
        return self._keep(order, made, exchange)

    def capture(
        self, order: Order, amount: int, parent: Transaction, authorization: str | None, exchange: Exchange | None
    ) -> Transaction:
        """Take an amount of what was authorised, at most what is capturable; taking all of it pays the order."""
        made = self._build(order, "capture", amount, parent=parent, authorization=authorization or parent.authorization)
        self._settle(order, made, exchange, taken=amount)
        return made

    def sell(self, order: Order, amount: int, authorization: str | None, exchange: Exchange | None) -> Transaction:
        """Write down money that came in by another way."""
        made = self._build(order, "sale", amount, authorization=authorization)
        self._settle(order, made, exchange, taken=amount)
        return made

    def void(self, order: Order, parent: Transaction, exchange: Exchange | None) -> Transaction:
        """Let an authorisation go of which nothing was taken."""
        made = self._build(order, "void", parent.amount, parent=parent, authorization=parent.authorization)
        news = self._keep(order, made, exchange)
        self._shop.update(order, exchange, news=news, financial_status="voided")
        return made

    def let_go(self, order: Order, exchange: Exchange | None) -> list[News]:
        """Let go what is authorised of an order that is being cancelled, and return what is to be told of it."""
        news: list[News] = []
        left = self.balance(order).capturable
        for one in self.transactions_of(order):
            if one.kind == "authorization" and one.status == "success" and left:
                made = self._build(order, "void", left, parent=one, authorization=one.authorization)
                news += self._keep(order, made, exchange)
                left = 0
        return news

    def refund(
        self,
        order: Order,
        amounts: Sequence[int],
        *,
        lines: tuple[RefundLine, ...] = (),
        note: str | None = None,
        exchange: Exchange | None = None,
        news: Sequence[News] = (),
        topics: tuple[str, ...] = (),
        **changes: Any,
    ) -> tuple[Refund, Order]:
        """Give amounts back, each by a transaction of its own, and take goods back; change the order with it."""
        paid = [one for one in self.transactions_of(order) if one.kind in {"capture", "sale"}]
        parent = paid[-1] if paid else None
        given = tuple(
            self._build(order, "refund", amount, parent=parent, authorization=parent.authorization if parent else None)
            for amount in amounts
        )
        refund = Refund(self._shop.ids.number("refund"), order.id, self._shop.clock.wall(), note, lines, given)
        told = [*news, *(item for one in given for item in self._keep(order, one, exchange))]
        self.refunds.put(refund.id, refund, entity=order.name, exchange=exchange)
        refunded = order.refunded + refund.amount
        if refund.amount:
            paid_in = self.balance(order).taken or order.total
            changes["financial_status"] = "refunded" if refunded >= paid_in else "partially_refunded"
        changed = self._shop.update(
            order,
            exchange,
            news=[*told, self.build_refund_news(refund, order)],
            topics=topics,
            refunded=refunded,
            **changes,
        )
        return refund, changed

    def build_refund_news(self, refund: Refund, order: Order) -> News:
        """Return what is told of a refund."""
        return News("refunds/create", order.name, lambda: build_refund(refund, order))

    def build_transaction_news(self, transaction: Transaction, order: Order) -> News:
        """Return what is told of a transaction."""
        return News("order_transactions/create", order.name, lambda: build_transaction(transaction))

    def _settle(self, order: Order, made: Transaction, exchange: Exchange | None, *, taken: int) -> None:
        all_taken = self.balance(order).taken + taken
        news = self._keep(order, made, exchange)
        paid = all_taken >= order.total
        changes: dict[str, Any] = {}
        if not order.refunded:
            changes["financial_status"] = "paid" if paid else "partially_paid"
        self._shop.update(order, exchange, news=news, topics=("orders/paid",) if paid else (), **changes)

    def _keep(self, order: Order, made: Transaction, exchange: Exchange | None) -> list[News]:
        self.transactions.put(made.id, made, entity=order.name, exchange=exchange)
        return [self.build_transaction_news(made, order)]

    def _build(
        self,
        order: Order,
        kind: str,
        amount: int,
        *,
        status: str = "success",
        parent: Transaction | None = None,
        authorization: str | None = None,
    ) -> Transaction:
        return Transaction(
            self._shop.ids.number("transaction"),
            order.id,
            kind,
            status,
            amount,
            order.currency,
            order.gateway,
            self._shop.clock.wall(),
            authorization,
            None if parent is None else parent.id,
        )
