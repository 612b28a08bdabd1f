"""A stack: the systems, the integration between them, and how each handoff resolves its exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.core.outcomes import SLUGS, Branch, DeadLetter, Outcome, Queue, Renew, ResolvedWhen, Retry
from harness.core.problems import NOWHERE, Location

if TYPE_CHECKING:
    import datetime as dt

    from harness.core.regression import Regression
    from harness.core.triggers import Trigger

# What an integration may do, or meet, that no clause speaks of.
Forbidden = Literal["answer", "call", "dead_letter", "case", "alert", "reply"]
Protocol = Literal["api", "webhook", "edi_batch", "file_transfer", "manual_export"]
FailureRoute = Literal["human_inbox", "chat_channel", "retry_queue", "dead_letter"]
Impact = Literal["delayed_shipment", "inventory_error", "finance_discrepancy", "none"]
Effects = Literal["exactly_once", "at_least_once"]
Channel = Literal["pagerduty", "slack", "zendesk", "jira"]
Fake = Literal["shopify", "netsuite", "stripe", "wms"]

INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """Say by how much declared waits are divided in the lab; 1 is production speed."""

    scale: float = 1.0
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Set the limits of the score: exceptions a week, and impacts, that count as high."""

    recurrence_high: float | None = None
    impact_high: tuple[Impact, ...] = ()
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class System:
    """
    Name one system and what plays it: a stateful fake, or a folder of WireMock mappings.

    `hosts` are names by which programs know it that have an address of it baked in, beside the vendor's usual ones.
    """

    name: str
    fake: Fake | None = None
    wiremock: str | None = None
    location: Location = field(default=NOWHERE, compare=False)
    hosts: tuple[str, ...] = ()

    @property
    def is_mapped(self) -> bool:
        """Tell whether mappings play it."""
        return self.wiremock is not None


@dataclass(frozen=True, slots=True)
class Source:
    """Say where something the integration reports comes from: a path, a command or `module:function`; one is set."""

    path: str | None = None
    command: str | None = None
    python: str | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Observe:
    """List what the integration reports about itself; what is None cannot be observed."""

    dead_letters: Source | None = None
    queues: Source | None = None
    breakers: Source | None = None
    jobs: Source | None = None
    sessions: Source | None = None
    caches: Source | None = None
    exceptions: Source | None = None
    changes: Source | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Integration:
    """
    Describe the system under test: how it is started (or where it runs) and where it listens.

    `webhooks` maps a system to the path of its receiver, `client_retries` a system to the retries its client makes
    below the policy, `entity` is a regular expression with a named group that finds the order in a call.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    image: str | None = None
    health: str = "/healthz"
    webhooks: dict[str, str] = field(default_factory=dict)
    client_retries: dict[str, int] = field(default_factory=dict)
    observe: Observe = field(default_factory=Observe)
    entity: str | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Role:
    """Name a role that decides or is alerted; `sla_s` in production seconds."""

    name: str
    rotation: str | None = None
    sla_s: float | None = None
    channel: Channel = "pagerduty"
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Accept:
    """Live with the verdict of one clause, for a reason, until a day (inclusive)."""

    clause: str
    reason: str
    until: dt.date
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Pause the handoff for `pause_s` after `failures` failures in a row, alert a role, then let `probes` through."""

    failures: int
    pause_s: float
    probes: int = 1
    alert: str | None = None
    location: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """
    Resolve one kind of failure: a trigger, its leading outcome, and what follows when that is used up.

    `dead_letter` is what applies where the path ends in a dead letter: its own declaration, else the handoff's; None
    where the path does not end there.
    """

    on: Trigger
    outcome: Outcome
    then: Outcome | None = None
    dead_letter: DeadLetter | None = None
    kind: Literal["business_rule"] | None = None
    decided_by: Literal["code", "threshold", "human"] | None = None
    location: Location = field(default=NOWHERE, compare=False)

    @property
    def slug(self) -> str:
        """Return the path as it stands in ids, `<trigger>:<outcome>`; unique within its handoff."""
        return f"{self.on.slug}:{self.outcome_slug}"

    @property
    def outcome_slug(self) -> str:
        """Return the name of the leading outcome."""
        return SLUGS[type(self.outcome)]

    @property
    def retry(self) -> Retry | None:
        """Return the retry policy, also the one behind a renewed session; None where nothing is sent again."""
        if isinstance(self.outcome, Renew):
            return self.outcome.retry
        return self.outcome if isinstance(self.outcome, Retry) else None

    @property
    def ends(self) -> tuple[ResolvedWhen, ...]:
        """Return the end states its branch, or the decisions of its queue, have in place of the handoff's."""
        steps = [step for step in (self.outcome, self.then) if isinstance(step, Branch | Queue)]
        ways = [way for step in steps for way in (step.decisions if isinstance(step, Queue) else (step,))]
        return tuple(way.resolved_when for way in ways if way.resolved_when is not None)

    @property
    def queue(self) -> Queue | None:
        """Return the role queue this path leads to, if any."""
        return next((step for step in (self.outcome, self.then) if isinstance(step, Queue)), None)


@dataclass(frozen=True, slots=True)
class Handoff:
    """
    Describe one point where a system passes work to another, and how each exception there is resolved.

    `owner_location` and `operation_location` are where those stand, or the handoff where they do not.
    """

    id: str
    source: str
    target: str
    protocol: Protocol
    within_s: float
    after: tuple[str, ...] = ()
    hops: tuple[str, ...] = ()
    owner: str | None = None
    recurrence_per_week: float | None = None
    failures_route_to: FailureRoute | None = None
    impact: Impact | None = None
    operations: tuple[str, ...] = ()
    effects: Effects = "exactly_once"
    resolved_when: ResolvedWhen | None = None
    paths: tuple[Path, ...] = ()
    dead_letter: DeadLetter | None = None
    breaker: Breaker | None = None
    location: Location = field(default=NOWHERE, compare=False)
    owner_location: Location = field(default=NOWHERE, compare=False)
    operation_location: Location = field(default=NOWHERE, compare=False)

    @property
    def by_specificity(self) -> tuple[Path, ...]:
        """Return the paths in the order they are tried: the most specific trigger first."""
        return tuple(sorted(self.paths, key=lambda path: -path.on.specificity))


@dataclass(frozen=True, slots=True)
class Stack:
    """
    Hold one stack.yaml: everything declared, in the order of the file; `regressions` come from files beside it.

    `forbid` names what breaks a promise where it is met although nothing declares it.
    """

    name: str
    systems: dict[str, System]
    integration: Integration
    roles: dict[str, Role]
    handoffs: tuple[Handoff, ...]
    time: TimeSettings = field(default_factory=TimeSettings)
    matrix: Matrix = field(default_factory=Matrix)
    accept: tuple[Accept, ...] = ()
    forbid: tuple[Forbidden, ...] = ()
    regressions: tuple[Regression, ...] = ()
    version: int = 1
    file: str = ""

    def handoff(self, handoff_id: str) -> Handoff:
        """Return the handoff of this id; raise KeyError when there is none."""
        for handoff in self.handoffs:
            if handoff.id == handoff_id:
                return handoff
        raise KeyError(handoff_id)
