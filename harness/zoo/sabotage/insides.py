"""What goes wrong in the harness's own code: in a check, in the driver, in its loop, in lifting what it armed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.experiments import Await, Check, Place
from harness.zoo.sabotage.ground import spoil, until

if TYPE_CHECKING:
    from typing import NoReturn

    from harness.core.history import History
    from harness.core.result import Result
    from harness.engine.bench import Bench
    from harness.zoo.sabotage.ground import Ground

STALL_S = 0.6
PATIENCE_S = 5.0
BY_SABOTAGE = "by sabotage"


async def check_raises(ground: Ground) -> Result:
    """Put a check before the others that crashes."""

    def crash(_history: History) -> NoReturn:
        raise ZeroDivisionError(BY_SABOTAGE)

    experiment = ground.clean
    checks = (Check("crashing", crash), *experiment.checks)
    return await spoil(await ground.bench(), replace(experiment, checks=checks))


async def driver_raises(ground: Ground) -> Result:
    """Wait for something that cannot be asked."""
    steps = (Place((1,)), Await(_Crashing(), within_s=PATIENCE_S))
    return await spoil(await ground.bench(), replace(ground.clean, steps=steps))


async def harness_stalled(ground: Ground) -> Result:
    """Have the harness itself stand still while an attempt is due."""
    experiment = ground.retried_long

    async def stall(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations)
        time.sleep(STALL_S)  # noqa: ASYNC251 - that nothing else runs meanwhile is the sabotage

    return await spoil(await ground.bench(), experiment, stall)


async def clean_up_fails(ground: Ground) -> Result:
    """Take away the proxy of a fault before the harness does."""
    experiment = ground.cut

    async def remove(bench: Bench) -> None:
        await until(bench, "exchange", operations=experiment.operations, end="reset")
        server = bench.lab.toxics.server
        for name in await server.proxies():
            await server.delete_proxy(name)

    return await spoil(await ground.bench(), experiment, remove)


class _Crashing:
    """A condition that cannot be asked."""

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Crash."""
        raise ZeroDivisionError(BY_SABOTAGE)

    def __str__(self) -> str:
        """Say it."""
        return "nothing that can be asked"
