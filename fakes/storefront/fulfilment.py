"""Sending orders: what is to be sent from where, and what was sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.records import Collection
from fakes.storefront.fulfilment_payloads import build_fulfillment, show_fulfillment, show_fulfillment_order
from fakes.storefront.news import News
from fakes.storefront.parts import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Tracking,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.shop import Shop

FULFILLABLE = ("open", "in_progress")
_PENDING = (*FULFILLABLE, "on_hold")


class Fulfilment:
    """Keep fulfillment orders and fulfillments; each fulfillment changes its order and is announced with it."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.requests: Collection[FulfillmentOrder] = Collection(
            "fulfillment_orders",
            show=lambda one: show_fulfillment_order(one, shop.stock.locate(one.location_id)),
            journal=shop.journal,
            entities=shop.entities,
            indexes={"order": lambda one: str(one.order_id)},
        )
        self.fulfillments: Collection[Fulfillment] = Collection(
            "fulfillments",
            show=lambda one: show_fulfillment(one, shop.stock.locate(one.location_id)),
            journal=shop.journal,
            entities=shop.entities,
            indexes={"order": lambda one: str(one.order_id)},
        )

    def requests_of(self, order: Order) -> list[FulfillmentOrder]:
        """Return an order's fulfillment orders, the first first."""
        return self.requests.find("order", str(order.id))

    def fulfillments_of(self, order: Order) -> list[Fulfillment]:
        """Return an order's fulfillments, the first first."""
        return self.fulfillments.find("order", str(order.id))

    def begin(self, order: Order, exchange: Exchange | None) -> None:
        """Ask for a new order to be sent, whole, from the main location."""
        lines = [(line.id, line.sku, line.quantity, line.variant_id) for line in order.lines]
        self._ask(order, order.fulfillment_order_id, self._shop.stock.main.id, lines, exchange)

    def send(
        self,
        order: Order,
        wanted: Sequence[tuple[FulfillmentOrder, Mapping[int, int]]],
        tracking: Tracking,
        exchange: Exchange | None,
    ) -> Fulfillment:
        """
        Send units of fulfillment orders of one order and one location.

        ``wanted`` gives for each the units by id of its lines, at most what remains.
        """
        now = self._shop.clock.wall()
        number = len(self.fulfillments_of(order)) + 1
        fulfillment = Fulfillment(
            self._shop.ids.number("fulfillment"),
            order.id,
            f"{order.name}.{number}",
            wanted[0][0].location_id,
            tuple(
                FulfillmentLine(line.line_id, line.sku, units[line.id], request.id, line.id)
                for request, units in wanted
                for line in request.lines
                if units.get(line.id, 0)
            ),
            now,
            now,
            tracking,
        )
        for request, units in wanted:
            self._move(request, {line_id: -count for line_id, count in units.items()}, exchange)
        self.fulfillments.put(fulfillment.id, fulfillment, entity=order.name, exchange=exchange)
        status = self.weigh(order, [*self.fulfillments_of(order), fulfillment])
        topic = "orders/fulfilled" if status == "fulfilled" else "orders/partially_fulfilled"
        self._shop.update(
            order,
            exchange,
            news=[self.build_news(fulfillment, order)],
            topics=(topic,),
            fulfillment_status=status,
        )
        return fulfillment

    def track(self, fulfillment: Fulfillment, tracking: Tracking, exchange: Exchange | None) -> Fulfillment:
        """Say how a parcel can be followed."""
        return self._change(fulfillment, exchange, tracking=tracking)

    def call_back(self, fulfillment: Fulfillment, order: Order, exchange: Exchange | None) -> Fulfillment:
        """Cancel a fulfillment: its units are to be sent again."""
        changed = self._change(fulfillment, exchange, status="cancelled")
        back: dict[int, dict[int, int]] = {}
        for line in fulfillment.lines:
            back.setdefault(line.fulfillment_order_id, {})[line.fulfillment_order_line_id] = line.quantity
        for request_id, units in back.items():
            request = self.requests.get(request_id)
            if request is not None:
                self._move(request, units, exchange)
        others = [one for one in self.fulfillments_of(order) if one.id != fulfillment.id]
        self._shop.update(order, exchange, fulfillment_status=self.weigh(order, others))
        return changed

    def hold(self, request: FulfillmentOrder, reason: str, notes: str | None, exchange: Exchange) -> FulfillmentOrder:
        """Keep a fulfillment order from being sent."""
        return self._put(request, exchange, status="on_hold", hold_reason=reason, hold_notes=notes)

    def release(self, request: FulfillmentOrder, exchange: Exchange) -> FulfillmentOrder:
        """Let a held fulfillment order be sent again."""
        sent = any(line.remaining < line.quantity for line in request.lines)
        status = "in_progress" if sent else "open"
        return self._put(request, exchange, status=status, hold_reason=None, hold_notes=None)

    def replace(
        self, request: FulfillmentOrder, order: Order, exchange: Exchange
    ) -> tuple[FulfillmentOrder, FulfillmentOrder]:
        """Cancel a fulfillment order and ask anew for what it had left."""
        lines = [(line.line_id, line.sku, line.remaining, line.variant_id) for line in request.lines if line.remaining]
        cancelled = self._put(request, exchange, status="cancelled")
        anew = self._ask(order, self._shop.ids.number("fulfillment_order"), request.location_id, lines, exchange)
        return cancelled, anew

    def weigh(self, order: Order, fulfillments: Sequence[Fulfillment], *, fewer: int = 0) -> str | None:
        """Return an order's fulfillment status after these fulfillments, were ``fewer`` more units withdrawn from it."""
        sent = {one.id: one for one in fulfillments if one.status == "success"}
        units = sum(line.quantity for one in sent.values() for line in one.lines)
        parts = self._shop.parts(order)
        asked = sum(line.quantity - parts.returned(line.id, unsent=True) for line in order.lines) - fewer
        if units == 0:
            return None
        return "fulfilled" if units >= asked else "partial"

    def remaining(self, order: Order, line_id: int) -> int:
        """Return how many units of an order's line are still to be sent."""
        asked = [line for one in self.requests_of(order) if one.status in _PENDING for line in one.lines]
        return sum(line.remaining for line in asked if line.line_id == line_id)

    def withdraw(self, order: Order, line_id: int, units: int, exchange: Exchange | None) -> None:
        """Ask for fewer units of a line, at most what remains: they are not to be sent after all."""
        for request in self.requests_of(order):
            if request.status not in _PENDING:
                continue
            fewer = {one.id: min(units, one.remaining) for one in request.lines if one.line_id == line_id}
            units -= sum(fewer.values())
            lines = tuple(
                replace(
                    one,
                    quantity=one.quantity - fewer.get(one.id, 0),
                    remaining=one.remaining - fewer.get(one.id, 0),
                )
                for one in request.lines
            )
            left = sum(one.remaining for one in lines)
            self._put(request, exchange, lines=lines, status=request.status if left else "closed")

    def drop(self, order: Order, exchange: Exchange | None) -> list[News]:
        """Stop sending a cancelled order; what it had taken from stock goes back."""
        news: list[News] = []
        for request in self.requests_of(order):
            if request.status not in _PENDING:
                continue
            location = self._shop.stock.locate(request.location_id)
            goods = [(line.sku, -line.remaining) for line in request.lines]
            news += self._shop.stock.take_all(goods, location, exchange)
            self._put(request, exchange, status="cancelled")
        return news

    def build_news(self, fulfillment: Fulfillment, order: Order) -> News:
        """Return what is told of a new fulfillment."""
        return News("fulfillments/create", order.name, lambda: build_fulfillment(fulfillment, order))

    def _ask(
        self,
        order: Order,
        request_id: int,
        location_id: int,
        goods: Sequence[tuple[int, str, int, int | None]],
        exchange: Exchange | None,
    ) -> FulfillmentOrder:
        now = self._shop.clock.wall()
        lines = tuple(
            FulfillmentOrderLine(self._shop.ids.number("fulfillment_order_line"), line_id, sku, units, units, variant)
            for line_id, sku, units, variant in goods
        )
        made = FulfillmentOrder(request_id, order.id, location_id, lines, now, now)
        self.requests.put(made.id, made, entity=order.name, exchange=exchange)
        return made

    def _move(self, request: FulfillmentOrder, units: Mapping[int, int], exchange: Exchange | None) -> None:
        lines = tuple(replace(line, remaining=line.remaining + units.get(line.id, 0)) for line in request.lines)
        left = sum(line.remaining for line in lines)
        total = sum(line.quantity for line in lines)
        status = "closed" if left == 0 else "open" if left == total else "in_progress"
        self._put(request, exchange, lines=lines, status=status)

    def _put(self, request: FulfillmentOrder, exchange: Exchange | None, **changes: Any) -> FulfillmentOrder:
        changed = replace(request, updated_at=self._shop.clock.wall(), **changes)
        self.requests.put(changed.id, changed, exchange=exchange)
        return changed

    def _change(self, fulfillment: Fulfillment, exchange: Exchange | None, **changes: Any) -> Fulfillment:
        changed = replace(fulfillment, updated_at=self._shop.clock.wall(), **changes)
        self.fulfillments.put(changed.id, changed, exchange=exchange)
        return changed
