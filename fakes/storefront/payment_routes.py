"""Transactions and refunds in the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, build_json_answer
from fakes.kit.bodies import dig
from fakes.storefront.drafts import read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.money import format_money, read_money
from fakes.storefront.parts import RefundLine
from fakes.storefront.payment_payloads import build_refund, build_transaction
from fakes.storefront.routes import find_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.parts import Transaction
    from fakes.storefront.shop import Shop

_RESTOCK = ("no_restock", "cancel", "return")


class PaymentRoutes:
    """Handlers of transactions and refunds; nothing here is idempotent, as the vendor's REST API is not."""

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
            "refund.list": self.list_refunds,
            "refund.read": self.read_refund,
            "refund.create": self.create_refund,
            "refund.calculate": self.calculate_refund,
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

    def list_refunds(self, exchange: Exchange) -> Answer:
        """Answer an order's refunds."""
        order = find_order(self._shop, exchange)
        return build_json_answer(
            200, {"refunds": [build_refund(one, order) for one in self._payments.refunds_of(order)]}
        )

    def read_refund(self, exchange: Exchange) -> Answer:
        """Answer one refund."""
        order = find_order(self._shop, exchange)
        found = self._payments.refunds.get(exchange.params["refund"])
        if found is None or found.order_id != order.id:
            raise not_found()
        return build_json_answer(200, {"refund": build_refund(found, order)})

    def create_refund(self, exchange: Exchange) -> Answer:
        """Give money back, at most what was taken, and take goods back."""
        order = find_order(self._shop, exchange)
        given = read_root(exchange, "refund")
        lines = self._read_lines(order, given.get("refund_line_items"))
        amounts = self._read_amounts(order, given.get("transactions"))
        note = given.get("note")
        if note is not None and not isinstance(note, str):
            raise refuse(422, {"note": ["is invalid"]})
        self._check_refundable(order, sum(amounts))
        news = [
            item
            for line, sku, location in self._list_returned(order, lines)
            for item in self._shop.stock.take(sku, location, -line.quantity, exchange)
        ]
        refund, changed = self._payments.refund(order, amounts, lines=lines, note=note, exchange=exchange, news=news)
        return build_json_answer(201, {"refund": build_refund(refund, changed)})

    def calculate_refund(self, exchange: Exchange) -> Answer:
        """Answer what giving goods back would cost; nothing is written."""
        order = find_order(self._shop, exchange)
        lines = self._read_lines(order, read_root(exchange, "refund").get("refund_line_items"))
        most = self._payments.balance(order).refundable
        amount = min(most, sum(line.subtotal for line in lines))
        paid = [one for one in self._payments.transactions_of(order) if one.kind in {"capture", "sale"}]
        suggested = [
            {
                "order_id": order.id,
                "kind": "suggested_refund",
                "gateway": order.gateway,
                "parent_id": paid[-1].id,
                "amount": format_money(amount),
                "currency": order.currency,
                "maximum_refundable": format_money(most),
            }
        ]
        shown = [
            {"line_item_id": line.line_id, "quantity": line.quantity, "subtotal": format_money(line.subtotal)}
            for line in lines
        ]
        return build_json_answer(
            200, {"refund": {"refund_line_items": shown, "transactions": suggested if paid else []}}
        )

    def _capture(self, order: Order, given: Mapping[str, Any], exchange: Exchange) -> Transaction:
        parent = self._find_parent(order, given, "capture")
        left = self._payments.balance(order).capturable
        if left == 0:
            raise _not_valid("capture")
        amount = _read_amount(given.get("amount"), left)
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
        amount = _read_amount(given.get("amount"), left)
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

    def _check_refundable(self, order: Order, amount: int) -> None:
        most = self._payments.balance(order).refundable
        if amount > most:
            text = f"Refund amount ${format_money(amount)} is greater than net payment received ${format_money(most)}"
            raise refuse(422, {"base": [text]})

    def _read_amounts(self, order: Order, rows: Any) -> list[int]:
        if rows is None:
            return []
        if not isinstance(rows, list):
            raise refuse(422, {"transactions": ["is invalid"]})
        parents = {str(one.id) for one in self._payments.transactions_of(order) if one.kind in {"capture", "sale"}}
        for row in rows:
            parent_id = dig(row, "parent_id")
            if dig(row, "kind") not in {"refund", "suggested_refund"}:
                raise refuse(422, {"transactions": ["kind must be refund"]})
            if parent_id is not None and str(parent_id) not in parents:
                raise refuse(422, {"transactions": ["parent_id is invalid"]})
        return [amount for row in rows if (amount := _read_amount(dig(row, "amount"), 0))]

    def _read_lines(self, order: Order, rows: Any) -> tuple[RefundLine, ...]:
        if rows is None:
            return ()
        if not isinstance(rows, list):
            raise refuse(422, {"refund_line_items": ["is invalid"]})
        left = self._count_left(order)
        lines = []
        for row in rows:
            line = self._read_line(order, row, left)
            left[line.line_id] -= line.quantity
            lines.append(line)
        return tuple(lines)

    def _read_line(self, order: Order, row: Any, left: Mapping[int, int]) -> RefundLine:
        line = next((one for one in order.lines if str(one.id) == str(dig(row, "line_item_id"))), None)
        if line is None:
            raise refuse(422, {"refund_line_items": ["line_item_id is invalid"]})
        quantity = dig(row, "quantity")
        if type(quantity) is not int or quantity < 1:
            raise refuse(422, {"refund_line_items": ["Quantity must be greater than 0"]})
        if quantity > left[line.id]:
            raise refuse(422, {"refund_line_items": ["Quantity cannot refund more items than were purchased"]})
        restock = dig(row, "restock_type") or "no_restock"
        if restock not in _RESTOCK:
            raise refuse(422, {"refund_line_items": ["restock_type is invalid"]})
        location_id = self._read_location(dig(row, "location_id"))
        return RefundLine(
            self._shop.ids.number("refund_line"), line.id, quantity, restock, location_id, line.price * quantity
        )

    def _read_location(self, value: Any) -> int | None:
        if value is None:
            return None
        location = next((one for one in self._shop.stock.locations if str(one.id) == str(value)), None)
        if location is None:
            raise refuse(422, {"refund_line_items": ["location_id is invalid"]})
        return location.id

    def _count_left(self, order: Order) -> dict[int, int]:
        left = {line.id: line.quantity for line in order.lines}
        for refund in self._payments.refunds_of(order):
            for line in refund.lines:
                left[line.line_id] -= line.quantity
        return left

    def _list_returned(self, order: Order, lines: tuple[RefundLine, ...]) -> list[tuple[RefundLine, str, Any]]:
        skus = {line.id: line.sku for line in order.lines}
        stock = self._shop.stock
        return [
            (line, skus[line.line_id], stock.main if line.location_id is None else stock.locate(line.location_id))
            for line in lines
            if line.restock_type != "no_restock"
        ]


def _not_valid(kind: str) -> Exception:
    return refuse(422, {"kind": [f"{kind} is not a valid transaction"]})


def _read_amount(value: Any, usual: int) -> int:
    """Return an amount in minor units; clients send an empty text for everything that is left."""
    if value is None or value == "":
        return usual
    try:
        amount = read_money(value)
    except ValueError as error:
        raise refuse(422, {"amount": ["is not a number"]}) from error
    if amount == 0:
        raise refuse(422, {"amount": ["must be greater than 0"]})
    return amount


def _read_text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > 255):
        raise refuse(422, {name: ["is invalid"]})
    return value or None
