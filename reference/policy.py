"""What a policy consists of: resolution paths, breakers, escalations. Every duration is in production time."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from tenacity.wait import wait_base

from reference.outcomes import Kind


@dataclass(frozen=True, slots=True)
class RetryPath:
    """
    How often one failing item is sent in all, and the wait after each failure; then it becomes a dead letter.

    With `honour_retry_after` the wait is never shorter than the one the vendor asked for.
    """

    attempts: int
    wait: wait_base
    honour_retry_after: bool = False


class Way(Enum):
    """What a decision leads to."""

    CONTINUE = "continue"
    PICKUP_POINT = "pickup-point"
    CANCEL_AND_REFUND = "cancel-and-refund"


@dataclass(frozen=True, slots=True)
class QueuePath:
    """To whom an item goes that a person has to decide about, and where each decision leads; `sla_s` is what is promised for it."""

    role: str
    sla_s: float
    decisions: Mapping[str, Way]


@dataclass(frozen=True, slots=True)
class Threshold:
    """The value above which an item is decided about before anything is sent. Amounts of another currency are not compared."""

    above: Decimal
    currency: str
    queue: QueuePath

    def is_exceeded(self, amount: Decimal, currency: str) -> bool:
        """Tell whether an amount, in major units, is above it."""
        return currency == self.currency and amount > self.above


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """
    When a handoff is paused: after `failures` in a row on the wire, for `pause_s`, until one of `probes` succeeds.

    `role` is alerted when it opens.
    """

    failures: int
    pause_s: float
    probes: int
    role: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """
    When dead letters are brought to a role: once the handoff holds `after` unresolved ones, once until it holds none.

    `codes` narrows it to dead letters with these codes. With `each`, every further dead letter triggers the same alert
    again, so that the role sees it, under the same deduplication key.
    """

    name: str
    role: str
    after: int
    codes: frozenset[str] = frozenset()
    each: bool = False


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """How an inbound handoff treats what it cannot use."""

    handoff: str
    escalations: tuple[Escalation, ...]

    def roles(self) -> set[str]:
        """Return every role it may alert."""
        return {escalation.role for escalation in self.escalations}


@dataclass(frozen=True, slots=True)
class HandoffPolicy:
    """
    How an outbound handoff sends: by how many workers, with which patience, and what it does about each kind of failure.

    A kind without a path of its own takes that of `Kind.OTHER`.
    """

    handoff: str
    workers: int
    timeout_s: float
    paths: Mapping[Kind, RetryPath | QueuePath]
    escalations: tuple[Escalation, ...]
    breaker: BreakerPolicy | None = None
    threshold: Threshold | None = None

    def path(self, kind: Kind) -> RetryPath | QueuePath:
        """Return the path of a failure of this kind."""
        return self.paths.get(kind, self.paths[Kind.OTHER])

    def queues(self) -> tuple[QueuePath, ...]:
        """Return the role queues it may send items to."""
        held = tuple(path for path in self.paths.values() if isinstance(path, QueuePath))
        return (*held, self.threshold.queue) if self.threshold else held

    def roles(self) -> set[str]:
        """Return every role it may alert; role queues get tickets, which need no key."""
        alerted = {escalation.role for escalation in self.escalations}
        return alerted | ({self.breaker.role} if self.breaker else set())


@dataclass(frozen=True, slots=True)
class ReconcilePolicy:
    """
    How what no webhook brought is looked for, or what has changed.

    `overlap_s` and `lookback_s` are subtracted from time stamps of the vendor's data, so they are never scaled.
    """

    name: str
    handoff: str
    every_s: float
    expected_s: float
    hold_s: float
    timeout_s: float
    page_size: int = 250
    overlap_s: float = 120.0
    lookback_s: float = 86_400.0
    throttled_tries: int = 5
