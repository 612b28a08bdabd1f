"""The entries of a trace as they are written, with the clocks and names that journals use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.faults import Layer
from harness.core.golden.cast import ORIGIN
from harness.core.golden.lines import LineError
from harness.core.record import DRIVER, TAP, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.faults import Fault
    from harness.core.golden.cast import Cast

TIMES = ("started", "request", "ended", "received", "sent", "began", "until")
# Between the tap and a fake, each way.
HOP_S = 0.001


@dataclass(slots=True)
class Scribe:
    """What has been written so far, and what the integration shows of itself meanwhile."""

    cast: Cast
    entries: list[Entry] = field(default_factory=list)
    newest: float = 0.0
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)
    readable: bool = True
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

    def observe(self, t: float) -> None:
        """Have the integration asked for its dead letters."""
        if self.readable:
            items = [dict(letter) for letter in self.letters.values()]
            self.driver(t, "observation", what="dead_letters", items=items)
        else:
            self.driver(t, "observation", what="dead_letters", items=[], error="it did not answer")

    def exchange(self, t: float, took_s: float, fields: Mapping[str, Any]) -> None:
        """Write what the tap records of a call, which began at `t`."""
        times = {"started": t, "request": t + HOP_S / 2, "ended": t + took_s}
        fields = {"id": f"x{len(self.entries)}", "entity": None, **fields}
        self.write(t + took_s, TAP, "exchange", **times, **fields)

    def change(self, t: float, entity: str | None, record_id: str, action: str, record: Mapping[str, Any]) -> None:
        """Write that a record of the end state changed."""
        fields = {"collection": self.cast.end.collection, "record_id": record_id, "entity": entity, "action": action}
        self.write(t, self.cast.end.system, "change", **fields, record={"id": record_id, **record})

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
