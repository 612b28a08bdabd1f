"""
The shape of stack.yaml, field by field: what pydantic validates and the JSON Schema is made from.

Rules that span fields (exactly one outcome, roles that exist) stand in rules.py, where they can be told at any place.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.core.fields import (
    Comparison,
    Day,
    Duration,
    EntityPattern,
    HostName,
    Name,
    Operations,
    PositiveDuration,
    State,
    Status,
    Text,
    Url,
    UrlPath,
    Version,
    Word,
    Words,
    Yes,
)
from harness.core.outcomes import DecidedBy, Jitter
from harness.core.stack import Channel, Effects, FailureRoute, Fake, Forbidden, Impact, Protocol
from harness.core.triggers import Condition

BARE = "<bare>"
"""Alias under which a trigger that is a bare word is validated; no YAML key anybody writes."""


def _emptied(value: Any) -> Any:
    return {} if value is True else value


def _trigger_mapping(value: Any) -> Any:
    return {BARE: value} if isinstance(value, str) else value


def _then_mapping(value: Any) -> Any:
    return {"dead_letter": {}} if value == "dead_letter" else value


def _source_mapping(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class Shape(BaseModel):
    """Hold what all mappings share: no unknown fields, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=False)


class TimeShape(Shape):
    """Divide waits in the lab."""

    scale: float = Field(default=1.0, ge=1, le=100_000, description="Waits are divided by this in the lab.")


class MatrixShape(Shape):
    """Limits of the matrix of recurrence and impact."""

    recurrence_high: float | None = Field(default=None, ge=0, description="Exceptions a week that count as high.")
    impact_high: list[Impact] = Field(default_factory=list, description="Impacts that count as high.")


class SystemShape(Shape):
    """What plays a system."""

    fake: Fake | None = Field(default=None, description="A stateful fake of this vendor.")
    wiremock: Text | None = Field(default=None, description="A folder of WireMock mappings.")
    hosts: list[HostName] = Field(
        default_factory=list, description="Host names by which programs know it, beside the vendor's usual ones."
    )


class SourceShape(Shape):
    """Where something the integration reports comes from."""

    path: UrlPath | None = None
    command: Text | None = Field(default=None, description="A command that prints the JSON.")
    python: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")] | None = Field(
        default=None, description="module:function"
    )


SourceValue = Annotated[SourceShape, BeforeValidator(_source_mapping)]


class ObserveShape(Shape):
    """What the integration reports about itself; all optional."""

    dead_letters: SourceValue | None = None
    queues: SourceValue | None = None
    breakers: SourceValue | None = None
    jobs: SourceValue | None = None
    sessions: SourceValue | None = None
    caches: SourceValue | None = None
    exceptions: SourceValue | None = None
    changes: SourceValue | None = None


class IntegrationShape(Shape):
    """The system under test: `command` starts it, or `url` says where it runs."""

    command: list[Text] | None = Field(default=None, min_length=1, description="How to start it.")
    url: Url | None = Field(default=None, description="Where it already runs.")
    image: Text | None = Field(default=None, description="Its container image.")
    health: UrlPath = Field(default="/healthz", description="Answers 2xx once it is ready.")
    webhooks: dict[str, UrlPath] = Field(default_factory=dict, description="System → path of its webhook receiver.")
    client_retries: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="System → retries its client library makes below the policy."
    )
    observe: ObserveShape = Field(default_factory=ObserveShape)
    entity: EntityPattern | None = Field(default=None, description="Regular expression whose named group is the order.")


class AcceptShape(Shape):
    """A verdict knowingly lived with."""

    clause: Text = Field(
        description="A clause as `handoff plan` lists it, such as order-to-erp/429:retry, or an experiment of it."
    )
    reason: Text
    until: Day = Field(description="The last day it is accepted.")


class RoleShape(Shape):
    """A role that decides or is alerted."""

    rotation: Text | None = Field(default=None, description="How duty changes hands, such as weekly.")
    sla: PositiveDuration | None = Field(default=None, description="How soon the role reacts.")
    channel: Channel = Field(default="pagerduty", description="Where its alerts or tickets go.")


class ResolvedWhenShape(Shape):
    """The end state that means resolved."""

    system: Text
    record: Name
    state: State = Field(
        description="`exists_once`, `in_sync` of stock levels, or the word its status has at the vendor, such as Pending Fulfillment."
    )


class TriggerShape(Shape):
    """The failures a path applies to."""

    status: Status | None = Field(default=None, description="HTTP status of the answer.")
    code: Text | None = Field(default=None, description="Error code in the answer.")
    text: Text | None = Field(default=None, description="With `code`: the answer contains this text.")
    when: Comparison | None = Field(default=None, description="A value threshold.")
    condition: Condition | None = Field(default=None, alias="<bare>")


