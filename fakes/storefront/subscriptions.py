"""The webhooks side of the Admin API: subscriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fakes.kit.answers import Answer, build_json_answer
from fakes.storefront.catalogue import TOPICS
from fakes.storefront.drafts import read_root
from fakes.storefront.errors import not_found, refuse
from fakes.storefront.listing import read_limit
from fakes.storefront.payloads import build_subscription
from fakes.storefront.settings import API_VERSION, serve_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.exchange import Exchange
    from fakes.storefront.model import Subscription
    from fakes.storefront.shop import Shop


class SubscriptionRoutes:
    """Handlers of webhook subscriptions; plain http addresses are taken, as a lab needs them."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "webhook.count": self.count,
            "webhook.list": self.list_all,
            "webhook.create": self.create,
            "webhook.read": self.read,
            "webhook.update": self.update,
            "webhook.delete": self.delete,
        }

    def list_all(self, exchange: Exchange) -> Answer:
        """Answer the subscriptions, filtered by topic or address."""
        shown = [_build(one, exchange) for one in self._filter(exchange)]
        return build_json_answer(200, {"webhooks": shown[: read_limit(exchange.query)]})

    def count(self, exchange: Exchange) -> Answer:
        """Answer how many subscriptions there are."""
        return build_json_answer(200, {"count": len(self._filter(exchange))})

    def create(self, exchange: Exchange) -> Answer:
        """Subscribe; the vendor may remove what was made here after failures."""
        given = read_root(exchange, "webhook")
        topic, address = self._check(given.get("topic"), given.get("address"), given.get("format", "json"))
        if any((one.topic, one.address) == (topic, address) for one in self._shop.subscriptions):
            raise refuse(422, {"address": ["for this topic has already been taken"]})
        made = self._shop.subscribe(topic, address, removable=True, exchange=exchange)
        return build_json_answer(201, {"webhook": _build(made, exchange)})

    def read(self, exchange: Exchange) -> Answer:
        """Answer one subscription."""
        return build_json_answer(200, {"webhook": _build(self._find(exchange), exchange)})

    def update(self, exchange: Exchange) -> Answer:
        """Change an address; deliveries under way keep the one they were triggered with."""
        held = self._find(exchange)
        given = read_root(exchange, "webhook")
        topic, address = self._check(
            given.get("topic", held.topic), given.get("address", held.address), given.get("format", "json")
        )
        changed = replace(held, topic=topic, address=address, updated_at=self._shop.clock.wall())
        self._shop.subscriptions.put(changed.id, changed, exchange=exchange)
        return build_json_answer(200, {"webhook": _build(changed, exchange)})

    def delete(self, exchange: Exchange) -> Answer:
        """Unsubscribe."""
        self._shop.unsubscribe(self._find(exchange), "deleted", exchange)
        return build_json_answer(200, {})

    def _filter(self, exchange: Exchange) -> list[Subscription]:
        query = exchange.query
        return [
            one
            for one in self._shop.subscriptions
            if query.get("topic", one.topic) == one.topic and query.get("address", one.address) == one.address
        ]

    def _find(self, exchange: Exchange) -> Subscription:
        held = self._shop.subscriptions.get(exchange.params["id"])
        if held is None:
            raise not_found()
        return held

    def _check(self, topic: Any, address: Any, form: Any) -> tuple[str, str]:
        if topic not in TOPICS:
            raise refuse(422, {"topic": ["Invalid topic specified."]})
        if form != "json":
            raise refuse(422, {"format": ["is not included in the list"]})
        if not isinstance(address, str) or not address:
            raise refuse(422, {"address": ["can't be blank"]})
        if not _is_web_address(address):
            raise refuse(422, {"address": ["is invalid"]})
        return topic, address


def _is_web_address(address: str) -> bool:
    if not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _build(subscription: Subscription, exchange: Exchange) -> dict[str, Any]:
    return build_subscription(subscription, serve_version(exchange.params.get("version")) or API_VERSION)
