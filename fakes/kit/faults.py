"""Faults as values: what one does, to which calls, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from fakes.kit.kinds import REMOVAL
from fakes.kit.problems import build_validation_problem, invalid, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.kit.catalogue import Catalogue
    from fakes.kit.kinds import Direction


class FaultBody(BaseModel):
    """A fault as it comes in at the control plane."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: str = Field(min_length=1, max_length=200)
    kind: str
    operation: str | None = None
    entity: str | None = Field(None, min_length=1)
    entities: list[str] | None = Field(None, min_length=1)
    attempts: list[PositiveInt] | None = Field(None, min_length=1)
    count: PositiveInt | None = None
    until: float | None = None
    ttl_s: float = Field(60.0, gt=0, le=3600)
    params: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as armed: what it does, to which calls, for how long."""

    id: str
    kind: str
    direction: Direction
    params: Mapping[str, Any]
    operation: str | None = None
    entities: tuple[str, ...] = ()
    attempts: tuple[int, ...] = ()
    count: int | None = None
    until: float | None = None
    ttl_s: float = 60.0

    def describe(self) -> dict[str, Any]:
        """Return the fault as JSON; what was not given is left out."""
        shown: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "direction": self.direction,
            "params": dict(self.params),
        }
        optional = {
            "operation": self.operation,
            "entities": list(self.entities),
            "attempts": list(self.attempts),
            "count": self.count,
            "until": self.until,
        }
        return {**shown, **{name: value for name, value in optional.items() if value}, "ttl_s": self.ttl_s}

    def meets(self, direction: Direction, operation: str | None, entity: str | None, *, removed: bool = False) -> bool:
        """Tell whether a call is one this fault counts; what nobody subscribes to any more is met by removals alone."""
        return (
            self.direction == direction
            and (self.kind == REMOVAL) == removed
            and self.operation in (None, operation)
            and (not self.entities or entity in self.entities)
        )


def build_fault(body: Mapping[str, Any], catalogue: Catalogue) -> Fault:
    """Validate a fault against what the vendor can do; raises ProblemError with located errors."""
    try:
        given = FaultBody.model_validate(body)
    except ValidationError as error:
        raise build_validation_problem(error) from error
    kind = catalogue.kind(given.kind)
    if kind is None:
        raise unknown("kind", given.kind, (k.kind for k in catalogue.kinds))
    try:
        params = kind.params.model_validate(given.params)
    except ValidationError as error:
        raise build_validation_problem(error, prefix="params") from error
    targets = (kind.operation,) if kind.operation else catalogue.targets(kind.direction)
    if given.operation is not None and given.operation not in targets:
        raise unknown("operation", given.operation, targets)
    code = params.model_dump().get("code")
    if code is not None and not catalogue.open_codes and catalogue.code(code) is None:
        raise unknown("params.code", code, (known.code for known in catalogue.codes))
    after_topic = params.model_dump().get("after_topic")
    if after_topic is not None and after_topic not in catalogue.topics:
        raise unknown("params.after_topic", after_topic, catalogue.topics)
    if given.entity is not None and given.entities is not None:
        raise invalid("entities", "give entity or entities, not both")
    return Fault(
        id=given.id,
        kind=given.kind,
        direction=kind.direction,
        params=params.model_dump(),
        operation=given.operation or kind.operation,
        entities=tuple(given.entities or ([given.entity] if given.entity else [])),
        attempts=tuple(sorted(set(given.attempts or []))),
        count=given.count,
        until=given.until,
        ttl_s=given.ttl_s,
    )
