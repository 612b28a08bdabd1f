"""
The raw record of an experiment and the history it makes.

A record is what the journals and the driver wrote, unchanged, each entry with its source; it is what `history.ndjson`
holds. The history is a pure function of it, so a run can be judged again without running anything.

While an experiment runs its history is asked for at every piece of news. So what was made of an entry is kept: only the calls
of a system that has news are paired again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.faults import Layer
from harness.core.history import History, Trouble
from harness.core.reading import Reader, Scope, read_fault_id, read_order
from harness.core.receipts import is_refusal, list_kills, list_receipts, list_refusals
from harness.core.verdict import UnknownKind
from harness.core.witnesses import list_disagreements, pair_calls, pair_deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.core.history import Action, Alert, Change, Delivery, Exchange, Observation, Order, Receipt

    Data = Mapping[str, Any]

__all__ = ["DRIVER", "OPS_DESK", "TAP", "Entry", "Growing", "Scope", "build_history", "read_fault_id"]

T = TypeVar("T")

TAP, DRIVER, OPS_DESK = "tap", "driver", "opsdesk"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: who wrote it, and what."""

    source: str
    data: Data


def build_history(entries: Iterable[Entry], scope: Scope) -> History:
    """Build the history of one experiment; entries from before it may be among them and only help to pair."""
    growing = Growing(scope)
    growing.take(entries)
    return growing.history(scope.now)


@dataclass(slots=True)
class _Traffic:
    """What tap and fake wrote of one system's calls and deliveries, and what was made of it."""

    outbound: list[Data] = field(default_factory=list)
    received: list[Data] = field(default_factory=list)
    inbound: list[Data] = field(default_factory=list)
    sent: list[Data] = field(default_factory=list)
    calls_stale: bool = False
    sent_stale: bool = False
    exchanges: list[Exchange] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)
    suppressed: list[Delivery] = field(default_factory=list)
    calls_differ: tuple[str, ...] = ()
    sent_differ: tuple[str, ...] = ()

    def take_crossing(self, data: Data) -> None:
        """Take what the tap wrote."""
        if data["direction"] == "outbound":
            self.outbound.append(data)
            self.calls_stale = True
        else:
            self.inbound.append(data)
            self.sent_stale = True

    def take_told(self, kind: str, data: Data) -> None:
        """Take what the fake wrote: a call it got, or a delivery it made."""
        if kind == "exchange":
            self.received.append(data)
            self.calls_stale = True
        else:
            self.sent.append(data)
            self.sent_stale = True

    def pair(self, reader: Reader) -> None:
        """Pair what is stale again."""
        origin = reader.scope.origin
        if self.calls_stale:
            pairs = pair_calls(self.outbound, self.received)
            self.exchanges = [reader.read_exchange(pair) for pair in pairs if reader.is_inside(pair)]
            self.calls_differ = list_disagreements(pairs, since=origin)
        if self.sent_stale:
            pairs = pair_deliveries(self.inbound, self.sent)
            self.delivered = [reader.read_delivery(each.fake) for each in pairs if each.fake and reader.is_inside(each)]
            self.sent_differ = list_disagreements(pairs, since=origin)
            self.suppressed = [
                reader.read_delivery(data)
                for data in self.sent
                if data["outcome"] == "suppressed" and data["sent_mono"] >= origin
            ]
        self.calls_stale = self.sent_stale = False


