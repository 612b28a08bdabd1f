"""The orders side of the Admin API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.entities import Subject
from fakes.storefront.drafts import read_changes, read_customer, read_details, read_goods, read_root
from fakes.storefront.errors import RETRY_AFTER_S, build_status, build_throttled, not_found, refuse
from fakes.storefront.listing import build_link, filter_orders, list_orders, pick_fields, read_limit
from fakes.storefront.payloads import build_order, build_refund, build_transactions
from fakes.storefront.settings import serve_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Order
    from fakes.storefront.shop import Shop

_CANCEL_REASONS = ("customer", "fraud", "inventory", "declined", "other")


class OrderRoutes:
    """Handlers of orders, refunds, transactions and the shop itself."""

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
            "refund.list": self.list_refunds,
            "transaction.list": self.list_transactions,
            "shop.read": self.read_shop,
        }

    def list_page(self, exchange: Exchange) -> Answer:
        """Answer one page of orders."""
        query = exchange.query
        page = list_orders(self._shop.orders, query)
        shown = [pick_fields(build_order(order), query.get("fields")) for order in page.orders]
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
        return _show(self._shop.place(reservation, exchange, **details), status=201)

    def read(self, exchange: Exchange) -> Answer:
        """Answer one order."""
        shown = pick_fields(build_order(self._find(exchange)), exchange.query.get("fields"))
        return build_json_answer(200, {"order": shown})

    def update(self, exchange: Exchange) -> Answer:
        """Change an order."""
        order = self._find(exchange)
        return _show(self._shop.update(order, exchange, **read_changes(read_root(exchange, "order"))))

    def cancel(self, exchange: Exchange) -> Answer:
        """Cancel an order that is neither cancelled nor fulfilled."""
        order = self._find(exchange)
        if order.cancelled_at is not None:
            raise refuse(422, {"base": ["Order has already been cancelled"]})
        if order.fulfillment_status is not None:
            raise refuse(422, {"base": ["Cannot cancel an order with fulfillments"]})
        given = exchange.object() if exchange.body.strip() else {}
        reason = given.get("reason", exchange.query.get("reason", "other"))
        if reason not in _CANCEL_REASONS:
            raise refuse(422, {"reason": ["is not included in the list"]})
        return _show(self._shop.cancel(order, reason, exchange))

    def close(self, exchange: Exchange) -> Answer:
        """Close an order."""
        return _show(self._shop.update(self._find(exchange), exchange, closed_at=self._shop.clock.wall()))

    def open(self, exchange: Exchange) -> Answer:
        """Open a closed order again."""
        order = self._find(exchange)
        if order.cancelled_at is not None:
            raise refuse(422, {"base": ["Cannot open a cancelled order"]})
        return _show(self._shop.update(order, exchange, closed_at=None))

    def list_refunds(self, exchange: Exchange) -> Answer:
        """Answer an order's refunds."""
        order = self._find(exchange)
        return build_json_answer(200, {"refunds": [build_refund(refund, order) for refund in order.refunds]})

    def list_transactions(self, exchange: Exchange) -> Answer:
        """Answer an order's transactions."""
        return build_json_answer(200, {"transactions": build_transactions(self._find(exchange))})

    def read_shop(self, _: Exchange) -> Answer:
        """Answer the shop."""
        domain = self._shop.settings.shop_domain
        shop = {"id": 1, "name": domain.partition(".")[0], "domain": domain, "myshopify_domain": domain}
        return build_json_answer(200, {"shop": {**shop, "currency": "EUR", "plan_name": "basic"}})

    def _find(self, exchange: Exchange) -> Order:
        order = self._shop.orders.get(exchange.params["id"])
        if order is None:
            raise not_found()
        exchange.entity = order.name
        return order


class Gate:
    """What every call passes first, and the headers every answer carries."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def check(self, exchange: Exchange) -> None:
        """Refuse calls without the token, to a version that never was, or past the bucket."""
        if exchange.headers.get("x-shopify-access-token") != self._shop.settings.access_token:
            raise RefusedError(build_status(401))
        if exchange.operation is not None and serve_version(exchange.params.get("version")) is None:
            raise not_found()
        if not self._shop.bucket.take():
            raise RefusedError(build_throttled(RETRY_AFTER_S / self._shop.time_scale))

    def dress(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """Give the version served, the request id, and how full the bucket is."""
        version = serve_version(exchange.params.get("version")) if exchange.operation else None
        if version is not None:
            yield "X-Shopify-API-Version", version
        yield "X-Request-Id", self._shop.ids.uuid("request")
        bucket = self._shop.bucket
        yield "X-Shopify-Shop-Api-Call-Limit", f"{min(int(bucket.size), round(bucket.level()))}/{int(bucket.size)}"


def build_subject(shop: Shop, exchange: Exchange) -> Subject:
    """Say which order a call is about: the one whose id is in its path."""
    record = exchange.params.get("id")
    if record is None or exchange.shared:
        return Subject()
    return Subject(records=(shop.orders.link_key(record),))


def _show(order: Any, *, status: int = 200) -> Answer:
    return build_json_answer(status, {"order": build_order(order)})
