"""
The raw record of an experiment and the history it makes.

A record is what the journals and the driver wrote, unchanged, each entry with its source; it is what `history.ndjson`
holds. The history is a pure function of it, so a run can be judged again without running anything.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.faults import Layer
from harness.core.history import (
    Action,
    Alert,
    Change,
    Delivery,
    Exchange,
    History,
    Observation,
    Order,
    Receipt,
    Trouble,
)
from harness.core.names import TOKEN, Names
from harness.core.verdict import UnknownKind
from harness.core.witnesses import Pair, list_disagreements, pair_calls, pair_deliveries

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence

    from harness.core.faults import Fault

    Data = Mapping[str, Any]

TAP, DRIVER, OPS_DESK = "tap", "driver", "opsdesk"
# The faults after which a 2xx is worth nothing: it cannot be understood, or nothing was written.
WORTHLESS = frozenset({"malformed", "not_persisted", "malformed_chunk", "random_then_close"})
# The toxics after which a client never gets a whole answer.
CUTTING = frozenset({"reset_peer", "timeout", "limit_data"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: who wrote it, and what."""

    source: str
    data: Data


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


@dataclass(slots=True)
class _Sorted:
    """The entries of a record by what they are."""

    tap: defaultdict[tuple[str, str], list[Data]] = field(default_factory=lambda: defaultdict(list))
    fakes: defaultdict[tuple[str, str], list[Data]] = field(default_factory=lambda: defaultdict(list))
    driver: defaultdict[str, list[Data]] = field(default_factory=lambda: defaultdict(list))
    signals: list[Data] = field(default_factory=list)
    rules: list[Data] = field(default_factory=list)
    stalls: list[tuple[str, Data]] = field(default_factory=list)


def build_history(entries: Iterable[Entry], scope: Scope) -> History:
    """Build the history of one experiment; entries from before it may be among them and only help to pair."""
    by = _sort(entries)
    orders = tuple(_read_order(data) for data in by.driver["order"])
    reader = _Reader(scope, Names(orders))
    systems = sorted({system for system, _ in by.fakes} | {system for system, _ in by.tap})
    calls = {name: pair_calls(by.tap[name, "outbound"], by.fakes[name, "exchange"]) for name in systems}
    sent = {name: pair_deliveries(by.tap[name, "inbound"], by.fakes[name, "delivery"]) for name in systems}
    exchanges = [reader.read_exchange(pair) for pairs in calls.values() for pair in pairs if reader.is_inside(pair)]
    deliveries = [
        reader.read_delivery(pair.fake)
        for pairs in sent.values()
        for pair in pairs
        if pair.fake and reader.is_inside(pair)
    ]
    deliveries += [
        reader.read_delivery(data)
        for name in systems
        for data in by.fakes[name, "delivery"]
        if data["outcome"] == "suppressed" and data["sent_mono"] >= scope.origin
    ]
    exchanges.sort(key=lambda exchange: exchange.started)
    deliveries.sort(key=lambda delivery: delivery.started)
    pairs = [pair for found in (*calls.values(), *sent.values()) for pair in found]
    return History(
        now=scope.now - scope.origin,
        orders=orders,
        exchanges=tuple(exchanges),
        deliveries=tuple(deliveries),
        changes=tuple(reader.read_changes(by)),
        alerts=tuple(reader.read_alerts(by)),
        observations=tuple(reader.read_observation(data) for data in by.driver["observation"]),
        receipts=tuple(reader.read_receipts(by, exchanges, deliveries)),
        actions=tuple(reader.read_action(data) for data in by.driver["action"]),
        troubles=tuple(reader.read_troubles(by)),
        disagreements=list_disagreements(pairs, since=scope.origin),
        disturbance_s=max((data["seconds"] for data in by.driver["disturbance"]), default=0.0),
        bystanders=frozenset(token for data in by.driver["bystanders"] for token in data["tokens"]),
        observable=scope.observable,
    )