class Growing:
    """The history of one experiment whose record grows; entries from before it may be among them and only help to pair."""

    def __init__(self, scope: Scope) -> None:
        """Begin; of the scope it does not matter when the experiment stood."""
        self._scope = scope
        self._driver: defaultdict[str, list[Data]] = defaultdict(list)
        self._traffic: defaultdict[str, _Traffic] = defaultdict(_Traffic)
        self._changed: defaultdict[str, list[Data]] = defaultdict(list)
        self._raised: list[Data] = []
        self._signals: list[Data] = []
        self._stalls: list[tuple[str, Data]] = []
        self._opened: dict[str, Data] = {}
        self._armed: set[str] = set()
        self._met: list[tuple[str, Data]] = []
        self._bystanders: frozenset[str] = frozenset()
        self._read_anew(())

    def take(self, entries: Iterable[Entry]) -> None:
        """Take entries in, those of each source in their order."""
        for entry in entries:
            kind = str(entry.data["type"])
            if kind == "stall":
                self._stalls.append((entry.source, entry.data))
            elif entry.source == DRIVER:
                self._take_of_driver(kind, entry.data)
            elif entry.source == TAP:
                self._take_of_tap(kind, entry.data)
            else:
                self._take_of_fake(entry.source, kind, entry.data)

    def history(self, now: float) -> History:
        """Build the history as it stands `now`, on the monotonic clock."""
        if len(self._driver["order"]) != len(self._orders):
            self._read_anew(tuple(map(read_order, self._driver["order"])))
        traffic = [self._traffic[name] for name in sorted(self._traffic)]
        for each in traffic:
            each.pair(self._reader)
        exchanges = sorted((call for each in traffic for call in each.exchanges), key=lambda call: call.started)
        deliveries = [sent for each in traffic for sent in each.delivered]
        deliveries += [sent for each in traffic for sent in each.suppressed]
        deliveries.sort(key=lambda sent: sent.started)
        differ = [text for each in traffic for text in each.calls_differ]
        differ += [text for each in traffic for text in each.sent_differ]
        return History(
            now=now - self._scope.origin,
            orders=self._orders,
            exchanges=tuple(exchanges),
            deliveries=tuple(deliveries),
            changes=tuple(self._list_changes()),
            alerts=tuple(_grow(self._alerts, self._raised, self._reader.read_alert)),
            observations=tuple(_grow(self._shown, self._driver["observation"], self._reader.read_observation)),
            receipts=tuple(self._list_receipts(exchanges, deliveries)),
            actions=tuple(_grow(self._done, self._driver["action"], self._reader.read_action)),
            troubles=tuple(self._list_troubles()),
            disagreements=tuple(differ),
            disturbance_s=max((data["seconds"] for data in self._driver["disturbance"]), default=0.0),
            bystanders=self._bystanders,
            holding=frozenset(self._list_holding()),
            observable=self._scope.observable,
        )

    def _read_anew(self, orders: tuple[Order, ...]) -> None:
        """Forget what was made of entries: it is about these orders now."""
        self._orders = orders
        self._reader = Reader.of(self._scope, orders)
        self._changes: dict[str, list[Change]] = {}
        self._alerts: list[Alert] = []
        self._shown: list[Observation] = []
        self._done: list[Action] = []
        for each in self._traffic.values():
            each.calls_stale = each.sent_stale = True

    def _take_of_driver(self, kind: str, data: Data) -> None:
        self._driver[kind].append(data)
        if kind == "bystanders":
            self._bystanders |= frozenset(data["tokens"])

    def _take_of_tap(self, kind: str, data: Data) -> None:
        if kind == "exchange_open":
            self._opened[data["id"]] = data
        elif kind == "exchange":
            self._opened.pop(data["id"], None)
            self._traffic[data["system"]].take_crossing(data)
            if data.get("rule"):
                self._met.append((data["rule"], data))
        elif kind == "signal":
            self._signals.append(data)
        elif kind == "rule":
            self._note_arming(data["rule"], data)

    def _take_of_fake(self, source: str, kind: str, data: Data) -> None:
        if kind in {"exchange", "delivery"}:
            self._traffic[source].take_told(kind, data)
            self._met += [(name, data) for name in data.get("faults", ())]
        elif kind == "fault":
            self._note_arming(data["fault"], data)
        elif kind == "change" and data["mono"] >= self._scope.origin:
            if source != OPS_DESK:
                self._changed[source].append(data)
            elif data["action"] == "created":
                self._raised.append(data)

    def _note_arming(self, name: str, data: Data) -> None:
        if data["event"] == "armed" and data["mono"] >= self._scope.origin:
            self._armed.add(name)

    def _list_changes(self) -> list[Change]:
        for source, told in self._changed.items():
            made = self._changes.setdefault(source, [])
            for data in told[len(made) :]:
                change = self._reader.read_change(source, data)
                # Where a vendor's clock goes back, its journal still tells what came first.
                goes_back = made and change.t < made[-1].t
                made.append(replace(change, t=made[-1].t) if goes_back else change)
        found = (change for source in self._changed for change in self._changes[source])
        return sorted(found, key=lambda change: change.t)

    def _list_receipts(self, exchanges: list[Exchange], deliveries: list[Delivery]) -> Iterable[Receipt]:
        for fault in self._scope.faults:
            if fault.layer is Layer.PROCESS:
                yield from list_kills(fault, self._reader, self._signals)
            elif is_refusal(fault):
                yield from list_refusals(fault, self._reader, self._traffic[fault.system].inbound)
            else:
                yield from list_receipts(fault, exchanges, deliveries)

    def _list_holding(self) -> Iterable[str]:
        """List the faults of the wire that met calls of which the tap has seen the beginning alone."""
        origin = self._scope.origin
        met = {read_fault_id(data["rule"]) for data in self._opened.values() if data["started_mono"] >= origin}
        return (fault.id for fault in self._scope.faults if fault.layer is Layer.WIRE and fault.id in met)

    def _list_troubles(self) -> Iterable[Trouble]:
        at, origin = self._reader.at, self._scope.origin
        for data in self._driver["trouble"]:
            yield Trouble(at(data["mono"]), data["kind"], data["what"])
        for source, data in self._stalls:
            if data["mono"] >= origin:
                what = f"{source} was not scheduled for {data['seconds']:.2f} s"
                yield Trouble(at(data["mono"]), UnknownKind.INTERFERENCE, what)
        for name, mono in sorted(self._list_leftovers()):
            what = f"{name} met traffic, but was not armed in this experiment"
            yield Trouble(at(mono), UnknownKind.ENVIRONMENT, what)

    def _list_leftovers(self) -> set[tuple[str, float]]:
        """List the faults that touched this experiment's orders although an earlier one had armed them, and when."""
        return {
            (name, data["mono"])
            for name, data in self._met
            if name not in self._armed
            and data["mono"] >= self._scope.origin
            and self._reader.find(data.get("entity")) is not None
        }


def _grow(made: list[T], told: list[Data], read: Callable[[Data], T]) -> list[T]:
    """Read what was told since, and return what was made of all of it."""
    made += map(read, told[len(made) :])
    return made
