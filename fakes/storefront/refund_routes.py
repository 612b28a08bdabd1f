"""Refunds in the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, build_json_answer
from fakes.kit.bodies import dig
from fakes.storefront.drafts import read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.money import format_money
from fakes.storefront.parts import RefundLine
from fakes.storefront.payment_payloads import build_refund
from fakes.storefront.routes import check_refundable, find_order
from fakes.storefront.transaction_routes import read_amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.news import News
    from fakes.storefront.shop import Shop

_RESTOCK = ("no_restock", "cancel", "return")


class RefundRoutes:
    """Handlers of refunds."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._payments = shop.payments

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "refund.list": self.list_all,
            "refund.read": self.read,
            "refund.create": self.create,
            "refund.calculate": self.calculate,
        }

    def list_all(self, exchange: Exchange) -> Answer:
        """Answer an order's refunds."""
        order = find_order(self._shop, exchange)
        return build_json_answer(
            200, {"refunds": [build_refund(one, order) for one in self._payments.refunds_of(order)]}
        )

    def read(self, exchange: Exchange) -> Answer:
        """Answer one refund."""
        order = find_order(self._shop, exchange)
        found = self._payments.refunds.get(exchange.params["refund"])
        if found is None or found.order_id != order.id:
            raise not_found()
        return build_json_answer(200, {"refund": build_refund(found, order)})

    def create(self, exchange: Exchange) -> Answer:
        """Give money back, at most what was taken, and take goods back."""
        order = find_order(self._shop, exchange)
        given = read_root(exchange, "refund")
        lines = self._read_lines(order, given.get("refund_line_items"))
        amounts = self._read_amounts(order, given.get("transactions"))
        note = given.get("note")
        if note is not None and not isinstance(note, str):
            raise refuse(422, {"note": ["is invalid"]})
        if not lines and not amounts:
            raise refuse(422, {"base": ["Refund must give back money or line items"]})
        check_refundable(self._shop, order, sum(amounts))
        news = [item for line in lines for item in self._take_back(order, line, exchange)]
        fewer = sum(line.quantity for line in lines if line.restock_type == "cancel")
        status = self._shop.fulfilment.weigh(order, self._shop.fulfilment.fulfillments_of(order), fewer=fewer)
        refund, changed = self._payments.refund(
            order, amounts, lines=lines, note=note, exchange=exchange, news=news, fulfillment_status=status
        )
        return build_json_answer(201, {"refund": build_refund(refund, changed)})

    def calculate(self, exchange: Exchange) -> Answer:
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
        return [amount for row in rows if (amount := read_amount(dig(row, "amount"), 0))]

    def _read_lines(self, order: Order, rows: Any) -> tuple[RefundLine, ...]:
        if rows is None:
            return ()
        if not isinstance(rows, list):
            raise refuse(422, {"refund_line_items": ["is invalid"]})
        parts = self._shop.parts(order)
        left = {line.id: line.quantity - parts.returned(line.id) for line in order.lines}
        unsent = {line.id: self._shop.fulfilment.remaining(order, line.id) for line in order.lines}
        lines = []
        for row in rows:
            line = self._read_line(order, row)
            left[line.line_id] -= line.quantity
            unsent[line.line_id] -= line.quantity if line.restock_type == "cancel" else 0
            if left[line.line_id] < 0:
                raise refuse(422, {"refund_line_items": ["Quantity cannot refund more items than were purchased"]})
            if unsent[line.line_id] < 0:
                raise refuse(422, {"refund_line_items": ["Quantity cannot cancel more items than are unfulfilled"]})
            lines.append(line)
        return tuple(lines)

    def _read_line(self, order: Order, row: Any) -> RefundLine:
        line = next((one for one in order.lines if str(one.id) == str(dig(row, "line_item_id"))), None)
        if line is None:
            raise refuse(422, {"refund_line_items": ["line_item_id is invalid"]})
        quantity = dig(row, "quantity")
        if type(quantity) is not int or quantity < 1:
            raise refuse(422, {"refund_line_items": ["Quantity must be greater than 0"]})
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

    def _take_back(self, order: Order, refunded: RefundLine, exchange: Exchange) -> list[News]:
        if refunded.restock_type == "no_restock":
            return []
        if refunded.restock_type == "cancel":
            self._shop.fulfilment.withdraw(order, refunded.line_id, refunded.quantity, exchange)
        stock = self._shop.stock
        location = stock.main if refunded.location_id is None else stock.locate(refunded.location_id)
        sku = next(line.sku for line in order.lines if line.id == refunded.line_id)
        return stock.take(sku, location, -refunded.quantity, exchange)