def read_fault_id(armed: str) -> str:
    """Return the plan's id of a fault from the id it was armed under (`<experiment>#<fault>~<part>`)."""
    return armed.rsplit("#", 1)[-1].split("~", 1)[0]


def _read_order(data: Data) -> Order:
    # References are searched by whole tokens: an alias that is more than one would never be found in them.
    further = frozenset(filter(TOKEN.fullmatch, data.get("aliases", ())))
    return Order(data["ordinal"], data["name"], data["id"], data["number"], further)


def _sort(entries: Iterable[Entry]) -> _Sorted:
    by = _Sorted()
    for entry in entries:
        kind = str(entry.data["type"])
        if kind == "stall":
            by.stalls.append((entry.source, entry.data))
        elif entry.source == TAP and kind == "exchange":
            by.tap[entry.data["system"], entry.data["direction"]].append(entry.data)
        elif entry.source == TAP and kind == "signal":
            by.signals.append(entry.data)
        elif entry.source == TAP and kind == "rule":
            by.rules.append(entry.data)
        elif entry.source == DRIVER:
            by.driver[kind].append(entry.data)
        elif entry.source != TAP:
            by.fakes[entry.source, kind].append(entry.data)
    return by


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turn entries into values with times of the experiment and ordinals of the plan."""

    scope: Scope
    names: Names
    found: dict[str, int | None] = field(default_factory=dict)

    def at(self, mono: float) -> float:
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
        tap, fake = pair.tap or {}, pair.fake or {}
        faults = [read_fault_id(name) for name in fake.get("faults", ())]
        rule = read_fault_id(tap["rule"]) if tap.get("rule") else None
        garbling = {fault.id for fault in self.scope.faults if fault.kind in WORTHLESS}
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
            garbled=not garbling.isdisjoint(faults),
            faults=tuple([*faults, rule] if rule else faults),
            rule=rule,
            fake=pair.fake is not None,
        )

    def read_delivery(self, data: Data) -> Delivery:
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

    def read_changes(self, by: _Sorted) -> Iterable[Change]:
        found = [(source, data) for (source, kind), entries in by.fakes.items() if kind == "change" for data in entries]
        for source, data in sorted(found, key=lambda pair: pair[1]["mono"]):
            if data["mono"] >= self.scope.origin and source != OPS_DESK:
                record = data.get("record") or {}
                order = self.find(data.get("entity"), record.get("external_id"))
                yield Change(
                    self.at(data["mono"]),
                    source,
                    data["collection"],
                    str(data["record_id"]),
                    order,
                    data["action"],
                    record,
                    data.get("entity"),
                )

    def read_alerts(self, by: _Sorted) -> Iterable[Alert]:
        for data in by.fakes[OPS_DESK, "change"]:
            if data["mono"] < self.scope.origin or data["action"] != "created":
                continue
            record = data.get("record") or {}
            yield Alert(
                t=self.at(data["mono"]),
                role=record.get("role"),
                handoff=record.get("handoff"),
                entity=record.get("entity") or data.get("entity"),
                code=record.get("code"),
                key=str(record.get("dedup_key") or record.get("external_id") or data["record_id"]),
                channel={"alerts": "pagerduty", "messages": "slack", "tickets": "zendesk"}.get(data["collection"], ""),
            )

    def read_observation(self, data: Data) -> Observation:
        return Observation(self.at(data["mono"]), data["what"], tuple(data.get("items", ())), data.get("error"))

    def read_action(self, data: Data) -> Action:
        return Action(
            t=self.at(data["began_mono"]),
            until=self.at(data["until_mono"]),
            what=data["what"],
            kind=data["kind"],
            met=data.get("met", True),
            orders=tuple(data.get("orders", ())),
        )

    def read_troubles(self, by: _Sorted) -> Iterable[Trouble]:
        for data in by.driver["trouble"]:
            yield Trouble(self.at(data["mono"]), data["kind"], data["what"])
        for source, data in by.stalls:
            if data["mono"] >= self.scope.origin:
                what = f"{source} was not scheduled for {data['seconds']:.2f} s"
                yield Trouble(self.at(data["mono"]), UnknownKind.INTERFERENCE, what)
        for name, mono in sorted(self._leftovers(by)):
            what = f"{name} met traffic, but was not armed in this experiment"
            yield Trouble(self.at(mono), UnknownKind.ENVIRONMENT, what)

    def _leftovers(self, by: _Sorted) -> set[tuple[str, float]]:
        """List the faults that touched this experiment's orders although an earlier one had armed them, and when."""
        armings = [data for (_, kind), entries in by.fakes.items() if kind == "fault" for data in entries] + by.rules
        armed = {
            data.get("fault") or data.get("rule")
            for data in armings
            if data["event"] == "armed" and data["mono"] >= self.scope.origin
        }
        met: list[tuple[str, Data]] = []
        for (_, kind), entries in by.fakes.items():
            if kind in {"exchange", "delivery"}:
                met += [(name, data) for data in entries for name in data.get("faults", ())]
        met += [(data["rule"], data) for entries in by.tap.values() for data in entries if data.get("rule")]
        return {
            (name, data["mono"])
            for name, data in met
            if name not in armed and data["mono"] >= self.scope.origin and self.find(data.get("entity")) is not None
        }

    def read_receipts(
        self, by: _Sorted, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]
    ) -> Iterable[Receipt]:
        for fault in self.scope.faults:
            match fault.layer:
                case Layer.VENDOR:
                    yield from (_receipt(fault, call) for call in exchanges if fault.id in call.faults)
                case Layer.WIRE if fault.params.get("refuse"):
                    yield from self._refusals(by, fault)
                case Layer.WIRE:
                    yield from (_receipt(fault, call) for call in exchanges if _was_bitten(fault, call))
                case Layer.WEBHOOK:
                    yield from (_delivered(fault, sent) for sent in deliveries if fault.id in sent.faults)
                case Layer.PROCESS:
                    yield from self._signals(by, fault)
                case Layer.ACT if fault.kind == "forge":
                    yield from (_delivered(fault, sent) for sent in deliveries if sent.order in fault.orders)
                case Layer.ACT:
                    met = (call for call in exchanges if call.system == fault.system and call.status == 401)
                    yield from (_receipt(fault, call) for call in met)

    def _refusals(self, by: _Sorted, fault: Fault) -> Iterable[Receipt]:
        for data in by.tap[fault.system, "inbound"]:
            if (
                data.get("rule")
                and read_fault_id(data["rule"]) == fault.id
                and data["started_mono"] >= self.scope.origin
            ):
                yield Receipt(
                    fault.id,
                    self.at(data["started_mono"]),
                    data["id"],
                    data["end"],
                    "nothing",
                    self.find(data.get("entity")),
                )

    def _signals(self, by: _Sorted, fault: Fault) -> Iterable[Receipt]:
        for data in by.signals:
            sent = not data.get("error") and data["mono"] >= self.scope.origin
            if sent and read_fault_id(data["id"]) == fault.id:
                yield Receipt(
                    fault.id, self.at(data["mono"]), str(data.get("exchange")), "an answer", f"{data['signal']}"
                )


def _was_bitten(fault: Fault, call: Exchange) -> bool:
    """Tell whether a fault of the wire hit a call: one that cuts calls short did not when the whole answer came through."""
    cuts = not CUTTING.isdisjoint(toxic.type for toxic in fault.toxics)
    return call.rule == fault.id and not (cuts and call.end == "complete")


def _receipt(fault: Fault, call: Exchange) -> Receipt:
    saw = str(call.status) if call.end == "complete" else call.end
    answered = str(call.server_status) if call.server_status is not None else "nothing"
    return Receipt(fault.id, call.started, call.id, saw, answered, call.order)


def _delivered(fault: Fault, sent: Delivery) -> Receipt:
    answer = str(sent.status) if sent.status is not None else "no answer"
    return Receipt(fault.id, sent.started, sent.webhook_id, sent.outcome, answer, sent.order)
