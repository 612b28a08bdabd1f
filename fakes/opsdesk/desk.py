"""The desk's state: alerts, messages and tickets, and the roles behind keys and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakes.kit.board import FaultBoard
from fakes.kit.bodies import dig
from fakes.kit.entities import EntityIndex
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.records import Collection

if TYPE_CHECKING:
    from fakes.kit.clock import Clock
    from fakes.opsdesk.model import Alert, Message, Role, Ticket


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Limits and delays in vendor seconds, divided by the time scale.

    PagerDuty takes about 120 events a minute and key, Slack about one message a second and hook with short bursts, Zendesk
    700 calls a minute on a common plan; its search lags behind.
    """

    events_per_min: int = 120
    messages_burst: int = 20
    messages_per_s: float = 1.0
    tickets_per_min: int = 700
    search_lag_s: float = 60.0
    idempotency_s: float = 7200.0
    zendesk_token: str | None = None


class Desk:
    """Hold what the three vendors keep."""

    def __init__(self, clock: Clock, *, nonce: str, time_scale: float = 1.0) -> None:
        self.clock = clock
        self.time_scale = time_scale
        self.journal = Journal(clock)
        self.board = FaultBoard(self.journal)
        self.entities = EntityIndex()
        self.ids = IdSource(nonce)
        self.alerts: Collection[Alert] = Collection(
            "alerts",
            show=self._show_alert,
            journal=self.journal,
            entities=self.entities,
            indexes={"dedup_key": lambda alert: alert.dedup_key},
        )
        self.messages: Collection[Message] = Collection(
            "messages", show=self._show_message, journal=self.journal, entities=self.entities
        )
        self.tickets: Collection[Ticket] = Collection(
            "tickets",
            show=self._show_ticket,
            journal=self.journal,
            entities=self.entities,
            indexes={"external_id": lambda ticket: ticket.external_id},
        )
        self.reset()

    def reset(self) -> None:
        """Put back roles and settings."""
        self.roles: tuple[Role, ...] = ()
        self.settings = Settings()

    def role_of(self, *keys: str | None) -> str | None:
        """Return the role that one of these keys or groups reaches."""
        return next((role.role for key in keys if key for role in self.roles if key in {role.key, role.role}), None)

    def knows_key(self, key: str) -> bool:
        """Tell whether a routing key belongs to a role."""
        return any(role.key == key for role in self.roles)

    def find_open_alert(self, routing_key: str, dedup_key: str) -> Alert | None:
        """Return the open alert of a key; keys are scoped to the routing key."""
        held = self.alerts.find("dedup_key", dedup_key)
        return next((alert for alert in held if alert.open and alert.routing_key == routing_key), None)

    def _show_alert(self, alert: Alert) -> dict[str, Any]:
        return {
            "role": self.role_of(alert.routing_key),
            "routing_key": alert.routing_key,
            "dedup_key": alert.dedup_key,
            "state": alert.state,
            "triggers": alert.triggers,
            "severity": alert.severity,
            "summary": alert.summary,
            "source": alert.source,
            "handoff": dig(alert.details, "handoff"),
            "code": dig(alert.details, "code"),
            "claimed_entity": dig(alert.details, "entity"),
            "claimed_role": dig(alert.details, "role"),
        }

    def _show_message(self, message: Message) -> dict[str, Any]:
        return {
            "channel": message.channel,
            "text": message.text,
            "role": self.role_of(*message.hook.split("/"), message.channel),
        }

    def _show_ticket(self, ticket: Ticket) -> dict[str, Any]:
        handoff, _, claimed = (ticket.external_id or "").partition(":")
        return {
            "external_id": ticket.external_id,
            "group": ticket.group,
            "role": self.role_of(ticket.group),
            "subject": ticket.subject,
            "tags": list(ticket.tags),
            "status": ticket.status,
            "priority": ticket.priority,
            "handoff": _read_field(ticket, "handoff") or handoff or None,
            "code": _read_field(ticket, "code"),
            "claimed_entity": claimed or None,
        }


def _read_field(ticket: Ticket, name: str) -> Any:
    """Return what a ticket says about itself in a custom field of this id or a tag ``name:value``."""
    for field, value in ticket.custom_fields:
        if field == name:
            return value
    tagged = (tag.partition(":")[2] for tag in ticket.tags if tag.lower().startswith(f"{name}:"))
    return next(tagged, None)
