"""The desks' records as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    """A role queue: its name, the routing key or group that reaches it, and its channel."""

    role: str
    key: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; open while triggered or acknowledged. ``triggers`` counts the events that went into it."""

    id: str
    routing_key: str
    dedup_key: str
    state: str
    triggers: int
    severity: str
    summary: str
    source: str
    details: dict[str, Any]

    @property
    def open(self) -> bool:
        """Whether a trigger with its key adds to it."""
        return self.state != "resolved"


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a channel."""

    id: str
    hook: str
    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket; times are epoch seconds."""

    id: int
    subject: str
    description: str
    external_id: str | None
    group: str | None
    status: str
    priority: str | None
    type: str | None
    tags: tuple[str, ...]
    custom_fields: tuple[tuple[str, Any], ...]
    created_at: float
    updated_at: float
    comments: int = 1
