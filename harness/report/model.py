"""The parts of a run as the surfaces show them: values only, read from run.json by `reading` and arranged by `view`."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["held", "violated", "unknown"]
Standing = Literal["held", "violated", "unknown", "accepted"]
CellStanding = Literal["held", "violated", "unknown", "accepted", "not_exercised"]

VERDICTS: tuple[Verdict, ...] = ("held", "violated", "unknown")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a fault met traffic: when (seconds), on which exchange, about whom, and what each side saw."""

    t: float | None
    where: str
    entity: str
    client_saw: str
    server_saw: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One armed fault with the receipts it left; a count is None where the run does not say."""

    id: str
    kind: str
    target: str
    receipts: int | None
    listed: tuple[Receipt, ...]
    min_receipts: int | None
    expected_receipts: int | None


@dataclass(frozen=True, slots=True)
class Gate:
    """One evidence gate: what had to be in order before anything could be judged."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation a check rests on; `t` is seconds since the experiment began."""

    what: str
    t: float | None
    exchange: str


@dataclass(frozen=True, slots=True)
class Check:
    """One judgement behind the gates, with what was declared and what was seen."""

    name: str
    verdict: Verdict
    declared: str
    observed: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened during an experiment, on its lane; times in seconds since the experiment began."""

    t: float
    lane: str
    kind: str
    label: str
    entity: str
    fault: str
    until_t: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """One wait between two attempts: what the clause allows beside what was measured, in seconds."""

    from_t: float
    to_t: float
    declared_min_s: float | None
    declared_max_s: float | None
    observed_s: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened in one experiment, ordered by time."""

    duration_s: float
    events: tuple[Event, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time of one experiment went, in seconds; None where the run does not say."""

    duration_s: float | None
    inherent_s: float | None
    integration_s: float | None
    overhead_s: float | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Why a verdict that is not held is lived with, and until which day."""

    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    One experiment with its verdict and everything that supports it.

    `rerun_of` is the id of the experiment this one repeats, `first_try` what its own first, disturbed run said.
    """

    id: str
    anchor: str
    handoff: str
    clause: str
    shape: str
    verdict: Verdict
    standing: Standing
    superseded: bool
    unknown_kind: str
    reason: str
    declared: str
    observed: str
    location: str
    faults: tuple[Fault, ...]
    gates: tuple[Gate, ...]
    checks: tuple[Check, ...]
    timing: Timing
    reproduce: str
    timeline: Timeline | None
    rerun_of: str
    first_try: str
    accepted: Accepted | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """One handoff as declared; texts are empty where the run does not say."""

    id: str
    source: str
    target: str
    protocol: str
    owner: str
    impact: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was left out, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Met:
    """One thing that was met and is declared nowhere: its kind, where, what, how often, and in which experiments."""

    kind: str
    where: str
    what: str
    count: int | None
    experiments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backoff:
    """What a clause declares of its waits, and what they looked like, both in words and production seconds."""

    clause: str
    declared: str
    observed: str


@dataclass(frozen=True, slots=True)
class Stray:
    """One order that is in no allowed state, with its story across the systems."""

    entity: str
    state: str
    story: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the orders of the run ended up; a count is None where the run does not say."""

    orders: int | None
    captured: int | None
    posted: int | None
    parked: int | None
    lost: int | None
    duplicated: int | None
    violations: tuple[Stray, ...]
    fulfilled: int | None = None
    cancelled: int | None = None
    unseen: int | None = None

    @property
    def is_clean(self) -> bool:
        """Say whether the run states that nothing was lost, doubled or left in a state that is not allowed."""
        return self.lost == 0 and self.duplicated == 0 and not self.unseen and not self.violations
