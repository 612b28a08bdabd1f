"""
What the tap costs a call, beside toxiproxy-server, in one run on one machine.

Latency: one client, one kept-alive connection a path, one call at a time, in short blocks that take turns between the paths
(straight to the vendor, and through each hop). What a hop adds in a round is the median of its block less that of the
straight path's. Client, vendor and hops are processes of their own and run where the system puts them.

Throughput: many connections, the hop alone on one processor, client and vendor on the others, in slices that take turns.
The two seldom fill the hop's processor to the brim, so what counts is calls for each second of processor time it used.

In both, the tap's journal is read all the while, as a run of the harness reads it. Every call differs from the last ones.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.clients import Timer, keep_busy
from bench.figures import compare
from bench.hops import TOXIPROXY, open_tap, open_toxiproxy, open_vendor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.hops import Hop

STRAIGHT = "no hop"
ROUNDS, CALLS = 300, 20
SLICES, SLICE_S, CONNECTIONS = 10, 1.0, 16
PATH_WIDTH = 18


async def main() -> None:
    """Measure and print."""
    cores = os.sched_getaffinity(0)
    _print_latency(await _measure_latency(cores))
    _print_throughput(await _measure_throughput(cores), len(cores))


async def _measure_latency(cores: set[int]) -> dict[str, list[float]]:
    """Return the median call of every round, by path, in seconds."""
    async with AsyncExitStack() as opened:
        vendor = opened.enter_context(open_vendor(cores))
        hops = [*await opened.enter_async_context(open_tap(vendor, cores))]
        hops += await opened.enter_async_context(open_toxiproxy(vendor, cores))
        timers = {STRAIGHT: Timer(vendor)} | {hop.name: Timer(hop.address) for hop in hops}
        for timer in timers.values():
            opened.callback(timer.close)
        medians: dict[str, list[float]] = {name: [] for name in timers}
        order = list(timers)
        for turn in range(-1, ROUNDS):
            for name in order:
                taken = await asyncio.to_thread(timers[name].time_calls, CALLS)
                if turn >= 0:
                    medians[name].append(median(taken))
            order.append(order.pop(0))
        return medians


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of a hop's throughput: calls in a second, and calls for each second of processor time it used."""

    rate: float
    capacity: float


async def _measure_throughput(cores: set[int]) -> dict[str, list[Slice]]:
    others = set(sorted(cores)[1:]) or cores
    async with AsyncExitStack() as opened:
        vendor = opened.enter_context(open_vendor(others))
        alone = {min(cores)}
        hops = [*await opened.enter_async_context(open_tap(vendor, alone))]
        hops += await opened.enter_async_context(open_toxiproxy(vendor, alone))
        os.sched_setaffinity(0, others)
        opened.callback(os.sched_setaffinity, 0, cores)
        slices: dict[str, list[Slice]] = {hop.name: [] for hop in hops}
        for turn in range(-1, SLICES):
            for hop in hops:
                measured = await _measure_slice(hop)
                if turn >= 0:
                    slices[hop.name].append(measured)
            hops.append(hops.pop(0))
        return slices


async def _measure_slice(hop: Hop) -> Slice:
    used = hop.used_s()
    calls, took_s = await asyncio.to_thread(keep_busy, hop.address, connections=CONNECTIONS, seconds=SLICE_S)
    return Slice(calls / took_s, calls / (hop.used_s() - used))


def _print_latency(medians: Mapping[str, list[float]]) -> None:
    straight = medians[STRAIGHT]
    print(f"latency: {ROUNDS} rounds of {CALLS} calls a path")
    print(f"{'path':<{PATH_WIDTH}}{'median':>10}{'added':>10}   added, of toxiproxy-server's")
    added = {
        name: [own - base for own, base in zip(found, straight, strict=True)]
        for name, found in medians.items()
        if name != STRAIGHT
    }
    print(f"{STRAIGHT:<{PATH_WIDTH}}{median(straight) * 1e6:>7.0f} µs")
    for name, more in added.items():
        ratio = _against(more, added.get(TOXIPROXY))
        print(f"{name:<{PATH_WIDTH}}{median(medians[name]) * 1e6:>7.0f} µs{median(more) * 1e6:>7.0f} µs   {ratio}")


def _print_throughput(slices: Mapping[str, list[Slice]], cores: int) -> None:
    where = "the hop on one processor" if cores > 1 else "everything on one processor"
    print(f"throughput: {SLICES} slices of {SLICE_S:g} s, {CONNECTIONS} connections, {where}")
    print(f"{'path':<{PATH_WIDTH}}{'calls/s':>10}{'busy':>7}{'calls/CPU-s':>13}   of toxiproxy-server's")
    capacities = {name: [one.capacity for one in found] for name, found in slices.items()}
    for name, found in slices.items():
        rate, capacity = median(one.rate for one in found), median(capacities[name])
        ratio = _against(capacities[name], capacities.get(TOXIPROXY))
        print(f"{name:<{PATH_WIDTH}}{rate:>10.0f}{rate / capacity:>7.0%}{capacity:>13.0f}   {ratio}")


def _against(ours: list[float], theirs: list[float] | None) -> str:
    return "toxiproxy-server is not on PATH" if theirs is None else str(compare(ours, theirs))


if __name__ == "__main__":
    asyncio.run(main())
