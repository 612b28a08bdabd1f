"""Fulfillment orders and fulfillments in the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, build_json_answer
from fakes.kit.bodies import dig
from fakes.storefront.drafts import read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.fulfilment import FULFILLABLE
from fakes.storefront.fulfilment_payloads import build_fulfillment, build_fulfillment_order
from fakes.storefront.parts import Tracking
from fakes.storefront.routes import find_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.parts import Fulfillment, FulfillmentOrder
    from fakes.storefront.shop import Shop

_REASONS = (
    "awaiting_payment",
    "high_risk_of_fraud",
    "incorrect_address",
    "inventory_out_of_stock",
    "unknown_delivery_date",
    "awaiting_return_items",
    "other",
)
_NOT_OPEN = "The fulfillment order is not in an open state."
_BAD_QUANTITY = "Invalid fulfillment order line item quantity requested."
Wanted = tuple["FulfillmentOrder", "Mapping[int, int]"]


class FulfilmentRoutes:
    """Handlers of fulfillment orders and fulfillments."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._fulfilment = shop.fulfilment

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "fulfillment_order.list": self.list_requests,
            "fulfillment_order.read": self.read_request,
            "fulfillment_order.hold": self.hold,
            "fulfillment_order.release_hold": self.release,
            "fulfillment_order.cancel": self.cancel_request,
            "fulfillment.create": self.create,
            "fulfillment.list": self.list_all,
            "fulfillment.read": self.read,
            "fulfillment.update_tracking": self.track,
            "fulfillment.cancel": self.cancel,
        }

    def list_requests(self, exchange: Exchange) -> Answer:
        """Answer an order's fulfillment orders."""
        order = find_order(self._shop, exchange)
        shown = [self._show_request(one) for one in self._fulfilment.requests_of(order)]
        return build_json_answer(200, {"fulfillment_orders": shown})

    def read_request(self, exchange: Exchange) -> Answer:
        """Answer one fulfillment order."""
        return self._answer_request(self._find_request(exchange))

    def hold(self, exchange: Exchange) -> Answer:
        """Keep a fulfillment order from being sent."""
        request = self._find_request(exchange)
        given = read_root(exchange, "fulfillment_hold")
        reason, notes = given.get("reason"), given.get("reason_notes")
        if reason not in _REASONS or not isinstance(notes, (str, type(None))):
            raise refuse(422, ["Reason is invalid"])
        if request.status not in FULFILLABLE:
            raise refuse(422, [_NOT_OPEN])
        return self._answer_request(self._fulfilment.hold(request, reason, notes, exchange))

    def release(self, exchange: Exchange) -> Answer:
        """Let a held fulfillment order be sent again."""
        request = self._find_request(exchange)
        if request.status != "on_hold":
            raise refuse(422, ["The fulfillment order is not on hold."])
        return self._answer_request(self._fulfilment.release(request, exchange))

    def cancel_request(self, exchange: Exchange) -> Answer:
        """Cancel a fulfillment order; the vendor puts another in its place."""
        request = self._find_request(exchange)
        if request.status not in FULFILLABLE:
            raise refuse(422, [_NOT_OPEN])
        cancelled, anew = self._fulfilment.replace(request, self._find_order(request), exchange)
        shown = {"fulfillment_order": self._show_request(cancelled)}
        return build_json_answer(200, {**shown, "replacement_fulfillment_order": self._show_request(anew)})

    def create(self, exchange: Exchange) -> Answer:
        """Send what fulfillment orders ask for, all that remains of them or some lines."""
        given = read_root(exchange, "fulfillment")
        wanted = self._read_wanted(given.get("line_items_by_fulfillment_order"))
        order = self._find_order(wanted[0][0])
        exchange.entity = order.name
        if any(request.order_id != order.id for request, _ in wanted):
            raise refuse(422, ["All fulfillment orders must belong to the same order."])
        if len({request.location_id for request, _ in wanted}) > 1:
            raise refuse(422, ["All fulfillment orders must be assigned to the same location."])
        made = self._fulfilment.send(order, wanted, _read_tracking(given.get("tracking_info")), exchange)
        return build_json_answer(201, {"fulfillment": build_fulfillment(made, order)})

    def list_all(self, exchange: Exchange) -> Answer:
        """Answer the fulfillments of an order or of a fulfillment order."""
        if "id" in exchange.params:
            order = find_order(self._shop, exchange)
            shown = self._fulfilment.fulfillments_of(order)
        else:
            request = self._find_request(exchange)
            order = self._find_order(request)
            shown = [
                one
                for one in self._fulfilment.fulfillments_of(order)
                if any(line.fulfillment_order_id == request.id for line in one.lines)
            ]
        return build_json_answer(200, {"fulfillments": [build_fulfillment(one, order) for one in shown]})

    def read(self, exchange: Exchange) -> Answer:
        """Answer one fulfillment of an order."""
        order = find_order(self._shop, exchange)
        found = self._find(exchange)
        if found.order_id != order.id:
            raise not_found()
        return build_json_answer(200, {"fulfillment": build_fulfillment(found, order)})

    def track(self, exchange: Exchange) -> Answer:
        """Say how a parcel can be followed."""
        found = self._find(exchange)
        tracking = _read_tracking(read_root(exchange, "fulfillment").get("tracking_info"))
        if found.status == "cancelled":
            raise refuse(422, ["Cannot update tracking of a cancelled fulfillment."])
        changed = self._fulfilment.track(found, tracking, exchange)
        return build_json_answer(200, {"fulfillment": build_fulfillment(changed, self._find_order(changed))})

    def cancel(self, exchange: Exchange) -> Answer:
        """Call a parcel back; its units are to be sent again."""
        found = self._find(exchange)
        if found.status == "cancelled":
            raise refuse(422, ["The fulfillment has already been cancelled."])
        order = self._find_order(found)
        changed = self._fulfilment.call_back(found, order, exchange)
        return build_json_answer(200, {"fulfillment": build_fulfillment(changed, order)})

    def _read_wanted(self, rows: Any) -> list[Wanted]:
        if not isinstance(rows, list) or not rows:
            raise refuse(422, ["Line items by fulfillment order can't be blank"])
        wanted: dict[int, Wanted] = {}
        for row in rows:
            request_id = dig(row, "fulfillment_order_id")
            known = isinstance(request_id, (int, str)) and not isinstance(request_id, bool)
            request = self._fulfilment.requests.get(request_id) if known else None
            if request is None or request.id in wanted:
                raise refuse(422, ["Fulfillment order does not exist."])
            if request.status not in FULFILLABLE:
                raise refuse(422, [f"Fulfillment order {request.id} has an unfulfillable status= {request.status}."])
            wanted[request.id] = (request, _read_units(request, dig(row, "fulfillment_order_line_items")))
        return list(wanted.values())

    def _show_request(self, request: FulfillmentOrder) -> dict[str, Any]:
        return build_fulfillment_order(request, self._shop.stock.locate(request.location_id))

    def _answer_request(self, request: FulfillmentOrder) -> Answer:
        return build_json_answer(200, {"fulfillment_order": self._show_request(request)})

    def _find_request(self, exchange: Exchange) -> FulfillmentOrder:
        found = self._fulfilment.requests.get(exchange.params["fulfillment_order"])
        if found is None:
            raise not_found()
        return found

    def _find(self, exchange: Exchange) -> Fulfillment:
        found = self._fulfilment.fulfillments.get(exchange.params["fulfillment"])
        if found is None:
            raise not_found()
        return found

    def _find_order(self, part: FulfillmentOrder | Fulfillment) -> Order:
        order = self._shop.orders.get(part.order_id)
        if order is None:
            raise not_found()
        return order


