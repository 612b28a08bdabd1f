"""The orders side of the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.kit.answers import Answer, build_json_answer
from fakes.storefront.drafts import read_changes, read_customer, read_details, read_goods, read_price, read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.listing import build_link, filter_orders, list_orders, pick_fields, read_limit
from fakes.storefront.money import format_money

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.shop import Shop

_CANCEL_REASONS = ("customer", "fraud", "inventory", "declined", "other")


class OrderRoutes:
    """Handlers of orders and the shop itself."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "order.count": self.count,
            "order.list": self.list_page,
            "order.create": self.create,
            "order.read": self.read,
            "order.update": self.update,
            "order.cancel": self.cancel,
            "order.close": self.close,
            "order.open": self.open,
            "shop.read": self.read_shop,
        }

    def list_page(self, exchange: Exchange) -> Answer:
        """Answer one page of orders."""
        query = exchange.query
        page = list_orders(self._shop.orders, query)
        shown = [pick_fields(self._shop.show(order), query.get("fields")) for order in page.orders]
        link = build_link(f"http://{exchange.host}{exchange.path}", page, read_limit(query), query.get("fields"))
        return build_json_answer(200, {"orders": shown}, headers=[("Link", link)] if link else [])

    def count(self, exchange: Exchange) -> Answer:
        """Answer how many orders pass the filters; all of them without ``status``."""
        query = {"status": "any", **exchange.query}
        return build_json_answer(200, {"count": len(filter_orders(self._shop.orders, query))})

    def create(self, exchange: Exchange) -> Answer:
        """Make an order."""
        draft = read_root(exchange, "order")
        goods, customer, details = read_goods(draft), read_customer(draft), read_details(draft)
        reservation = self._shop.reserve(self._shop.build_lines(goods), customer)
        exchange.entity = reservation.name
        return self._show(self._shop.place(reservation, exchange, **details), status=201)

    def read(self, exchange: Exchange) -> Answer:
        """Answer one order."""
        shown = pick_fields(self._shop.show(find_order(self._shop, exchange)), exchange.query.get("fields"))
        return build_json_answer(200, {"order": shown})

    def update(self, exchange: Exchange) -> Answer:
        """Change an order."""
        order = find_order(self._shop, exchange)
        return self._show(self._shop.update(order, exchange, **read_changes(read_root(exchange, "order"))))

    def cancel(self, exchange: Exchange) -> Answer:
        """Cancel an order that is neither cancelled nor fulfilled."""
        order = find_order(self._shop, exchange)
        if order.cancelled_at is not None:
            raise refuse(422, {"base": ["Order has already been cancelled"]})
        if order.fulfillment_status is not None:
            raise refuse(422, {"base": ["Cannot cancel an order with fulfillments"]})
        given = exchange.object() if exchange.body.strip() else {}
        reason = given.get("reason", exchange.query.get("reason", "other"))
        if reason not in _CANCEL_REASONS:
            raise refuse(422, {"reason": ["is not included in the list"]})
        back = None if "amount" not in given else read_price(given["amount"], "amount")
        check_refundable(self._shop, order, back or 0)
        return self._show(self._shop.cancel(order, reason, exchange, back=back))

    def close(self, exchange: Exchange) -> Answer:
        """Close an order."""
        return self._show(
            self._shop.update(find_order(self._shop, exchange), exchange, closed_at=self._shop.clock.wall())
        )

    def open(self, exchange: Exchange) -> Answer:
        """Open a closed order again."""
        order = find_order(self._shop, exchange)
        if order.cancelled_at is not None:
            raise refuse(422, {"base": ["Cannot open a cancelled order"]})
        return self._show(self._shop.update(order, exchange, closed_at=None))

    def read_shop(self, _: Exchange) -> Answer:
        """Answer the shop."""
        domain = self._shop.settings.shop_domain
        shop = {"id": 1, "name": domain.partition(".")[0], "domain": domain, "myshopify_domain": domain}
        return build_json_answer(200, {"shop": {**shop, "currency": "EUR", "plan_name": "basic"}})

    def _show(self, order: Order, *, status: int = 200) -> Answer:
        return build_json_answer(status, {"order": self._shop.show(order)})


def find_order(shop: Shop, exchange: Exchange) -> Order:
    """Return the order whose id is in the path; refuses one that is not there."""
    order = shop.orders.get(exchange.params["id"])
    if order is None:
        raise not_found()
    return order


def check_refundable(shop: Shop, order: Order, amount: int) -> None:
    """Refuse to give back more than was taken and is still there; ``amount`` in minor units."""
    most = shop.payments.balance(order).refundable
    if amount > most:
        text = f"Refund amount ${format_money(amount)} is greater than net payment received ${format_money(most)}"
        raise refuse(422, {"base": [text]})
