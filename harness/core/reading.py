"""Single entries of a record as values of a history: with times of the experiment, and ordinals of the plan for orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.history import Action, Alert, Change, Delivery, Exchange, Observation, Order
from harness.core.names import TOKEN, Names

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from harness.core.faults import Fault
    from harness.core.witnesses import Pair

    Data = Mapping[str, Any]

# The faults after which a 2xx is worth nothing: it cannot be understood, or nothing was written.
WORTHLESS = frozenset({"malformed", "not_persisted", "malformed_chunk", "random_then_close"})
CHANNELS = {"alerts": "pagerduty", "messages": "slack", "tickets": "zendesk"}


@dataclass(frozen=True, slots=True)
class Scope:
    """
    What is needed beside the entries: when the experiment began and stood (monotonic), its faults, what can be asked.

    `entity` finds the order in a reference by its first named group, where the stack says how.
    """

    origin: float
    now: float
    faults: tuple[Fault, ...] = ()
    observable: frozenset[str] = frozenset()
    entity: re.Pattern[str] | None = None


def read_fault_id(armed: str) -> str:
    """Return the plan's id of a fault from the id it was armed under (`<experiment>#<fault>~<part>`)."""
    return armed.rsplit("#", 1)[-1].split("~", 1)[0]


def read_order(data: Data) -> Order:
    """Read the driver's entry of an order that was reserved."""
    # References are searched by whole tokens: an alias that is more than one would never be found in them.
    further = frozenset(filter(TOKEN.fullmatch, data.get("aliases", ())))
    return Order(data["ordinal"], data["name"], data["id"], data["number"], further)


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns entries into values."""

    scope: Scope
    names: Names
    garbling: frozenset[str]
    found: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope, orders: tuple[Order, ...]) -> Reader:
        """Make the reader of an experiment that is about these orders."""
        return cls(scope, Names(orders), frozenset(fault.id for fault in scope.faults if fault.kind in WORTHLESS))

    def at(self, mono: float) -> float:
        """Return a time of the monotonic clock in seconds since the experiment began."""
        return mono - self.scope.origin

    def is_inside(self, pair: Pair) -> bool:
        """Tell whether a call belongs to this experiment: calls past the tap do not, they are disagreements."""
        return (pair.tap is not None and pair.tap["started_mono"] >= self.scope.origin) or (
            pair.tap is None and pair.fake is not None and pair.fake.get("sent_mono", 0.0) >= self.scope.origin
        )

    def find(self, *names: object) -> int | None:
        """Find the order that one of the texts names."""
        for name in names:
            text = str(name or "")
            # The same few references stand in hundreds of entries.
            if text not in self.found:
                self.found[text] = self.names.find_first(self._narrow(text))
            if self.found[text] is not None:
                return self.found[text]
        return None

    def _narrow(self, text: str) -> str:
        """Return the part of a reference that names the order, where the stack says which it is."""
        match = self.scope.entity.search(text) if self.scope.entity is not None else None
        if match is None:
            return text
        return next((part for part in match.groupdict().values() if part), text)

    def read_exchange(self, pair: Pair) -> Exchange:
        """Read a call from what both witnesses wrote of it."""
        tap, fake = pair.tap or {}, pair.fake or {}
        faults = [read_fault_id(name) for name in fake.get("faults", ())]
        rule = read_fault_id(tap["rule"]) if tap.get("rule") else None
        return Exchange(
            id=tap["id"],
            system=tap["system"],
            operation=tap.get("operation") or fake.get("operation"),
            order=None
            if fake.get("shared")
            else self.find(fake.get("entity"), fake.get("key"), tap.get("entity"), tap["path"]),
            started=self.at(tap["started_mono"]),
            ended=self.at(tap["ended_mono"]),
            status=tap["status"],
            end=tap["end"],
            entity=fake.get("entity") or tap.get("entity"),
            key=fake.get("key"),
            method=tap["method"] or "",
            path=tap["path"] or "",
            # What was cut off before it was whole is nobody's payload.
            body_sha256=tap["request_sha256"] if tap.get("request_mono", 0.0) is not None else "",
            code=fake.get("code"),
            server_status=fake.get("status"),
            shared=bool(fake.get("shared")),
            garbled=not self.garbling.isdisjoint(faults),
            faults=tuple([*faults, rule] if rule else faults),
            rule=rule,
            fake=pair.fake is not None,
        )

    def read_delivery(self, data: Data) -> Delivery:
        """Read one attempt to deliver a webhook."""
        return Delivery(
            topic=data["topic"],
            webhook_id=data["webhook_id"],
            order=self.find(data.get("entity")),
            attempt=data["attempt"],
            started=self.at(data["sent_mono"]),
            ended=self.at(data["ended_mono"]),
            status=data["status"],
            outcome=data["outcome"],
            body_sha256=data["body_sha256"],
            faults=tuple(read_fault_id(name) for name in data.get("faults", ())),
        )

    def read_change(self, source: str, data: Data) -> Change:
        """Read a change that a system made to one of its records."""
        record = data.get("record") or {}
        return Change(
            t=self.at(data["mono"]),
            system=source,
            collection=data["collection"],
            record_id=str(data["record_id"]),
            order=self.find(data.get("entity"), record.get("external_id")),
            action=data["action"],
            record=record,
            entity=data.get("entity"),
        )

    def read_alert(self, data: Data) -> Alert:
        """Read what stands at the ops desk."""
        record = data.get("record") or {}
        return Alert(
            t=self.at(data["mono"]),
            role=record.get("role"),
            handoff=record.get("handoff"),
            entity=record.get("entity") or data.get("entity"),
            code=record.get("code"),
            key=str(record.get("dedup_key") or record.get("external_id") or data["record_id"]),
            channel=CHANNELS.get(data["collection"], ""),
        )

    def read_observation(self, data: Data) -> Observation:
        """Read what the integration showed."""
        return Observation(self.at(data["mono"]), data["what"], tuple(data.get("items", ())), data.get("error"))

    def read_action(self, data: Data) -> Action:
        """Read what the driver did."""
        return Action(
            t=self.at(data["began_mono"]),
            until=self.at(data["until_mono"]),
            what=data["what"],
            kind=data["kind"],
            met=data.get("met", True),
            orders=tuple(data.get("orders", ())),
        )
