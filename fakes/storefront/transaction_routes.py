"""Transactions in the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, build_json_answer
from fakes.storefront.drafts import read_price, read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.money import format_money
from fakes.storefront.payment_payloads import build_transaction
from fakes.storefront.routes import find_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.parts import Transaction
    from fakes.storefront.shop import Shop


class TransactionRoutes:
    """Handlers of transactions; nothing here is idempotent, as the vendor's REST API is not."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._payments = shop.payments

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "transaction.count": self.count_transactions,
            "transaction.list": self.list_transactions,
            "transaction.read": self.read_transaction,
            "transaction.create": self.create_transaction,
        }

    def count_transactions(self, exchange: Exchange) -> Answer:
        """Answer how many transactions an order has."""
        order = find_order(self._shop, exchange)
        return build_json_answer(200, {"count": len(self._payments.transactions_of(order))})

    def list_transactions(self, exchange: Exchange) -> Answer:
        """Answer an order's transactions, the first first."""
        order = find_order(self._shop, exchange)
        shown = [build_transaction(one) for one in self._payments.transactions_of(order)]
        return build_json_answer(200, {"transactions": shown})

    def read_transaction(self, exchange: Exchange) -> Answer:
        """Answer one transaction."""
        found = self._payments.transactions.get(exchange.params["transaction"])
        if found is None or found.order_id != find_order(self._shop, exchange).id:
            raise not_found()
        return build_json_answer(200, {"transaction": build_transaction(found)})

    def create_transaction(self, exchange: Exchange) -> Answer:
        """Take, let go or write down money (Shopify: Transaction)."""
        order = find_order(self._shop, exchange)
        given = read_root(exchange, "transaction")
        kind = given.get("kind")
        actions = {"capture": self._capture, "void": self._void, "sale": self._sell}
        action = actions.get(kind) if isinstance(kind, str) else None
        if action is None:
            raise _not_valid(kind if isinstance(kind, str) and kind.isprintable() else "")
        if order.cancelled_at is not None:
            raise _not_valid(str(kind))
        return build_json_answer(201, {"transaction": build_transaction(action(order, given, exchange))})

    def _capture(self, order: Order, given: Mapping[str, Any], exchange: Exchange) -> Transaction:
        parent = self._find_parent(order, given, "capture")
        left = self._payments.balance(order).capturable
        if left == 0:
            raise _not_valid("capture")
        amount = read_amount(given.get("amount"), left)
        if amount > left:
            raise refuse(422, {"amount": [f"cannot be more than the {format_money(left)} that can be captured"]})
        return self._payments.capture(order, amount, parent, _read_text(given, "authorization"), exchange)

    def _void(self, order: Order, given: Mapping[str, Any], exchange: Exchange) -> Transaction:
        parent = self._find_parent(order, given, "void")
        balance = self._payments.balance(order)
        if balance.taken or not balance.capturable:
            raise _not_valid("void")
        return self._payments.void(order, parent, exchange)

    def _sell(self, order: Order, given: Mapping[str, Any], exchange: Exchange) -> Transaction:
        balance = self._payments.balance(order)
        left = order.total - balance.taken
        if balance.authorised or left <= 0:
            raise _not_valid("sale")
        amount = read_amount(given.get("amount"), left)
        if amount > left:
            raise refuse(422, {"amount": [f"cannot be more than the {format_money(left)} that are outstanding"]})
        return self._payments.sell(order, amount, _read_text(given, "authorization"), exchange)

    def _find_parent(self, order: Order, given: Mapping[str, Any], kind: str) -> Transaction:
        parent_id = given.get("parent_id")
        found = [one for one in self._payments.transactions_of(order) if one.kind == "authorization"]
        if parent_id is not None:
            found = [one for one in found if str(one.id) == str(parent_id)]
        if not found:
            raise _not_valid(kind)
        return found[-1]


def _not_valid(kind: str) -> Exception:
    return refuse(422, {"kind": [f"{kind} is not a valid transaction"]})


def read_amount(value: Any, usual: int) -> int:
    """Return an amount in minor units; clients send an empty text for everything that is left."""
    if value is None or value == "":
        return usual
    amount = read_price(value, "amount")
    if amount == 0:
        raise refuse(422, {"amount": ["must be greater than 0"]})
    return amount


def _read_text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > 255):
        raise refuse(422, {name: ["is invalid"]})
    return value or None
