"""What a story can wait for: conditions over the history, and what the integration must be asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.conditions import AllOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.conditions import Condition
    from harness.core.ends import EndState
    from harness.core.history import History


@dataclass(frozen=True, slots=True)
class Until:
    """A condition, and the observe endpoints without which nobody would know whether it is met."""

    condition: Condition
    asks: tuple[str, ...] = ()

    def is_met(self, history: History, since: float) -> bool:
        """Ask the condition."""
        return self.condition.is_met(history, since)

    def list_unmet(self, history: History) -> list[str]:
        """List what is still missing, in words that complete 'not yet: …'; nothing when it is met."""
        parts = self.condition.conditions if isinstance(self.condition, AllOf) else (self.condition,)
        unmet = [part for part in parts if not part.is_met(history, 0.0)]
        return [part.say_missing(history) if isinstance(part, Standing) else str(part) for part in unmet]

    def __str__(self) -> str:
        """Say it in words that complete 'wait until …'."""
        return str(self.condition)


@dataclass(frozen=True, slots=True)
class Standing:
    """So many records about each of the orders are in an end state."""

    end: EndState
    orders: tuple[int, ...]
    count: int = 1

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Count the records that stand now."""
        return all(len(self.end.find(history, order)) >= self.count for order in self.orders)

    def say_missing(self, history: History) -> str:
        """Name the orders of which there are too few."""
        missing = [order for order in self.orders if len(self.end.find(history, order)) < self.count]
        names = ", ".join(history.order(order).name for order in missing)
        return f"{len(missing)} of {len(self.orders)} in {self.end.system} {self.end}: {names} missing"

    def __str__(self) -> str:
        """Name the record and how many orders."""
        often = "" if self.count == 1 else f" {self.count} times"
        return f"{_count(self.orders)} in {self.end.system} {self.end}{often}"


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest answer of an observe endpoint holds something that fits."""

    what: str
    fits: Callable[[Any], bool]
    words: str

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Look at the newest observation."""
        seen = history.observed(self.what)
        return seen is not None and any(self.fits(item) for item in seen.items)

    def __str__(self) -> str:
        """Say what is looked for."""
        return self.words


def _count(orders: tuple[int, ...]) -> str:
    return f"order {orders[0]}" if len(orders) == 1 else f"{len(orders)} orders"
