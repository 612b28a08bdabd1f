"""Conduct one experiment in one lab, from settled to settled."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.archive import DRIVEN, JUDGED, RESTED, mark_judged
from harness.core.compile.frame import PATIENCE_S
from harness.core.conditions import AllOf, Resolved
from harness.core.experiments import Await, Experiment, Place
from harness.core.history import History, Trouble
from harness.core.judging import judge_whole
from harness.core.result import Result
from harness.core.starts import Start
from harness.core.timing import build_timing
from harness.core.verdict import UnknownKind
from harness.engine.driver import DEAD_LETTERS, QUEUES, Driver, Interrupted
from harness.engine.orders import draw_basket
from harness.engine.rest import bring_to_rest, note_left
from harness.lab.errors import LabError
from harness.lab.starvation import longest_wait_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.experiments import LedgerRule
    from harness.core.record import Entry
    from harness.engine.bench import Bench

# How long the first order of a lab may take: its systems have just started, and its sessions are still to be opened.
WARM_WITHIN_S = 10.0


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
    waited = bench.read_waits()
    if bench.unsettled and experiment.faults:
        # Nothing can be told of a fault where orders do not pass without one; whether they do is another experiment.
        bench.recorder.note_trouble(UnknownKind.ENVIRONMENT, bench.unsettled)
    else:
        await _drive(driver)
    return await conclude(driver, began=began, waited=waited)


async def conclude(driver: Driver, *, began: float, waited: Mapping[int, float]) -> Conducted:
    """
    Judge what was driven, bring the lab to rest, and ask for what must be true then.

    `began` is when the experiment did, on the monotonic clock; `waited` what `Bench.read_waits` said then.
    """
    bench, experiment = driver.bench, driver.experiment
    bench.recorder.note("disturbance", seconds=longest_wait_s(waited, bench.read_waits()))
    history = await _collect(driver, DRIVEN)
    waits = tuple(driver.waits)
    await _rest(driver)
    rested = await _collect(driver, RESTED)
    note_left(bench, rested)
    judgement = judge_whole(experiment, history, rested)
    result = Result(
        experiment=experiment,
        verdict=judgement.verdict,
        history=history,
        timing=build_timing(history, waits, duration_s=time.monotonic() - began),
        ledger=judgement.ledger,
        lab=bench.index,
    )
    return Conducted(result, bench.recorder.entries, driver.origin)


async def warm_up(bench: Bench, rule: LedgerRule) -> None:
    """Let one order pass before anything is armed, and note on the bench if it does not."""
    driver = Driver(bench, build_warm_up(rule), bench.recorder.begin())
    await driver.observe(DEAD_LETTERS, QUEUES)
    note_left(bench, driver.history())
    await _drive(driver)
    due = (station.end for station in rule.stations if station.start is Start.PLACED)
    through = AllOf(tuple(Resolved(end, (1,)) for end in due if end is not None))
    passed = await driver.wait(through, within_s=WARM_WITHIN_S) if driver.orders else False
    if not passed:
        troubles = "; ".join(trouble.what for trouble in driver.history().troubles)
        bench.unsettled = troubles or f"no order passed within {WARM_WITHIN_S:g} s before anything was armed"


def build_warm_up(rule: LedgerRule) -> Experiment:
    """Build the experiment that is none: one order, no fault, no check."""
    return Experiment(
        id="warm-up",
        handoff="",
        clause="",
        shape="",
        declared="an order passes",
        location="",
        orders=1,
        steps=(Place((1,)),),
        checks=(),
        ledger=rule,
    )


async def _drive(driver: Driver) -> None:
    """Reserve the orders or items, one more for the canary, and carry out the steps as far as they go."""
    experiment, recorder = driver.experiment, driver.recorder
    try:
        await driver.reserve(experiment.orders + 1, draw_basket(driver.bench.seed, experiment.id))
        for step in experiment.steps:
            came = await driver.perform(step)
            if not came and isinstance(step, Await) and step.decisive:
                driver.note_halt(step)
                break
    except Interrupted:
        driver.interrupted = True
        recorder.note_trouble(UnknownKind.ENVIRONMENT, "interrupted by the user before it was decided")
    except LabError as error:
        recorder.note_error(error)
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, it is not the integration's fault
        recorder.note_trouble(UnknownKind.INTERFERENCE, f"the driver crashed: {type(error).__name__}: {error}")


async def _collect(driver: Driver, moment: str) -> History:
    """
    Read every journal to its end, ask the integration once more, and mark in the record what was known at this moment.

    A record that cannot be read is a trouble too.
    """
    try:
        await driver.recorder.catch_up()
        for name in driver.armory.list_gone(driver.recorder.entries, since=driver.origin):
            what = f"{name} had ended before the harness lifted it: somebody lifted it, or it ran out"
            driver.recorder.note_trouble(UnknownKind.ENVIRONMENT, what)
        await driver.observe(*sorted(driver.experiment.needs | {DEAD_LETTERS, QUEUES}))
        history = await driver.settle_witnesses()
    except Exception as error:  # noqa: BLE001 - a harness that cannot read its own record must not judge, nor end the run
        what = f"the record cannot be read: {type(error).__name__}: {error}"
        driver.recorder.note_trouble(UnknownKind.INTERFERENCE, what)
        now = time.monotonic() - driver.origin
        trouble = Trouble(now, UnknownKind.INTERFERENCE, what)
        history = History(now, tuple(driver.orders.values()), troubles=(trouble,))
    driver.recorder.note(JUDGED, **mark_judged(driver.recorder.entries, moment, history.now))
    return history


async def _rest(driver: Driver) -> None:
    """Bring the lab to rest and note on the bench whether it is; once the user wants to stop, only lift the faults."""
    bench, experiment = driver.bench, driver.experiment
    canary = experiment.orders + 1
    if bench.unsettled and not driver.orders:
        return
    settled = False
    try:
        settled = canary in driver.orders and await bring_to_rest(
            driver, canary=canary, settle_s=bench.settle_s, patience_s=PATIENCE_S
        )
    except Interrupted:
        if not driver.interrupted:
            bench.recorder.note_trouble(UnknownKind.ENVIRONMENT, "interrupted by the user before the lab was at rest")
    except Exception as error:  # noqa: BLE001 - as in driving: not the integration's fault, and no end of the run
        what = f"bringing the lab to rest crashed: {type(error).__name__}: {error}"
        bench.recorder.note_trouble(UnknownKind.INTERFERENCE, what)
    bench.unsettled = "" if settled else f"the lab did not settle after {experiment.id}: no order passed"
