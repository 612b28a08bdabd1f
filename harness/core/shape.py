"""
The shape of stack.yaml, field by field: what pydantic validates and the JSON Schema is made from.

Rules that span fields (exactly one outcome, roles that exist) stand in rules.py, where they can be told at any place.
"""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.core.durations import PATTERN, POSITIVE_PATTERN, nearest_duration, parse_duration
from harness.core.outcomes import DecidedBy, Jitter
from harness.core.stack import Channel, Effects, FailureRoute, Fake, Forbidden, Impact, Protocol
from harness.core.triggers import THRESHOLD_PATTERN, Condition, parse_threshold

BARE = "<bare>"
"""Alias under which a trigger that is a bare word is validated; no YAML key anybody writes."""


DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _read_duration(value: Any) -> float:
    if not isinstance(value, str):
        guess = f"{value}s" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise _wrong("duration", f"{_kind(value)} is not a duration (a number and ms, s, m or h)", guess)
    try:
        return parse_duration(value)
    except ValueError as error:
        near = nearest_duration(value)
        raise _wrong("duration", str(error), "" if near == value else near) from error


def _read_positive_duration(value: Any) -> float:
    seconds = _read_duration(value)
    if seconds <= 0:
        raise _wrong("duration", f"the duration `{value}` must be longer than nothing", "")
    return seconds


def _read_threshold(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("threshold", f"{_kind(value)} is not a comparison such as `amount > 500.00 EUR`", "")
    try:
        parse_threshold(value)
    except ValueError as error:
        raise _wrong("threshold", str(error), "") from error
    return value


def _read_version(value: Any) -> Any:
    # Python takes true for 1.
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 1", {"expected": "1"})
    return value


def _read_date(value: Any) -> dt.date:
    # ISO 8601 has more ways to write a day than editors and people read.
    written = value if isinstance(value, str) and re.fullmatch(DAY_PATTERN, value) else ""
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        raise _wrong("date", f"`{str(value)[:60]}` is not a day such as 2027-03-31", "") from error


def _read_entity(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("entity", f"{_kind(value)} is not a regular expression", "")
    try:
        groups = re.compile(value).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong("entity", f"not a regular expression: {error}", "") from error
    if not groups:
        raise _wrong("entity", "the regular expression has no named group, such as `(?P<order>[0-9]+)`", "")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _emptied(value: Any) -> Any:
    return {} if value is True else value


def _trigger_mapping(value: Any) -> Any:
    return {BARE: value} if isinstance(value, str) else value


def _then_mapping(value: Any) -> Any:
    return {"dead_letter": {}} if value == "dead_letter" else value


def _source_mapping(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _wrong(kind: str, message: str, suggestion: str) -> PydanticCustomError:
    return PydanticCustomError("bad_value", "{message}", {"message": message, "kind": kind, "suggestion": suggestion})


def _kind(value: Any) -> str:
    names = {bool: "true or false", type(None): "nothing", list: "a list", dict: "a mapping"}
    return names.get(type(value), f"`{str(value)[:60]}`")


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["250ms", "4s", "10m", "1h"]})
_POSITIVE_SCHEMA = WithJsonSchema({"type": "string", "pattern": POSITIVE_PATTERN, "examples": ["250ms", "4s", "10m"]})
Duration = Annotated[float, BeforeValidator(_read_duration), _DURATION_SCHEMA]
PositiveDuration = Annotated[float, BeforeValidator(_read_positive_duration), _POSITIVE_SCHEMA]
Day = Annotated[
    dt.date,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN, "examples": ["2027-03-31"]}),
]
Comparison = Annotated[
    str,
    BeforeValidator(_read_threshold),
    WithJsonSchema({"type": "string", "pattern": THRESHOLD_PATTERN, "examples": ["amount > 500.00 EUR"]}),
]
EntityPattern = Annotated[
    str,
    BeforeValidator(_read_entity),
    WithJsonSchema({"type": "string", "pattern": r"\(\?P<", "examples": ["order-(?P<order>[0-9]+)"]}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]*$", max_length=80)]
State = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./ -]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
PATH_PATTERN = r"^/[^\s]*$"
UrlPath = Annotated[str, Field(pattern=PATH_PATTERN, max_length=500)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+", max_length=500)]
OperationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$", max_length=100)]
Operations = Annotated[
    list[OperationName],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$"},
                {"type": "array", "items": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*([./][a-z0-9_]+)*$"}},
            ]
        }
    ),
]
Status = Annotated[int, Field(ge=100, le=599)]
Yes = Literal[True]


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


HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", max_length=253)
]


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
    after: Annotated[list[Text], BeforeValidator(_listed)] = Field(default_factory=list)
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

    version: Annotated[Literal[1], BeforeValidator(_read_version)]
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
