"""The warehouse's API: webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.kit.answers import Answer, build_json_answer
from fakes.wms.bodies import NewWebhook, read_body
from fakes.wms.errors import refuse
from fakes.wms.payloads import build_subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.exchange import Exchange
    from fakes.wms.model import Subscription
    from fakes.wms.subscribers import Subscribers


class SubscriptionRoutes:
    """Handlers of webhook subscriptions; plain http addresses are taken, as a lab needs them."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "wms_webhook.list": self.list_all,
            "wms_webhook.create": self.create,
            "wms_webhook.read": self.read,
            "wms_webhook.delete": self.delete,
        }

    def list_all(self, _: Exchange) -> Answer:
        """Answer all subscriptions."""
        return build_json_answer(200, {"webhooks": [build_subscription(one) for one in self._subscribers.held]})

    def create(self, exchange: Exchange) -> Answer:
        """Subscribe an address to topics."""
        given = read_body(exchange, NewWebhook)
        made = self._subscribers.add(given.url, given.topics, removable=True, exchange=exchange)
        return build_json_answer(201, build_subscription(made), headers=[("Location", f"/webhooks/{made.id}")])

    def read(self, exchange: Exchange) -> Answer:
        """Answer one subscription."""
        return build_json_answer(200, build_subscription(self._find(exchange)))

    def delete(self, exchange: Exchange) -> Answer:
        """Unsubscribe."""
        self._subscribers.end(self._find(exchange), "deleted", exchange=exchange)
        return Answer(204)

    def _find(self, exchange: Exchange) -> Subscription:
        held = self._subscribers.held.get(exchange.params["id"])
        if held is None:
            raise refuse("not_found", "there is no such webhook")
        return held
