"""Outcomes: what a resolution path does about a failure. Durations are production seconds, unscaled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from harness.core.problems import NOWHERE, Location

Jitter = Literal["none", "full", "equal", "decorrelated"]
DecidedBy = Literal["code", "threshold", "human"]


@dataclass(frozen=True, slots=True)
class ResolvedWhen:
    """Name the end state that means resolved: this record of that system is in this state."""

    system: str
    record: str
    state: str
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Send the same payload again, at most `attempts` times in all, the first send included.

    The gap before send n+1 is `initial_s * factor ** (n - 1)`, never above `max_s`, before jitter.
    """

    attempts: int
    initial_s: float = 0.0
    factor: float = 2.0
    max_s: float | None = None
    jitter: Jitter = "none"
    honour_retry_after: bool = False
    location: Location = field(default=NOWHERE, compare=False)

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """Return the longest declared gap before each further send; with decorrelated jitter each may be thrice the last."""
        factor = 3.0 if self.jitter == "decorrelated" else self.factor
        ceiling = float("inf") if self.max_s is None else self.max_s
        gaps: list[float] = []
        for _ in range(self.attempts - 1):
            gaps.append(min(ceiling, gaps[-1] * factor if gaps else self.initial_s))
        return tuple(gaps)

    @property
    def budget_s(self) -> float:
        """Return the longest time all declared gaps take together."""
        return sum(self.gaps_s)


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the session once, then send again under `retry`."""

    retry: Retry
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """Take another way, by the code or value that is known; `resolved_when` overrides the handoff's end state."""

    to: str
    resolved_when: ResolvedWhen | None = None
    decided_by: DecidedBy | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """Name one decision a role can take and where it leads."""

    name: str
    to: str
    resolved_when: ResolvedWhen | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Queue:
    """Open a case for a role; `sla_s` overrides the role's own, `decisions` is what the role can answer."""

    role: str
    decisions: tuple[Decision, ...] = ()
    decided_by: DecidedBy | None = None
    sla_s: float | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Park the payload; once `escalate_after` unresolved ones wait at the handoff, alert the role `to`, once an episode."""

    escalate_after: int | None = None
    to: str | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Compare both sides every `every_s` and heal the difference within `within_s`."""

    every_s: float
    within_s: float
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Deduplicate:
    """Have every effect exactly once however often the message comes."""

    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reorder:
    """Reach the same end state whatever the order of messages."""

    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reject:
    """
    Refuse with this HTTP status and change nothing anywhere.

    `older_than_s` is the age from which a signature is refused, on the wall's clock: no scale shortens it.
    """

    status: int
    older_than_s: float | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Recover:
    """Carry on by itself, with nothing lost, within `within_s` after the cause has gone."""

    within_s: float
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the same file or message again after `after_s`, at most `attempts` further times."""

    attempts: int = 1
    after_s: float | None = None
    location: Location = field(default=NOWHERE, compare=False)


Outcome: TypeAlias = (
    Retry | Renew | Branch | Queue | DeadLetter | Reconcile | Deduplicate | Reorder | Reject | Recover | Resend
)

SLUGS: dict[type[Outcome], str] = {
    Retry: "retry",
    Renew: "renew_session",
    Branch: "branch",
    Queue: "queue",
    DeadLetter: "dead_letter",
    Reconcile: "reconcile",
    Deduplicate: "deduplicate",
    Reorder: "reorder",
    Reject: "reject",
    Recover: "recover",
    Resend: "resend",
}