def _read_units(request: FulfillmentOrder, rows: Any) -> dict[int, int]:
    """Return the units wanted by id of the fulfillment order's lines; all that remains unless some are named."""
    if rows is None or rows == []:
        return {line.id: line.remaining for line in request.lines if line.remaining}
    if not isinstance(rows, list):
        raise refuse(422, [_BAD_QUANTITY])
    lines = {str(line.id): line for line in request.lines}
    units: dict[int, int] = {}
    for row in rows:
        line = lines.get(str(dig(row, "id")))
        quantity = dig(row, "quantity")
        if line is None or type(quantity) is not int:
            raise refuse(422, [_BAD_QUANTITY])
        if quantity < 1:
            raise refuse(422, ["Quantity must be greater than 0"])
        units[line.id] = units.get(line.id, 0) + quantity
        if units[line.id] > line.remaining:
            raise refuse(422, [_BAD_QUANTITY])
    return units


def _read_tracking(given: Any) -> Tracking:
    """Return tracking from its singular or plural fields."""
    if given is None:
        return Tracking()
    company = dig(given, "company")
    if not isinstance(given, dict) or not isinstance(company, (str, type(None))):
        raise refuse(422, ["Tracking info is invalid"])
    return Tracking(company, _read_list(given, "number"), _read_list(given, "url"))


def _read_list(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    several, one = given.get(f"{name}s"), given.get(name)
    values = several if several is not None else [] if one is None else [one]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refuse(422, ["Tracking info is invalid"])
    return tuple(value for value in values if value)
