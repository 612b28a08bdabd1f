"""The three desks' handlers under one roof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.kit.entities import Subject
from fakes.opsdesk.errors import desk_of
from fakes.opsdesk.pagerduty import EventRoutes, build_event_subject
from fakes.opsdesk.slack import MessageRoutes, build_message_subject
from fakes.opsdesk.zendesk import TicketRoutes, build_ticket_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange
    from fakes.opsdesk.desk import Desk


class Routes:
    """Every operation of the ops desk, its gate, its headers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._events = EventRoutes(desk)
        self._messages = MessageRoutes(desk)
        self._tickets = TicketRoutes(desk)

    def reset(self) -> None:
        """Forget counts and keys."""
        self._events.reset()
        self._messages.reset()
        self._tickets.reset()

    def build(self) -> dict[str, Callable[[Exchange], Answer]]:
        """Return the handlers by operation."""
        return {
            "alert.enqueue": self._events.enqueue,
            "message.post": self._messages.post,
            "ticket.create": self._tickets.create,
            "ticket.list": self._tickets.list_page,
            "ticket.read": self._tickets.read,
            "ticket.update": self._tickets.update,
            "ticket.search": self._tickets.search,
        }

    def check(self, exchange: Exchange) -> None:
        """Refuse what a desk refuses before it looks at a call."""
        if desk_of(exchange) == "zendesk":
            self._tickets.check(exchange)

    def dress(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """Give the headers a desk puts on every answer."""
        return self._tickets.dress() if desk_of(exchange) == "zendesk" else ()

    def subject_of(self, exchange: Exchange) -> Subject:
        """Say which order a call is about."""
        if exchange.operation is None or exchange.shared:
            return Subject()
        desk = desk_of(exchange)
        if desk == "pagerduty":
            return build_event_subject(exchange)
        if desk == "slack":
            return build_message_subject(exchange)
        ticket_id = exchange.params.get("id")
        return build_ticket_subject(exchange, self._desk.tickets.link_key(ticket_id) if ticket_id else None)
