"""
A schedule: several faults at once, each on one order or all of them, each for a while.

Time is counted in slots: a slot begins when the next order is set in motion, so slot 3 is what happens between the third
order and the fourth, however long that takes. Within an order it is counted in attempts. What two faults do to each other
depends on which meet at one call, or at two calls of one order, not on seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY = 0
"""The order of a strike that hits every order; the attempt of one that hits every call of an order."""
LATEST = 3
"""The latest call of an order that a strike is drawn for; hardly any policy makes more than a few."""


@dataclass(frozen=True, slots=True, order=True)
class Strike:
    """
    One fault of a schedule, named as in the menu: armed as slot `begins` begins, for `lasts` slots, on one order or every.

    `attempt` is which of an order's calls it hits, counted from when it is armed; every one unless given.
    """

    begins: int
    fault: str
    order: int = EVERY
    lasts: int = 1
    attempt: int = EVERY

    @property
    def ends(self) -> int:
        """Return the slot it is lifted in, before anything happens there."""
        return self.begins + self.lasts

    def meets(self, other: Strike) -> bool:
        """Tell whether both are armed at one time and can hit one order."""
        at_once = self.begins < other.ends and other.begins < self.ends
        return at_once and (EVERY in {self.order, other.order} or self.order == other.order)

    def covers(self, other: Strike) -> bool:
        """Tell whether it does everything the other does: the same fault, to the same order or every, as long or longer."""
        whenever = self.begins <= other.begins and other.ends <= self.ends
        whom = self.order in {EVERY, other.order} and self.attempt in {EVERY, other.attempt}
        return self.fault == other.fault and whenever and whom

    def __str__(self) -> str:
        """Say it."""
        whom = "every order" if self.order == EVERY else f"order {self.order}"
        whom = whom if self.attempt == EVERY else f"call {self.attempt} of {whom}"
        when = f"slot {self.begins}" if self.lasts == 1 else f"slots {self.begins} to {self.ends - 1}"
        return f"{self.fault} on {whom} in {when}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Strikes in canonical order, and the number of slots, which is that of orders: two that say the same are equal."""

    strikes: tuple[Strike, ...]
    slots: int

    def __len__(self) -> int:
        """Count the strikes."""
        return len(self.strikes)

    @property
    def weight(self) -> tuple[int, int, int, int, int, int]:
        """Weigh it: by strikes, slots, strikes on every order and every call, how long they last, how late and where they are."""
        return (
            len(self.strikes),
            self.slots,
            sum(strike.order == EVERY for strike in self.strikes),
            sum(strike.attempt == EVERY for strike in self.strikes),
            sum(strike.lasts for strike in self.strikes),
            sum(strike.begins + strike.order + strike.attempt for strike in self.strikes),
        )

    def covers(self, other: Schedule) -> bool:
        """Tell whether everything that happens in the other happens here as well."""
        return all(any(mine.covers(theirs) for mine in self.strikes) for theirs in other.strikes)

    def __str__(self) -> str:
        """Say it."""
        return "; ".join(map(str, self.strikes)) or "no fault"


def build_schedule(strikes: Iterable[Strike], *, slots: int) -> Schedule:
    """Build a schedule of at least one slot: strikes once each and in order, cut off where the slots or orders end."""
    within = (
        replace(strike, lasts=min(strike.lasts, slots + 1 - strike.begins))
        for strike in strikes
        if strike.begins <= slots and strike.order <= slots
    )
    return Schedule(tuple(sorted(set(within))), max(1, slots))
