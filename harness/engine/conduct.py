"""Conduct one experiment in one lab, from settled to settled."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.ledger import build_ledger, check_ledger
from harness.core.compile.frame import PATIENCE_S
from harness.core.experiments import Check
from harness.core.gates import list_gates, run_check
from harness.core.result import Result
from harness.core.timing import build_timing
from harness.core.verdict import UnknownKind, merge
from harness.engine.driver import Driver, Interrupted
from harness.engine.orders import draw_basket
from harness.engine.rest import bring_to_rest
from harness.lab.errors import LabError

if TYPE_CHECKING:
    from harness.core.experiments import Experiment
    from harness.core.history import History
    from harness.core.record import Entry
    from harness.core.verdict import CheckResult, Gate
    from harness.engine.bench import Bench

# The gates that can also fail after the judgement, while the lab is brought to rest.
TROUBLES = frozenset({"environment", "harness healthy"})


@dataclass(frozen=True, slots=True)
class Conducted:
    """A result and the record it was made from."""

    result: Result
    record: tuple[Entry, ...]
    origin: float


async def conduct(bench: Bench, experiment: Experiment) -> Conducted:
    """
    Run one experiment and judge it.

    What goes wrong with the lab or the driver becomes a trouble of the record, so that the verdict is unknown. When the user
    wants to stop, the steps end, the faults are lifted, and what is there is judged.
    """
    began = time.monotonic()
    driver = Driver(bench, experiment, bench.recorder.begin())
    if bench.unsettled:
        bench.recorder.note_trouble(UnknownKind.ENVIRONMENT, bench.unsettled)
    await _drive(driver)
    history = await _collect(driver)
    gates, checks = _judge(experiment, history)
    waits = tuple(driver.waits)
    await _rest(driver)
    rested = await _collect(driver)
    gates += [gate for gate in list_gates(experiment, rested) if not gate.passed and gate.name in TROUBLES]
    checks.append(run_check(Check("ledger", partial(check_ledger, rule=experiment.ledger)), rested))
    result = Result(
        experiment=experiment,
        verdict=merge(gates, checks),
        history=history,
        timing=build_timing(history, waits, duration_s=time.monotonic() - began),
        ledger=build_ledger(rested, experiment.ledger),
        lab=bench.index,
    )
    return Conducted(result, bench.recorder.entries, driver.origin)


async def _drive(driver: Driver) -> None:
    """Reserve the orders, one more for the canary, and carry out the steps as far as they go."""
    experiment, recorder = driver.experiment, driver.recorder
    try:
        await driver.reserve(experiment.orders + 1, draw_basket(driver.bench.seed, experiment.id))
        for step in experiment.steps:
            await driver.perform(step)
    except Interrupted:
        recorder.note_trouble(UnknownKind.ENVIRONMENT, "interrupted by the user before it was decided")
    except LabError as error:
        recorder.note_trouble(UnknownKind.ENVIRONMENT, str(error))
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, it is not the integration's fault
        recorder.note_trouble(UnknownKind.INTERFERENCE, f"the driver crashed: {type(error).__name__}: {error}")


async def _collect(driver: Driver) -> History:
    """Read every journal to its end and ask the integration once more."""
    await driver.recorder.catch_up()
    await driver.observe(*sorted(driver.experiment.needs | {"dead_letters"}))
    return await driver.settle_witnesses()


def _judge(experiment: Experiment, history: History) -> tuple[list[Gate], list[CheckResult]]:
    return list(list_gates(experiment, history)), [run_check(check, history) for check in experiment.checks]


async def _rest(driver: Driver) -> None:
    """Bring the lab to rest, also after the user wanted to stop, and note on the bench whether it is."""
    bench, experiment = driver.bench, driver.experiment
    driver.stop = asyncio.Event()
    canary = experiment.orders + 1
    settled = canary in driver.orders and await bring_to_rest(
        driver, canary=canary, settle_s=bench.settle_s, patience_s=PATIENCE_S
    )
    bench.unsettled = "" if settled else f"the lab did not settle after {experiment.id}: no order passed"
