"""Who wants to hear of what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fakes.kit.records import Collection
from fakes.wms.catalogue import TOPICS
from fakes.wms.model import Subscription
from fakes.wms.payloads import show_subscription

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.kit.exchange import Exchange
    from fakes.wms.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Part:
    """One topic of a subscription."""

    subscription: Subscription
    topic: str


class Subscribers:
    """
    Hold the webhook subscriptions; the journal has an entry a topic.

    One subscription may be to several topics; the vendor can take single ones away (fakes.kit.removals).
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.held: Collection[Subscription] = Collection(
            "webhooks", show=show_subscription, journal=warehouse.journal, entities=warehouse.entities
        )

    def of(self, topic: str) -> list[Subscription]:
        """Return the subscriptions to a topic."""
        return [one for one in self.held if topic in one.topics]

    def add(
        self, url: str, topics: Iterable[str], *, removable: bool, exchange: Exchange | None = None
    ) -> Subscription:
        """Subscribe an address; the same address and topics again are the same subscription."""
        asked = set(topics)
        wanted = tuple(topic for topic in TOPICS if topic in asked)
        for held in self.held:
            if (held.url, held.topics) == (url, wanted):
                return held
        webhook_id = "whk_" + self._warehouse.ids.text("webhook", length=20)
        made = Subscription(webhook_id, url, wanted, removable, self._warehouse.clock.wall())
        self.held.put(made.id, made, exchange=exchange)
        if exchange is None or not exchange.dry_run:
            self._note("created", made, made.topics)
        return made

    def end(self, subscription: Subscription, event: str, *, exchange: Exchange | None = None) -> None:
        """End a subscription; ``event`` is ``deleted`` or ``removed_by_vendor``."""
        gone = self.held.delete(subscription.id, exchange=exchange)
        if gone and (exchange is None or not exchange.dry_run):
            self._note(event, subscription, subscription.topics)

    def remove(self, topic: str | None) -> list[Part]:
        """Take a topic, or all of them, away from every subscription; one without topics is gone."""
        parts = []
        for held in self.held:
            taken = tuple(one for one in held.topics if topic in {None, one})
            left = tuple(one for one in held.topics if one not in taken)
            if left and taken:
                self.held.put(held.id, replace(held, topics=left))
            elif taken:
                self.held.delete(held.id)
            self._note("removed_by_vendor", held, taken)
            parts += [Part(held, one) for one in taken]
        return parts

    def restore(self, removed: Part) -> None:
        """Give a topic back to the subscription it was taken from, under its old id."""
        known = self.held.get(removed.subscription.id) or replace(removed.subscription, topics=())
        topics = tuple(topic for topic in TOPICS if topic in {*known.topics, removed.topic})
        self.held.put(known.id, replace(known, topics=topics))
        self._note("created", known, (removed.topic,))

    def has(self, removed: Part) -> bool:
        """Tell whether the address is subscribed to the topic."""
        return any(one.url == removed.subscription.url for one in self.of(removed.topic))

    def topic(self, removed: Part) -> str:
        """Return the topic that was taken away."""
        return removed.topic

    def _note(self, event: str, subscription: Subscription, topics: Iterable[str]) -> None:
        for topic in topics:
            self._warehouse.journal.append("subscription", event=event, topic=topic, address=subscription.url)
