"""A simulated integration among forty faults: harmless but for a few of them together, and not alike each time."""

import random
from dataclasses import dataclass, field

from harness.core.schedule import Schedule
from harness.explore import Tried

FAULTS = tuple(f"fault-{number:02}" for number in range(1, 41))


@dataclass
class Simulated:
    """
    An integration that loses an order when every one of `planted` is armed at one time and can hit it.

    It shows in `shows` of the runs. While `hiding` is armed nothing shows: a fault may keep the order from getting that far.
    """

    planted: tuple[str, ...]
    hiding: str
    shows: float = 1.0
    seed: int = 0
    trials: int = 0
    tried: list[Schedule] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.chance = random.Random(self.seed)  # noqa: S311 - drawn alike each time

    def __call__(self, schedules, phase):
        """Run schedules."""
        self.phases += [phase] * len(schedules)
        return [Tried(self.run(schedule)) for schedule in schedules]

    def run(self, schedule):
        """Run a schedule."""
        self.trials += 1
        self.tried.append(schedule)
        return frozenset({"ledger"}) if self.breaks(schedule) and self.chance.random() < self.shows else frozenset()

    def breaks(self, schedule):
        """Tell whether a schedule can break it, slot by slot and order by order."""
        return any(
            self.meet(schedule, slot, order)
            for slot in range(1, schedule.slots + 1)
            for order in range(1, schedule.slots + 1)
        )

    def meet(self, schedule, slot, order):
        """Tell whether all that is planted, and nothing that hides it, is armed in a slot and can hit an order."""
        armed = {
            strike.fault
            for strike in schedule.strikes
            if strike.begins <= slot < strike.ends and strike.order in {0, order}
        }
        return armed.issuperset(self.planted) and self.hiding not in armed