class RetryShape(Shape):
    """The same payload again, with backoff."""

    attempts: int = Field(ge=1, le=1000, description="Every send, the first included.")
    initial: Duration = Field(description="The gap before the second send.")
    factor: float = Field(default=2.0, ge=1, le=1000, description="Each further gap is this many times longer.")
    max: PositiveDuration | None = Field(default=None, description="No gap is longer.")
    jitter: Jitter = "none"
    honour_retry_after: bool = Field(default=False, description="Wait as long as the vendor's Retry-After asks.")


class BranchShape(Shape):
    """Another way, chosen by code or value."""

    to: Word = Field(description="Name of the other way.")
    resolved_when: ResolvedWhenShape | None = None
    decided_by: DecidedBy | None = None


class DecisionShape(Shape):
    """Where a decision leads."""

    to: Word
    resolved_when: ResolvedWhenShape | None = None


class QueueShape(Shape):
    """A case for a role."""

    role: Text
    decided_by: DecidedBy | None = None
    decisions: dict[Name, DecisionShape] = Field(default_factory=dict, description="What the role can answer.")
    sla: PositiveDuration | None = Field(default=None, description="Overrides the role's own.")


class DeadLetterShape(Shape):
    """Parked until somebody replays or discards it."""

    escalate_after: int | None = Field(default=None, ge=1, le=100_000, description="Alert once so many wait.")
    to: Text | None = Field(default=None, description="The role to alert.")


class ReconcileShape(Shape):
    """Both sides compared at intervals."""

    every: PositiveDuration
    within: PositiveDuration = Field(description="Healed at the latest so long after the loss.")


class RejectShape(Shape):
    """Refused."""

    status: Status
    older_than: PositiveDuration | None = Field(
        default=None,
        description="The age from which a signature is stale, where it is dated; not divided by `time.scale`.",
    )


class RecoverShape(Shape):
    """Carries on by itself."""

    within: PositiveDuration


class ResendShape(Shape):
    """The same file or message again."""

    attempts: int = Field(default=1, ge=1, le=1000, description="Further sends.")
    after: Duration | None = Field(default=None, description="The wait before each.")


class OutcomesShape(Shape):
    """The outcomes a path or its `then` may have: one of them."""

    renew_session: Yes | None = Field(
        default=None, description="Renew the session once; `retry` says how it is sent again."
    )
    retry: RetryShape | None = None
    branch: BranchShape | None = None
    queue: QueueShape | None = None
    dead_letter: Annotated[DeadLetterShape | None, BeforeValidator(_emptied)] = None
    reconcile: ReconcileShape | None = None
    deduplicate: Yes | None = None
    reorder: Yes | None = None
    reject: RejectShape | None = None
    recover: RecoverShape | None = None
    resend: Annotated[ResendShape | None, BeforeValidator(_emptied)] = None


OUTCOMES: tuple[str, ...] = tuple(OutcomesShape.model_fields)
ATTEMPTS = ("renew_session", "retry", "resend")
"""Outcomes that may fail every time, so that something has to follow them: they lead a path and never end one."""


class PathShape(OutcomesShape):
    """One trigger and how it is resolved."""

    on: Annotated[TriggerShape, BeforeValidator(_trigger_mapping)]
    kind: Literal["business_rule"] | None = None
    decided_by: DecidedBy | None = None
    then: Annotated[OutcomesShape | None, BeforeValidator(_then_mapping)] = None


class BreakerShape(Shape):
    """Pause the handoff after failures in a row."""

    failures: int = Field(ge=1, le=1000)
    pause: PositiveDuration
    probes: int = Field(default=1, ge=1, le=100, description="Sends let through after the pause.")
    alert: Text | None = Field(default=None, description="The role to alert.")


class HandoffShape(Shape):
    """A point where one system passes work to another."""

    id: Name
    from_: Text = Field(alias="from", description="A system, or `integration`.")
    to: Text = Field(description="A system, or `integration`.")
    protocol: Protocol
    after: Words = Field(default_factory=list)
    hops: list[Text] = Field(default_factory=list)
    owner: Text | None = None
    recurrence_per_week: float | None = Field(default=None, ge=0, le=1_000_000)
    failures_route_to: FailureRoute | None = None
    impact: Impact | None = None
    operation: Operations = Field(default_factory=list, description="Names from the fake's catalogue.")
    effects: Effects = "exactly_once"
    resolved_when: ResolvedWhenShape | None = None
    within: PositiveDuration
    paths: list[PathShape] = Field(default_factory=list)
    dead_letter: Annotated[DeadLetterShape | None, BeforeValidator(_emptied)] = None
    breaker: BreakerShape | None = None


class StackShape(Shape):
    """A whole stack.yaml, version 1."""

    version: Version
    name: Name
    time: TimeShape = TimeShape()
    matrix: MatrixShape = MatrixShape()
    systems: dict[Name, SystemShape] = Field(min_length=1)
    integration: IntegrationShape
    accept: list[AcceptShape] = Field(default_factory=list)
    forbid: list[Forbidden] = Field(
        default_factory=list,
        description="What breaks a promise where it is met and declared nowhere; otherwise it is only told.",
    )
    roles: dict[Name, RoleShape] = Field(default_factory=dict)
    handoffs: list[HandoffShape] = Field(min_length=1)
