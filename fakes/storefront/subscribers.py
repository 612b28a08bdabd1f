"""Subscriptions as the fault ``subscription_removed`` takes them away and puts them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.storefront.model import Subscription
    from fakes.storefront.shop import Shop


class ShopSubscribers:
    """What fakes.kit.removals asks of a vendor, for a shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def remove(self, topic: str | None) -> list[Subscription]:
        """End the subscriptions to a topic, to all without one, and return them."""
        removed = [one for one in self._shop.subscriptions if topic in (None, one.topic)]
        for one in removed:
            self._shop.unsubscribe(one, "removed_by_vendor")
        return removed

    def restore(self, removed: Subscription) -> None:
        """Make a subscription stand again under its old id."""
        self._shop.subscriptions.put(removed.id, removed)
        self._shop.journal.append("subscription", event="created", topic=removed.topic, address=removed.address)

    def has(self, removed: Subscription) -> bool:
        """Tell whether there is a subscription to the same topic at the same address."""
        key = (removed.topic, removed.address)
        return any((one.topic, one.address) == key for one in self._shop.subscriptions)

    def topic(self, removed: Subscription) -> str:
        """Return the topic it is for."""
        return removed.topic
