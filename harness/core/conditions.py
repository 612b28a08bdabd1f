"""
What the driver can wait for: conditions over a history.

Each is met or not by what was recorded alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.core.ends import EndState
    from harness.core.history import History


class Condition(Protocol):
    """Something that can be true of a history."""

    def is_met(self, history: History, since: float) -> bool:
        """Tell whether it is true; `since` is when the wait began."""

    def __str__(self) -> str:
        """Say it in words that complete 'wait until …'."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Each of the orders has reached an end state."""

    end: EndState
    orders: tuple[int, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Look for at least one record an order that is in the state."""
        return all(self.end.find(history, order) for order in self.orders)

    def __str__(self) -> str:
        """Name the record and the orders."""
        return f"{_orders(self.orders)} in {self.end}"


@dataclass(frozen=True, slots=True)
class Attempted:
    """So many calls of these operations have ended: of one order, or of all."""

    operations: tuple[str, ...]
    count: int
    order: int | None = None

    def is_met(self, history: History, since: float) -> bool:
        """Count the calls on the wire."""
        return len(history.attempts(self.operations, self.order)) >= self.count

    def __str__(self) -> str:
        """Name the count."""
        whose = f" of order {self.order}" if self.order else ""
        return f"{self.count} attempts{whose}"


@dataclass(frozen=True, slots=True)
class Failed:
    """So many calls of these operations have failed in a way a breaker counts."""

    operations: tuple[str, ...]
    count: int

    def is_met(self, history: History, since: float) -> bool:
        """Count the failures on the wire."""
        return sum(call.counts_for_breaker for call in history.attempts(self.operations)) >= self.count

    def __str__(self) -> str:
        """Name the count."""
        return f"{self.count} failures"


@dataclass(frozen=True, slots=True)
class CalledSince:
    """A call of these operations has ended that began after the wait did."""

    operations: tuple[str, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Look for a later call."""
        return any(call.started >= since for call in history.attempts(self.operations))

    def __str__(self) -> str:
        """Name the operations."""
        return f"a call of {' or '.join(self.operations)}"


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """Each of the orders is in the handoff's dead letters."""

    handoff: str
    orders: tuple[int, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Ask the observed dead letters."""
        return all(history.dead_letters(self.handoff, order) for order in self.orders)

    def __str__(self) -> str:
        """Name the orders."""
        return f"{_orders(self.orders)} in the dead letters of {self.handoff}"


@dataclass(frozen=True, slots=True)
class Queued:
    """A role-queue case is open for each of the orders."""

    handoff: str
    orders: tuple[int, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Ask the observed role queues."""
        return all(history.cases(self.handoff, order) for order in self.orders)

    def __str__(self) -> str:
        """Name the orders."""
        return f"{_orders(self.orders)} in a role queue of {self.handoff}"


@dataclass(frozen=True, slots=True)
class PayloadDeadLettered:
    """A dead letter of the handoff holds the payload of each delivery of the orders' webhooks."""

    handoff: str
    order: int
    topics: tuple[str, ...] = ()

    def is_met(self, history: History, since: float) -> bool:
        """Match by the hash of the payload, since a malformed one may not say whose it is."""
        sent = {delivery.body_sha256 for delivery in history.sent_by(self.order, self.topics)}
        return any(item.get("payload_sha256") in sent for item in history.dead_letters(self.handoff))

    def __str__(self) -> str:
        """Name the order."""
        return f"the webhook of order {self.order} in the dead letters of {self.handoff}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """No dead letter of the order waits any more."""

    handoff: str
    order: int

    def is_met(self, history: History, since: float) -> bool:
        """Look at the newest observation."""
        return not history.waiting(self.handoff, self.order)

    def __str__(self) -> str:
        """Name the order."""
        return f"the dead letter of order {self.order} replayed"


@dataclass(frozen=True, slots=True)
class Alerted:
    """So many distinct alerts about a handoff stand at the ops desk."""

    handoff: str
    count: int = 1

    def is_met(self, history: History, since: float) -> bool:
        """Count them."""
        return sum(alert.handoff == self.handoff for alert in history.alerts) >= self.count

    def __str__(self) -> str:
        """Name the handoff."""
        return f"{self.count} alerts about {self.handoff}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """So many webhook deliveries about an order have ended, of these topics if any; only those answered 2xx when `acked`."""

    order: int
    count: int = 1
    acked: bool = True
    topics: tuple[str, ...] = ()

    def is_met(self, history: History, since: float) -> bool:
        """Count the attempts of the sender."""
        ended = history.sent_by(self.order, self.topics)
        if self.acked:
            ended = tuple(sent for sent in ended if sent.status is not None and 200 <= sent.status < 300)
        return len(ended) >= self.count

    def __str__(self) -> str:
        """Name the count."""
        return f"{self.count} deliveries of order {self.order}"


@dataclass(frozen=True, slots=True)
class Received:
    """A fault has left so many receipts."""

    fault: str
    count: int = 1

    def is_met(self, history: History, since: float) -> bool:
        """Count them."""
        return len(history.hits(self.fault)) >= self.count

    def __str__(self) -> str:
        """Name the fault."""
        return f"{self.count} receipts of {self.fault}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several."""

    conditions: tuple[Condition, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Ask each."""
        return any(condition.is_met(history, since) for condition in self.conditions)

    def __str__(self) -> str:
        """Join them."""
        return " or ".join(str(condition) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of several."""

    conditions: tuple[Condition, ...]

    def is_met(self, history: History, since: float) -> bool:
        """Ask each."""
        return all(condition.is_met(history, since) for condition in self.conditions)

    def __str__(self) -> str:
        """Join them."""
        return " and ".join(str(condition) for condition in self.conditions)


def _orders(ordinals: tuple[int, ...]) -> str:
    if len(ordinals) == 1:
        return f"order {ordinals[0]}"
    return f"orders {', '.join(map(str, ordinals))}"
