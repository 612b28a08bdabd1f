"""End states: which records about an order or an item show that a handoff is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.history import Change, History
    from harness.core.outcomes import ResolvedWhen

# That the record is there, whatever it says.
EXISTING = frozenset({"exists_once", "exists"})
# That the levels of an item equal what the warehouse has available.
IN_SYNC = "in_sync"
# Where vendors write the state of a record.
STATE_FIELDS = ("status", "state", "kind", "financial_status", "fulfillment_status")
STOCK = "stock"


@dataclass(frozen=True, slots=True)
class EndState:
    """A record of a system in a state: `exists_once`, `in_sync`, or a word that one of the record's state fields holds."""

    system: str
    record: str
    state: str = "exists_once"

    @property
    def collection(self) -> str:
        """The state collection of the record: its name in plural."""
        return f"{self.record}s"

    def find(self, history: History, order: int) -> tuple[Change, ...]:
        """List the records about an order that stand in this state now; more than one stand for a doubled effect."""
        records = history.records(self.collection, order, self.system)
        if self.state == IN_SYNC:
            return records[-1:] if _is_in_sync(history, order, records) else ()
        return tuple(filter(self.holds, records))

    def reached_at(self, history: History, order: int) -> float:
        """Return when the first of its records came to this state; only to be asked of an order that is there."""
        found = {record.record_id for record in self.find(history, order)}
        if self.state == IN_SYNC:
            return max(record.t for record in history.records(self.collection, order, self.system))
        return min(
            change.t
            for change in history.changes_of(order)
            if (change.system, change.collection) == (self.system, self.collection)
            and change.record_id in found
            and self.holds(change)
        )

    def holds(self, change: Change) -> bool:
        """Tell whether one of its records, as a change left it, is in this state; not to be asked of levels in sync."""
        return self.state in EXISTING or any(change.record.get(name) == self.state for name in STATE_FIELDS)

    def __str__(self) -> str:
        """Name where it shows."""
        where = self.collection if self.state in EXISTING else f"{self.collection} as {self.state}"
        return where.replace("_", " ") if self.state == IN_SYNC else where


def build_end(resolved_when: ResolvedWhen | None) -> EndState:
    """Build the end state a stack declares; where it says none, a sales order is what orders end in."""
    if resolved_when is None:
        return EndState("erp", "sales_order")
    return EndState(resolved_when.system, resolved_when.record, resolved_when.state)


def _is_in_sync(history: History, item: int, levels: tuple[Change, ...]) -> bool:
    """Compare the levels of an item with the warehouse's, once the warehouse has changed something about it."""
    stock = [change for change in history.changes_of(item) if change.collection == STOCK]
    if not any(change.action == "updated" for change in stock):
        return False
    available = {change.record.get("location"): change.record.get("available") for change in stock}
    shown = {level.record.get("location"): level.record.get("available") for level in levels}
    return shown == available
