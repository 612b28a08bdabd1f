"""Journals that are not whole, not true, or not on the same clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.zoo.sabotage.forging import forge
from harness.zoo.sabotage.ground import spoil, until

if TYPE_CHECKING:
    from harness.core.result import Result
    from harness.engine.bench import Bench
    from harness.lab.control import Json
    from harness.zoo.sabotage.ground import Ground

SKEW_S = 3.0
CLOCK = "mono"
NEVER_SENT = 299


async def journal_cut(ground: Ground) -> Result:
    """Reset a vendor that has no fault in the middle, and with it its journal."""
    experiment = ground.retried_long

    async def reset(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        others = [name for name in bench.lab.vendor_addresses if name != experiment.faults[0].system]
        await bench.lab.controls[others[0]].reset()

    return await spoil(await ground.bench(), experiment, reset)


async def entry_lost(ground: Ground) -> Result:
    """Take one call out of a vendor's journal."""
    experiment = ground.retried_long
    lost: list[int] = []

    def lose(entries: list[Json]) -> list[Json]:
        lost.extend(each["seq"] for each in entries if each["type"] == "exchange" and not lost)
        return [each for each in entries if each["seq"] not in lost]

    bench = await ground.bench()
    with forge(bench.lab.controls[experiment.faults[0].system], lose):
        return await spoil(bench, experiment)


async def entry_unreadable(ground: Ground) -> Result:
    """Write an entry into the record that no reader expects."""
    experiment = ground.clean

    async def scribble(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        bench.recorder.note("order", ordinal=1)

    return await spoil(await ground.bench(), experiment, scribble)


async def call_forged(ground: Ground) -> Result:
    """Have a vendor's journal tell of another answer than was sent."""
    experiment = ground.retried

    def lie(entries: list[Json]) -> list[Json]:
        return [{**each, "status": NEVER_SENT} if each["type"] == "exchange" else each for each in entries]

    # What was forged last stays in the record for a while: nobody else is to be judged beside it.
    async with ground.open() as bench:
        with forge(bench.lab.controls[experiment.faults[0].system], lie):
            return await spoil(bench, experiment)


async def fake_clock_skewed(ground: Ground) -> Result:
    """Set a vendor's clock ahead of everybody else's."""
    experiment = ground.retried_long
    bench = await ground.bench()
    with forge(bench.lab.controls[experiment.faults[0].system], _set_ahead):
        return await spoil(bench, experiment)


async def tap_clock_skewed(ground: Ground) -> Result:
    """Set the tap's clock ahead of everybody else's."""
    bench = await ground.bench()
    with forge(bench.lab.tap, _set_ahead):
        return await spoil(bench, ground.cut)


def _set_ahead(entries: list[Json]) -> list[Json]:
    return [
        {
            name: value + SKEW_S if name.endswith(CLOCK) and isinstance(value, float) else value
            for name, value in each.items()
        }
        for each in entries
    ]
