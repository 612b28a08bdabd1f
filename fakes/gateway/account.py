"""The account: its payments, charges, refunds, events and webhook endpoints, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.gateway.errors import request_id_of
from fakes.gateway.model import Cause, Charge, Endpoint, Event, Intent, Refund
from fakes.gateway.objects import (
    build_charge,
    build_intent,
    build_refund,
    show_charge,
    show_endpoint,
    show_event,
    show_intent,
    show_refund,
)
from fakes.kit.board import FaultBoard
from fakes.kit.entities import EntityIndex
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.records import Collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.gateway.settings import Settings
    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange

Subjects = Intent | Charge | Refund


class Account:
    """Hold the state of one account; every event is handed to ``announce``, for the webhooks."""

    def __init__(self, clock: Clock, *, nonce: str, settings: Settings, time_scale: float = 1.0) -> None:
        self.clock = clock
        self.time_scale = time_scale
        self.journal = Journal(clock)
        self.board = FaultBoard(self.journal)
        self.entities = EntityIndex()
        self.ids = IdSource(nonce)
        journal, entities = self.journal, self.entities
        by_intent: dict[str, Callable[[Charge | Refund], str]] = {"intent": lambda one: one.intent}
        self.intents = Collection[Intent]("payment_intents", show=show_intent, journal=journal, entities=entities)
        self.charges = Collection[Charge](
            "charges", show=show_charge, journal=journal, entities=entities, indexes=by_intent
        )
        self.refunds = Collection[Refund](
            "refunds", show=show_refund, journal=journal, entities=entities, indexes=by_intent
        )
        self.events = Collection[Event]("events", show=show_event, journal=journal, entities=entities)
        self.endpoints = Collection[Endpoint](
            "webhook_endpoints", show=show_endpoint, journal=journal, entities=entities
        )
        self.announce: Callable[[Event], object] = lambda _: None
        self._initial = settings
        self.reset()

    def reset(self) -> None:
        """Put back what the kit does not know of; ids run on."""
        self.settings = self._initial

    def new_id(self, prefix: str) -> str:
        """Return the next id of a kind, as ``pi_3…``."""
        return f"{prefix}_3{self.ids.text(prefix, length=23)}"

    def put_intent(self, intent: Intent, exchange: Exchange | None = None, *, entity: str | None = None) -> None:
        """Keep a payment."""
        self.intents.put(intent.id, intent, entity=entity, exchange=exchange)

    def put_charge(self, charge: Charge, exchange: Exchange | None = None) -> None:
        """Keep a charge; it belongs to its payment's order."""
        self.charges.put(charge.id, charge, entity=self.intents.entity_of(charge.intent), exchange=exchange)

    def put_refund(self, refund: Refund, exchange: Exchange | None = None) -> None:
        """Keep a refund; it belongs to its payment's order."""
        self.refunds.put(refund.id, refund, entity=self.intents.entity_of(refund.intent), exchange=exchange)

    def tell(self, topic: str, subject: Subjects, exchange: Exchange | None = None) -> Event | None:
        """Make an event of what happened and announce it; nothing when the call is a dry run."""
        if exchange is not None and exchange.dry_run:
            return None
        cause = Cause() if exchange is None else Cause(request_id_of(exchange), exchange.headers.get("idempotency-key"))
        event = self.build_event(topic, subject, cause)
        intent = subject.id if isinstance(subject, Intent) else subject.intent
        self.events.put(event.id, event, entity=self.intents.entity_of(intent), exchange=exchange)
        self.announce(event)
        return event

    def build_event(self, topic: str, subject: Subjects, cause: Cause) -> Event:
        """Return an event that is not kept."""
        pending = sum(endpoint.wants(topic) for endpoint in self.endpoints)
        return Event(self.new_id("evt"), topic, self.clock.wall(), build_object(subject), cause, pending)

    def subscribe(self, endpoint: Endpoint, exchange: Exchange | None = None) -> None:
        """Keep a webhook endpoint and journal the topics that are new."""
        held = self.endpoints.get(endpoint.id)
        self.endpoints.put(endpoint.id, endpoint, exchange=exchange)
        new = [topic for topic in endpoint.topics if held is None or topic not in held.topics]
        self._note("created", new, endpoint.url, exchange)

    def unsubscribe(self, endpoint: Endpoint, exchange: Exchange | None = None) -> None:
        """Remove a webhook endpoint."""
        if self.endpoints.delete(endpoint.id, exchange=exchange):
            self._note("deleted", list(endpoint.topics), endpoint.url, exchange)

    def drop_topic(self, endpoint: Endpoint, topic: str) -> None:
        """Keep an endpoint that the vendor took an event type from; without any it is removed."""
        if endpoint.topics:
            self.endpoints.put(endpoint.id, endpoint)
        else:
            self.endpoints.delete(endpoint.id)
        self._note("removed_by_vendor", [topic], endpoint.url, None)

    def _note(self, event: str, topics: list[str], address: str, exchange: Exchange | None) -> None:
        if exchange is None or not exchange.dry_run:
            for topic in topics:
                self.journal.append("subscription", event=event, topic=topic, address=address)


def build_object(subject: Subjects) -> dict[str, Any]:
    """Return an object as clients see it."""
    if isinstance(subject, Intent):
        return build_intent(subject)
    return build_charge(subject) if isinstance(subject, Charge) else build_refund(subject)
