"""The entries of a trace as they are written, with the clocks and names that journals use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.ends import EXISTING, IN_SYNC
from harness.core.faults import Layer
from harness.core.golden.cast import ORIGIN
from harness.core.golden.lines import LineError
from harness.core.record import DRIVER, TAP, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.ends import EndState
    from harness.core.faults import Fault
    from harness.core.golden.cast import Cast

TIMES = ("started", "request", "ended", "received", "sent", "began", "until")
# Between the tap and a fake, each way.
HOP_S = 0.001
# What an integration shows of itself that a trace can tell.
LETTERS, CASES, BREAKERS = "dead_letters", "queues", "breakers"
SHOWN = (LETTERS, CASES, BREAKERS)


@dataclass(slots=True)
class Scribe:
    """What has been written so far, and what the integration shows of itself meanwhile."""

    cast: Cast
    entries: list[Entry] = field(default_factory=list)
    newest: float = 0.0
    shown: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {what: {} for what in SHOWN})
    unreadable: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for order in self.cast.orders:
            self.driver(0, "order", ordinal=order.ordinal, name=order.name, id=order.id, number=order.number)

    def write(self, t: float, source: str, kind: str, /, **fields: Any) -> None:
        """Write an entry; fields named after a moment (`started`, `sent`, …) become times of the monotonic clock."""
        timed = {f"{name}_mono": ORIGIN + fields.pop(name) for name in TIMES if name in fields}
        self.entries.append(Entry(source, {"type": kind, "mono": ORIGIN + t, **timed, **fields}))

    def driver(self, t: float, kind: str, /, **fields: Any) -> None:
        """Write an entry of the driver."""
        self.write(t, DRIVER, kind, **fields)

    def observe(self, what: str, t: float) -> None:
        """Have the integration asked for its dead letters, its cases or its breakers."""
        if what in self.unreadable:
            self.driver(t, "observation", what=what, items=[], error="it did not answer")
        else:
            self.driver(t, "observation", what=what, items=[dict(item) for item in self.shown[what].values()])

    def show(self, what: str, t: float, item: Mapping[str, Any]) -> None:
        """Have the integration show something from now on; what it has shown under the same id changes."""
        self.shown[what].setdefault(item["id"], {}).update(item)
        self.unreadable.discard(what)
        self.observe(what, t)

    def exchange(self, t: float, took_s: float, fields: Mapping[str, Any]) -> None:
        """Write what the tap records of a call, which began at `t`."""
        times = {"started": t, "request": t + HOP_S / 2, "ended": t + took_s}
        fields = {"id": f"x{len(self.entries)}", "entity": None, **fields}
        self.write(t + took_s, TAP, "exchange", **times, **fields)

    def change(self, t: float, where: tuple[str, str, str], action: str, entity: str | None, **record: Any) -> None:
        """Write that a record changed; `where` is its system, collection and id."""
        system, collection, record_id = where
        fields = {"collection": collection, "record_id": record_id, "entity": entity, "action": action}
        self.write(t, system, "change", **fields, record={"id": record_id, **record})

    def resolve(self, t: float, end: EndState, record_id: str, entity: str | None) -> None:
        """Write that an order has come to an end state."""
        state = {} if end.state in {*EXISTING, IN_SYNC} else {"state": end.state}
        self.change(t, (end.system, end.collection, record_id), "created", entity, **state)

    def fault(self, word: str) -> Fault:
        """Find a fault of the experiment; raise LineError when it has none of this id."""
        known = {fault.id: fault for fault in self.cast.experiment.faults}
        if word not in known:
            raise LineError(f"the experiment has no fault `{word}`", expected=tuple(known), found=word)
        return known[word]

    def armed_name(self, word: str, part: str = "0") -> str:
        """Return the name under which a fault of the experiment is armed."""
        return f"{self.cast.experiment.id}#{self.fault(word).id}~{part}"

    def split_faults(self, words: tuple[str, ...], part: str) -> tuple[list[str], str | None]:
        """Split the faults a call met into those a vendor makes and the rule of the wire; `a#f1~0` is another experiment's."""
        faults: list[str] = []
        rule: str | None = None
        for word in words:
            if "#" in word:
                faults.append(word)
            elif self.fault(word).layer is Layer.WIRE:
                rule = self.armed_name(word, part)
            else:
                faults.append(self.armed_name(word, part))
        return faults, rule
