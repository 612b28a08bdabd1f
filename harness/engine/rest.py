"""
Bring a lab to rest after an experiment: faults lifted, dead letters replayed, one more order through, alerts resolved.

The order that goes through last is the canary: it shows that the handoffs are closed again, so the next experiment starts
from a settled lab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.checks.ledger import RESTING, Row, build_ledger
from harness.core.experiments import Place
from harness.core.verdict import UnknownKind
from harness.engine.driver import Interrupted
from harness.engine.observer import ObserveError
from harness.lab.errors import LabError

if TYPE_CHECKING:
    from harness.core.history import History
    from harness.engine.driver import Driver

REPLAY_ROUNDS = 3
DEAD_LETTERS = "dead_letters"


@dataclass(frozen=True, slots=True)
class AtRest:
    """The condition that the canary is through and every placed order of the experiment is where it may stay."""

    driver: Driver
    canary: int

    def is_met(self, history: History, since: float) -> bool:
        """Look at the ledger of the experiment."""
        experiment = self.driver.experiment
        if experiment.canary is not None and not experiment.canary.end.is_met(history, since):
            return False
        rows = {entry.row for entry in build_ledger(history, experiment.ledger)}
        return rows <= RESTING | {Row.DUPLICATED}

    def __str__(self) -> str:
        """Say it."""
        return "every order at rest"


async def bring_to_rest(driver: Driver, *, canary: int, settle_s: float, patience_s: float) -> bool:
    """
    Bring the lab to rest and tell whether it is.

    `settle_s` is what the breakers of the stack may take to close again. An integration of ours that does not settle is
    restarted once. Raises Interrupted once the faults are lifted, when the user wants to stop.
    """
    recorder, integration = driver.recorder, driver.lab.integration
    for failure in await driver.armory.lift_all():
        recorder.note_trouble(UnknownKind.ENVIRONMENT, failure)
    if driver.stop.is_set():
        raise Interrupted
    if recorder.lost:
        return False  # nobody could tell whether an order passes
    try:
        if integration.owned and not integration.alive:
            await integration.restart()
        for step in driver.experiment.canary.steps if driver.experiment.canary else (Place((canary,)),):
            await driver.perform(step)
        settled = await _settle(driver, canary, settle_s + patience_s)
        if not settled and integration.owned:
            await integration.restart()
            settled = await _settle(driver, canary, settle_s + patience_s)
        await _resolve_alerts(driver)
    except LabError as error:
        recorder.note_error(error)
        return False
    return settled


async def _settle(driver: Driver, canary: int, within_s: float) -> bool:
    """Replay what waits, wait until everything is at rest, and again for what was put aside meanwhile."""
    condition = AtRest(driver, canary)
    settled = False
    for _ in range(REPLAY_ROUNDS):
        await driver.observe(DEAD_LETTERS)
        replayed = await _replay_waiting(driver)
        if settled and not replayed:
            break
        await driver.observe(DEAD_LETTERS)
        settled = await driver.wait(condition, within_s=within_s, ask=frozenset({DEAD_LETTERS}))
        if not settled and not replayed:
            break
    return settled


async def _replay_waiting(driver: Driver) -> bool:
    """Replay what waits in the dead letters; tell whether there was anything that could be."""
    observation = driver.history().observed(DEAD_LETTERS)
    waiting = [item for item in (observation.items if observation else ()) if item.get("state") == "waiting"]
    replayed = False
    for item in waiting:
        try:
            await driver.observer.replay(str(item["id"]))
            replayed = True
        except ObserveError:
            continue  # it stays where it is: the ledger says so
    return replayed


async def _resolve_alerts(driver: Driver) -> None:
    """Close what is open at the ops desk, so that the next trigger of the same key is a new alert."""
    ops = driver.lab.controls.get("opsdesk")
    if ops is None:
        return
    for alert in await ops.state("alerts"):
        if alert.get("state") != "resolved":
            await ops.act("resolve", dedup_key=alert["dedup_key"])
