"""Faults as values, and the board they are armed on."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from fakes.kit.problems import ProblemError, build_validation_problem, invalid, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.kit.catalogue import Catalogue
    from fakes.kit.journal import Journal
    from fakes.kit.kinds import Direction

ENDED_KEPT = 10_000


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

    def meets(self, direction: Direction, operation: str | None, entity: str | None) -> bool:
        """Tell whether a call is one this fault counts."""
        return (
            self.direction == direction
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
    targets = catalogue.targets(kind.direction)
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
        operation=given.operation,
        entities=tuple(given.entities or ([given.entity] if given.entity else [])),
        attempts=tuple(sorted(set(given.attempts or []))),
        count=given.count,
        until=given.until,
        ttl_s=given.ttl_s,
    )


@dataclass(slots=True)
class Armed:
    """A fault on the board: how long it stays, what it did so far. ``ended`` is set when it leaves."""

    fault: Fault
    armed_seq: int
    deadline: float
    hits: int = 0
    seen: Counter[str | None] = field(default_factory=Counter)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None

    def describe(self) -> dict[str, Any]:
        """Return the fault as JSON, with ``armed_seq`` and ``hits``."""
        return {**self.fault.describe(), "armed_seq": self.armed_seq, "hits": self.hits}


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that acts on one call or webhook; ``ordinal`` is which matching one it was."""

    fault: Fault
    ordinal: int
    ended: asyncio.Event


class FaultBoard:
    """Hold the armed faults, decide which one acts, and write what happens to them in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._armed: dict[str, Armed] = {}
        self._ended: dict[str, Armed] = {}

    def arm(self, fault: Fault) -> Armed:
        """Put a fault on the board; raises ProblemError 409 when its id is armed, 422 when its time has passed."""
        self._sweep()
        if fault.id in self._armed:
            raise ProblemError(409, f"a fault with the id {fault.id!r} is armed")
        lifetime = fault.ttl_s
        if fault.until is not None:
            lifetime = min(lifetime, fault.until - self._journal.clock.wall())
            if lifetime <= 0:
                raise invalid("until", "lies in the past")
        seq = self._note(fault, "armed")
        armed = Armed(fault, seq, self._journal.clock.mono() + lifetime)
        self._ended.pop(fault.id, None)
        self._armed[fault.id] = armed
        armed.timer = _call_later(lifetime, self._sweep)
        return armed

    def lift(self, fault_id: str) -> Armed:
        """Take a fault off; one that ended by itself is returned as it was. Raises ProblemError 404 when never armed."""
        self._sweep()
        armed = self._armed.get(fault_id)
        if armed is not None:
            self._end(armed, "lifted")
            return armed
        if fault_id in self._ended:
            return self._ended[fault_id]
        raise ProblemError(404, f"no fault with the id {fault_id!r} was armed")

    def lift_all(self) -> list[str]:
        """Take all faults off and return their ids."""
        self._sweep()
        armed = list(self._armed.values())
        for one in armed:
            self._end(one, "lifted")
        return [one.fault.id for one in armed]

    def armed(self) -> list[Armed]:
        """Return the armed faults, the one armed first first."""
        self._sweep()
        return list(self._armed.values())

    def reset(self) -> None:
        """Forget all faults without a word in the journal."""
        for armed in self._armed.values():
            _disarm(armed)
        self._armed.clear()
        self._ended.clear()

    def hit(self, direction: Direction, operation: str | None, entity: str | None, **receipt: str) -> Hit | None:
        """
        Return the fault that acts on this call, if any, and write its ``hit`` with the receipt (exchange or webhook_id).

        Every armed fault counts the calls it matches; of those whose attempts include this one, the one armed first acts.
        """
        if not self._armed:
            return None
        self._sweep()
        acting: tuple[Armed, int] | None = None
        for armed in self._armed.values():
            if not armed.fault.meets(direction, operation, entity):
                continue
            counted_as = entity if armed.fault.entities else None
            armed.seen[counted_as] += 1
            ordinal = armed.seen[counted_as]
            if acting is None and (not armed.fault.attempts or ordinal in armed.fault.attempts):
                acting = (armed, ordinal)
        return None if acting is None else self._act(*acting, entity, receipt)

    def _act(self, armed: Armed, ordinal: int, entity: str | None, receipt: Mapping[str, str]) -> Hit:
        armed.hits += 1
        self._note(armed.fault, "hit", entity=entity, ordinal=ordinal, **receipt)
        if armed.fault.count is not None and armed.hits >= armed.fault.count:
            self._end(armed, "lifted")
        return Hit(armed.fault, ordinal, armed.ended)

    def _sweep(self) -> None:
        now = self._journal.clock.mono()
        for armed in [one for one in self._armed.values() if one.deadline <= now]:
            self._end(armed, "expired")

    def _end(self, armed: Armed, event: str) -> None:
        del self._armed[armed.fault.id]
        self._ended[armed.fault.id] = armed
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        _disarm(armed)
        self._note(armed.fault, event)

    def _note(self, fault: Fault, event: str, **more: Any) -> int:
        return self._journal.append("fault", fault=fault.id, kind=fault.kind, event=event, **more)


def _disarm(armed: Armed) -> None:
    if armed.timer is not None:
        armed.timer.cancel()
    armed.ended.set()


def _call_later(delay_s: float, action: Any) -> asyncio.TimerHandle | None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop.call_later(delay_s + 0.005, action)
