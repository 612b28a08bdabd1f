"""Parts of the lab that die or stand still in the middle of an experiment."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.experiments import Place, Watch
from harness.zoo.sabotage.ground import spoil, until

if TYPE_CHECKING:
    from harness.core.experiments import Experiment
    from harness.core.result import Result
    from harness.engine.bench import Bench
    from harness.zoo.sabotage.ground import Ground

TAP = "tap"
# Longer than a process may go unscheduled, and shorter than a call may take.
STANDSTILL_S = 0.6
GLANCE_S = 1.0


async def fake_killed(ground: Ground) -> Result:
    """Kill the vendor that is failing at the moment."""
    experiment = ground.exhausted

    async def kill(bench: Bench) -> None:
        await until(bench, "fault", event="hit")
        _signal(bench, _name_fake(experiment), signal.SIGKILL)

    return await spoil(await ground.bench(), experiment, kill)


async def fake_frozen(ground: Ground) -> Result:
    """Have the vendor that is failing stand still for good."""
    experiment = ground.exhausted

    async def freeze(bench: Bench) -> None:
        await until(bench, "fault", event="hit")
        _signal(bench, _name_fake(experiment), signal.SIGSTOP)

    return await spoil(await ground.bench(), experiment, freeze)


async def fake_frozen_for_a_while(ground: Ground) -> Result:
    """Have the vendor stand still between two attempts, and go on as if nothing had been."""
    experiment = ground.retried_long

    async def freeze(bench: Bench) -> None:
        await until(bench, "fault", event="hit")
        await _hold_still(bench, _name_fake(experiment))

    return await spoil(await ground.bench(), experiment, freeze)


async def integration_killed(ground: Ground) -> Result:
    """Kill the integration, which did nothing to deserve it."""

    async def kill(bench: Bench) -> None:
        await until(bench, "fault", event="hit")
        pid = bench.lab.integration.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    return await spoil(await ground.bench(), ground.exhausted, kill)


async def tap_killed(ground: Ground) -> Result:
    """Kill the witness on the wire."""
    experiment = ground.retried_long

    async def kill(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        _signal(bench, TAP, signal.SIGKILL)

    return await spoil(await ground.bench(), experiment, kill)


async def tap_frozen(ground: Ground) -> Result:
    """Have the tap stand still for good."""
    experiment = replace(ground.clean, steps=(Place((1,)), Watch(GLANCE_S, "a second record")))

    async def freeze(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        _signal(bench, TAP, signal.SIGSTOP)

    return await spoil(await ground.bench(), experiment, freeze)


async def tap_frozen_for_a_while(ground: Ground) -> Result:
    """Have the tap stand still between two attempts, and go on as if nothing had been."""
    experiment = ground.retried_long

    async def freeze(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        await _hold_still(bench, TAP)

    return await spoil(await ground.bench(), experiment, freeze)


async def _hold_still(bench: Bench, role: str) -> None:
    _signal(bench, role, signal.SIGSTOP)
    try:
        await asyncio.sleep(STANDSTILL_S)  # how long it stands still is the sabotage itself
    finally:
        _signal(bench, role, signal.SIGCONT)


def _signal(bench: Bench, role: str, number: signal.Signals) -> None:
    pid = bench.lab.processes[role].pid
    if pid is not None:
        os.kill(pid, number)


def _name_fake(experiment: Experiment) -> str:
    return f"fake-{experiment.faults[0].system}"
