"""
Bring a lab to rest after an experiment: faults lifted, what was put aside taken up, one more through, alerts resolved.

What goes through last is the canary, an order or an item: it shows that the handoffs are closed again, so the next
experiment starts from a settled lab. Where an order of the experiment recovered, that one is the canary.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.canary import find_canary
from harness.core.checks.ledger import build_ledger
from harness.core.experiments import Act, Place, Step
from harness.core.judging import select_stations
from harness.core.settling import SETTLED
from harness.core.verdict import UnknownKind
from harness.engine.cases import list_decisions
from harness.engine.driver import DEAD_LETTERS, QUEUES, Interrupted
from harness.engine.observer import ObserveError
from harness.lab.errors import ControlError, LabError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping, Sequence

    from harness.core.history import History
    from harness.engine.bench import Bench
    from harness.engine.driver import Driver

BREAKERS = "breakers"
ROUNDS = 3
# What was put aside can be taken up in these states, which it is in unless it says another.
PENDING = {DEAD_LETTERS: "waiting", QUEUES: "open"}
# What a vendor answers when there is no such order yet, or it is not ready for what is asked.
NOT_YET = frozenset({404, 409})


@dataclass(frozen=True, slots=True)
class AtRest:
    """The condition that the canary is through and every placed order of the experiment is where it may stay."""

    driver: Driver

    def is_met(self, history: History, since: float) -> bool:
        """Look at the ledger of the experiment."""
        rows = self._read_rows(history)
        return all(rows.values()) and self._is_through(history, since, rows)

    def has_passed(self, history: History) -> bool:
        """Tell whether the canary is through, at the handoff in question and wherever else it was to come."""
        return self._is_through(history, 0.0, self._read_rows(history))

    def _is_through(self, history: History, since: float, rows: Mapping[int, bool]) -> bool:
        experiment = self.driver.experiment
        if experiment.canary is not None and not experiment.canary.end.is_met(history, since):
            return False
        return rows.get(experiment.orders + 1, True)

    def _read_rows(self, history: History) -> dict[int, bool]:
        """Tell of every placed order whether it is where it may stay; what is there twice does not become less by waiting."""
        experiment = self.driver.experiment
        if experiment.subject == "item":
            return {}
        entries = build_ledger(history, select_stations(experiment))
        return {entry.order: entry.row in SETTLED for entry in entries}

    def __str__(self) -> str:
        """Say it."""
        return "every order at rest"


async def bring_to_rest(driver: Driver, *, canary: int, settle_s: float, patience_s: float) -> bool:
    """
    Bring the lab to rest and tell whether it is.

    `settle_s` is what the breakers of the stack may take to close again. An integration of ours that lets nothing pass by then
    is restarted once. Where the canary is through, an order that is still nowhere disturbs nobody: the ledger says what became
    of it. Raises Interrupted once the faults are lifted, when the user wants to stop.
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
        if await _is_free(driver):
            await _resolve_alerts(driver)
            return True
        passage = driver.experiment.canary
        left = await _send(driver, passage.steps if passage else (Place((canary,)),))
        settled = not left and await _settle(driver, settle_s + patience_s)
        if not settled and integration.owned:
            await integration.restart()
            left = await _send(driver, left)
            settled = not left and await _settle(driver, settle_s + patience_s)
        await _resolve_alerts(driver)
    except LabError as error:
        recorder.note_error(error)
        return False
    return settled


async def _is_free(driver: Driver) -> bool:
    """Tell whether an order of the experiment itself showed that the handoffs are closed again."""
    await driver.observe(BREAKERS)
    breakers = frozenset(each.id for each in driver.bench.stack.handoffs if each.breaker is not None)
    left = frozenset(driver.bench.left)
    return find_canary(driver.history(), driver.experiment, breakers=breakers, left=left) is not None


async def _send(driver: Driver, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Send the canary on its way; return the steps that are left where it did not come far enough for them."""
    for done, step in enumerate(steps):
        try:
            came = await driver.perform(step)
        except ControlError as error:
            if not isinstance(step, Act) or error.status not in NOT_YET:
                raise
            came = False
        if not came:
            return steps[done:]
    return ()


async def _settle(driver: Driver, within_s: float) -> bool:
    """Wait until everything is at rest, and again for what was put aside and is taken up; tell whether the canary is through."""
    condition = AtRest(driver)
    for rounds_left in reversed(range(ROUNDS)):
        settled = await driver.wait(condition, within_s=within_s, ask=frozenset({DEAD_LETTERS, QUEUES}))
        if not rounds_left or not await _take_up(driver):
            break
    return settled or condition.has_passed(driver.history())


async def _take_up(driver: Driver) -> bool:
    """Take up what was put aside; tell whether there was anything that could be."""
    await driver.observe(DEAD_LETTERS, QUEUES)
    moved = any([await _replay_waiting(driver), await _decide_open(driver)])
    if moved:
        await driver.observe(DEAD_LETTERS, QUEUES)
    return moved


async def _replay_waiting(driver: Driver) -> bool:
    """Replay what waits in the dead letters; tell whether there was anything that could be."""
    waiting = _list_ours(driver, DEAD_LETTERS)
    return any([await _try(driver.observer.replay(str(item.get("id")))) for item in waiting])


async def _decide_open(driver: Driver) -> bool:
    """Decide what lies open in the role queues; tell whether there was anything that could be."""
    return any([await _decide(driver, case) for case in _list_ours(driver, QUEUES)])


async def _decide(driver: Driver, case: Mapping[str, Any]) -> bool:
    for decision in list_decisions(driver.bench.stack, case):
        if await _try(driver.observer.decide(str(case["id"]), decision)):
            return True
    return False


async def _try(asking: Awaitable[None]) -> bool:
    try:
        await asking
    except ObserveError:
        return False  # it stays where it is: the ledger says so
    return True


def note_left(bench: Bench, history: History) -> None:
    """Note on the bench what is put aside still: later experiments leave it where it is."""
    bench.left.update(str(item.get("id")) for what in PENDING for item in _list_pending(history, what))


def _list_ours(driver: Driver, what: str) -> Sequence[Mapping[str, Any]]:
    """
    List what is put aside now and may be taken up: nothing that is left of earlier experiments.

    Of an integration that is not ours it is only what this lab's orders and payloads are about: others work with it, too.
    """
    history, bench = driver.history(), driver.bench
    fresh = (item for item in _list_pending(history, what) if str(item.get("id")) not in bench.left)
    return [item for item in fresh if bench.lab.integration.owned or history.is_ours(item)]


def _list_pending(history: History, what: str) -> Iterator[Mapping[str, Any]]:
    shown = history.observed(what)
    state = PENDING[what]
    return (item for item in (shown.items if shown is not None else ()) if item.get("state", state) == state)


async def _resolve_alerts(driver: Driver) -> None:
    """Close what is open at the ops desk, so that the next trigger of the same key is a new alert."""
    ops = driver.lab.controls.get("opsdesk")
    if ops is None:
        return
    keys = {alert["dedup_key"] for alert in await ops.state("alerts") if alert.get("state") != "resolved"}
    await asyncio.gather(*(ops.act("resolve", dedup_key=key) for key in keys))
