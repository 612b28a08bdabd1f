"""Webhook endpoints as the fault ``subscription_removed`` takes event types away from them and puts them back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fakes.gateway.catalogue import TOPICS

if TYPE_CHECKING:
    from fakes.gateway.account import Account
    from fakes.gateway.model import Endpoint


@dataclass(frozen=True, slots=True)
class Removed:
    """An event type that was taken from an endpoint, which is kept as it was."""

    endpoint: Endpoint
    topic: str


class EndpointSubscribers:
    """What fakes.kit.removals asks of a vendor, for an account; an endpoint without event types is gone."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def remove(self, topic: str | None) -> list[Removed]:
        """Take an event type, all without one, from every endpoint, and return what was taken."""
        removed = [
            Removed(endpoint, one)
            for endpoint in self._account.endpoints
            for one in _spell_out(endpoint)
            if topic in (None, one)
        ]
        for one in removed:
            self._take(one)
        return removed

    def restore(self, removed: Removed) -> None:
        """Give an endpoint its event type again."""
        held = self._account.endpoints.get(removed.endpoint.id)
        topics = (removed.topic,) if held is None else (*held.topics, removed.topic)
        self._account.subscribe(replace(held or removed.endpoint, topics=topics))

    def has(self, removed: Removed) -> bool:
        """Tell whether events of the type go to the same address."""
        url = removed.endpoint.url
        return any(one.url == url and one.wants(removed.topic) for one in self._account.endpoints)

    def topic(self, removed: Removed) -> str:
        """Return the event type."""
        return removed.topic

    def _take(self, removed: Removed) -> None:
        held = self._account.endpoints.get(removed.endpoint.id) or removed.endpoint
        topics = tuple(topic for topic in _spell_out(held) if topic != removed.topic)
        self._account.drop_topic(replace(held, topics=topics), removed.topic)


def _spell_out(endpoint: Endpoint) -> tuple[str, ...]:
    return TOPICS if "*" in endpoint.topics else endpoint.topics
