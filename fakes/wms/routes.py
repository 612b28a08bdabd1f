"""The warehouse's API: orders and stock, one handler an operation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.bodies import dig, texts
from fakes.kit.entities import Subject
from fakes.wms.bodies import Cancellation, NewAllocation, NewOrder, OrderQuery, StockQuery, read_body, read_query
from fakes.wms.errors import build_throttled, build_unauthorized, refuse, refuse_impossible
from fakes.wms.listing import build_page, list_orders, list_stock
from fakes.wms.model import Line, NotPossibleError
from fakes.wms.openapi import DOCUMENT
from fakes.wms.payloads import build_order, build_stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fakes.kit.exchange import Exchange
    from fakes.wms.model import Order
    from fakes.wms.warehouse import Warehouse


class Routes:
    """Handlers of orders and stock."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "wms_order.list": self.list_orders,
            "wms_order.create": self.create,
            "wms_order.read": self.read,
            "wms_order.allocate": self.allocate,
            "wms_order.cancel": self.cancel,
            "inventory.list": self.list_stock,
            "openapi.read": lambda _: build_json_answer(200, DOCUMENT),
        }

    def list_orders(self, exchange: Exchange) -> Answer:
        """Answer one page of orders."""
        page, cursor = list_orders(self._warehouse.orders, read_query(exchange, OrderQuery))
        return build_json_answer(200, build_page("orders", [build_order(order) for order in page], cursor))

    def list_stock(self, exchange: Exchange) -> Answer:
        """Answer one page of stock."""
        page, cursor = list_stock(self._warehouse.shelves.stock, read_query(exchange, StockQuery))
        return build_json_answer(200, build_page("items", [build_stock(stock) for stock in page], cursor))

    def create(self, exchange: Exchange) -> Answer:
        """Take in an order and allocate it at once; a reference serves once."""
        given = read_body(exchange, NewOrder)
        for held in self._warehouse.orders.find("reference", given.reference):
            detail = f"the reference {given.reference!r} is that of the order {held.id}"
            raise refuse("duplicate_reference", detail, order_id=held.id, reference=given.reference)
        self._ensure_known([line.sku for line in given.lines])
        order = self._warehouse.create(
            given.reference,
            tuple(Line(line.sku, line.quantity) for line in given.lines),
            given.location,
            entity=exchange.entity or given.reference,
            ship_to=given.ship_to,
            limit=_read_limit(exchange, sum(line.quantity for line in given.lines)),
            exchange=exchange,
        )
        return build_json_answer(201, build_order(order), headers=[("Location", f"/orders/{order.id}")])

    def read(self, exchange: Exchange) -> Answer:
        """Answer one order."""
        return build_json_answer(200, build_order(self._find(exchange)))

    def allocate(self, exchange: Exchange) -> Answer:
        """Set aside at one location what is still missing of an order."""
        order = self._find(exchange)
        given = read_body(exchange, NewAllocation)
        try:
            allocated = self._warehouse.allocate(order, given.location, exchange)
        except NotPossibleError as error:
            raise refuse_impossible(error, order_id=order.id) from error
        return build_json_answer(200, build_order(allocated))

    def cancel(self, exchange: Exchange) -> Answer:
        """Cancel an order that is not picked yet."""
        order = self._find(exchange)
        given = read_body(exchange, Cancellation, optional=True)
        try:
            cancelled = self._warehouse.cancel(order, given.reason, exchange)
        except NotPossibleError as error:
            raise refuse_impossible(error, order_id=order.id) from error
        return build_json_answer(200, build_order(cancelled))

    def _find(self, exchange: Exchange) -> Order:
        order = self._warehouse.orders.get(exchange.params["id"])
        if order is None:
            raise refuse("not_found", "there is no such order")
        return order

    def _ensure_known(self, skus: Iterable[str]) -> None:
        if self._warehouse.settings.unknown_items == "accept":
            return
        unknown = [sku for sku in dict.fromkeys(skus) if not self._warehouse.shelves.knows(sku)]
        if unknown:
            raise refuse("unknown_item", f"the warehouse does not know {', '.join(unknown)}", skus=unknown)


class Gate:
    """What every call passes first, and the headers every answer carries."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def check(self, exchange: Exchange) -> None:
        """Refuse calls without the token or past the limit; the document of the API is for everyone."""
        if exchange.operation is not None and exchange.operation.name == "openapi.read":
            return
        if exchange.headers.get("authorization") != f"Bearer {self._warehouse.settings.token}":
            raise RefusedError(build_unauthorized())
        window = self._warehouse.window
        if not window.take():
            raise RefusedError(build_throttled(math.ceil(window.wait_s() * self._warehouse.time_scale)))

    def dress(self, _: Exchange) -> Iterable[tuple[str, str]]:
        """Give the request id and how many calls are left."""
        yield "X-Request-Id", self._warehouse.ids.uuid("request")
        yield "X-Remaining-Calls", str(max(0, self._warehouse.window.left()))


def build_subject(warehouse: Warehouse, exchange: Exchange) -> Subject:
    """Say which order a call is about: the one its reference names, or the one in its path; a reference names itself."""
    if exchange.shared:
        return Subject()
    record = exchange.params.get("id")
    if record is not None:
        return Subject(records=(warehouse.orders.link_key(record),))
    references = texts(dig(exchange.json(), "reference"))
    own = references[0] if references else None
    return Subject(references=references, external_id=own, key=own)


def _read_limit(exchange: Exchange, units: int) -> int | None:
    if exchange.quirk is None:
        return None
    return units // 2 if exchange.quirk["allocated"] == "half" else 0
