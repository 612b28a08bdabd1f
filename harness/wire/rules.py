"""Rules: which exchanges of a listener go to another upstream."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from harness.wire.matching import EntityFinder

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSE: Final = "refuse"
DEFAULT_TTL_S: Final = 60.0
LONGEST_TTL_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Send the matching exchanges of a listener to `upstream` (`host:port`), or reset the client where it is `refuse`.

    `operation` limits it to one operation, `entities` (tokens by order name) to calls that name one of these orders. `attempts`
    lists which matching exchanges it takes, from 1, counted for each entity apart; None takes all. It lifts itself after `ttl_s`.
    """

    id: str
    listener: str
    upstream: str
    operation: str | None = None
    entities: Mapping[str, tuple[str, ...]] | None = None
    attempts: tuple[int, ...] | None = None
    ttl_s: float = DEFAULT_TTL_S

    def as_body(self) -> dict[str, Any]:
        """Return the rule as JSON values, without what is not set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Call:
    """What a rule looks at: the operation, the target, and the body as far as it was kept."""

    operation: str | None
    target: bytes
    body: bytes | bytearray


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules made of an exchange: the rule that takes it and its ordinal there, and the entity any of them saw."""

    rule: Rule | None = None
    ordinal: int | None = None
    entity: str | None = None


NO_CHOICE: Final = Choice()
OPAQUE_CALL: Final = Call(None, b"", b"")


@dataclass(slots=True, eq=False)
class ArmedRule:
    """A rule at work: how many exchanges matched it so far, for each entity, and how many it took."""

    rule: Rule
    hits: int = 0
    _matched: Counter[str | None] = field(default_factory=Counter)
    _finder: EntityFinder | None = None

    def __post_init__(self) -> None:
        if self.rule.entities is not None:
            self._finder = EntityFinder(self.rule.entities)

    def view(self) -> dict[str, Any]:
        """Return the rule as the control plane shows it."""
        return {**self.rule.as_body(), "hits": self.hits}

    def needs_body(self, call: Call) -> bool:
        """Say whether only the body can tell if a call matches."""
        return self._finder is not None and self._fits(call.operation) and self._finder.find(call.target) is None

    def count(self, call: Call) -> tuple[int, str | None] | None:
        """Count a call if it matches, and return its ordinal and entity."""
        if not self._fits(call.operation):
            return None
        entity = None
        if self._finder is not None:
            entity = self._finder.find(call.target, call.body)
            if entity is None:
                return None
        self._matched[entity] += 1
        return self._matched[entity], entity

    def takes(self, ordinal: int) -> bool:
        """Say whether the rule wants the matching exchange of that ordinal."""
        return self.rule.attempts is None or ordinal in self.rule.attempts

    def _fits(self, operation: str | None) -> bool:
        return self.rule.operation is None or self.rule.operation == operation


def choose(rules: list[ArmedRule], call: Call) -> Choice:
    """Let the rules, in the order they were armed, see a call: each counts it, the first that wants it takes it."""
    chosen: Choice | None = None
    seen: str | None = None
    for armed in rules:
        counted = armed.count(call)
        if counted is None:
            continue
        ordinal, entity = counted
        seen = seen or entity
        if chosen is None and armed.takes(ordinal):
            armed.hits += 1
            chosen = Choice(armed.rule, ordinal, entity)
    return chosen or Choice(entity=seen)
