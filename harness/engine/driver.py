"""Carry out the steps of one experiment and write down what was done and waited for."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.core.conditions import AllOf, AnyOf, Replayed
from harness.core.experiments import HALT, Act, Arm, Await, Decide, Lift, Place, Replay, Restart, Step, Watch
from harness.core.record import Growing, Scope
from harness.core.timing import Waited
from harness.engine.armory import Armory
from harness.engine.observer import ObserveError
from harness.engine.reservations import reserve_items, reserve_orders, set_in_motion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from harness.core.conditions import Condition
    from harness.core.experiments import Experiment
    from harness.core.faults import Fault
    from harness.core.history import History, Order
    from harness.core.starts import Subject
    from harness.engine.bench import Bench

# How often the integration is asked what it shows while something it shows is waited for.
ASK_EVERY_S = 0.04
ASK_AT_LEAST_EVERY_S = 0.15
# How often news are looked into at most, as a multiple of how long the last look took: looking must not become the work.
LOOK_SPARINGLY = 3.0
# What no news can meet.
NEVER = AnyOf(())
REPLAYED_WITHIN_S = 5.0
# How long a process that was sent SIGKILL may take to be gone.
DIED_WITHIN_S = 2.0
WITNESSES_WITHIN_S = 1.0
DEAD_LETTERS, QUEUES = "dead_letters", "queues"


class Interrupted(Exception):  # noqa: N818 - named for what happened
    """The user asked to stop: what is there is judged."""


class Driver:
    """
    Drive one experiment on a bench.

    `orders` holds every reserved order by ordinal, once there are any. Waits are kept in `waits`, so that the experiment's
    time can be told apart from the harness's. `interrupted` tells that the user ended the steps.
    """

    def __init__(self, bench: Bench, experiment: Experiment, origin: float) -> None:
        self.bench = bench
        self.lab = bench.lab
        self.recorder = bench.recorder
        self.observer = bench.observer
        self.experiment = experiment
        self.origin = origin
        self.stop = bench.stop
        self.interrupted = False
        self.orders: dict[int, Order] = {}
        self.waits: list[Waited] = []
        self._growing: Growing | None = None
        self._grown_for: tuple[Fault, ...] = ()
        self._taken = 0
        self.armory = Armory(bench.lab, experiment.id, self.orders, seed=bench.seed)

    async def reserve(self, count: int, basket: Mapping[str, Any], *, subject: Subject | None = None) -> None:
        """
        Reserve orders of this basket, or items, and make their names known to every vendor; nothing is placed yet.

        `subject` says which, where it is not the experiment's own. Ordinals run on from what was reserved before.
        """
        self.recorder.note("bystanders", tokens=sorted(self.bench.known))
        if (subject or self.experiment.subject) == "item":
            reserved = await reserve_items(self.bench, count)
        else:
            reserved = await reserve_orders(self.bench, count, basket, self.experiment.totals)
        for ordinal, given in enumerate(reserved, start=len(self.orders) + 1):
            order = self.orders[ordinal] = replace(given, ordinal=ordinal)
            self.recorder.note(
                "order",
                ordinal=order.ordinal,
                name=order.name,
                id=order.id,
                number=order.number,
                aliases=sorted(order.further),
            )
            self.bench.known.update(order.aliases)

    def history(self) -> History:
        """Build the history as it stands now."""
        faults = self.experiment.faults
        if self._growing is None or self._grown_for != faults:
            scope = Scope(self.origin, 0.0, faults, self.observer.observable, self.bench.entity)
            self._growing, self._grown_for, self._taken = Growing(scope), faults, 0
        fresh = self.recorder.read_from(self._taken)
        self._taken += len(fresh)
        self._growing.take(fresh)
        return self._growing.history(time.monotonic())

    async def perform(self, step: Step) -> bool:
        """
        Carry out one step, and tell whether what it waits for, if anything, came about.

        Raises LabError when the lab refuses, Interrupted when the user stops.
        """
        match step:
            case Arm():
                async with self._noting(str(step), "arm"):
                    await self.armory.arm(self.experiment.fault(step.fault))
            case Lift():
                async with self._noting(str(step), "lift"):
                    await self.armory.lift(step.fault)
            case Place():
                async with self._noting(str(step), "place", orders=step.orders):
                    chosen = [self.orders[order] for order in step.orders]
                    await set_in_motion(self.bench, self.experiment.subject, chosen)
            case Act():
                await self._act(step)
            case Replay():
                await self._replay(step)
            case Decide():
                await self._decide(step)
            case Restart():
                await self._restart(step)
            case Await():
                return await self._await(step)
            case Watch():
                await self._watch(step)
        return True

    async def wait(
        self,
        condition: Condition,
        *,
        within_s: float,
        declared_s: float = 0.0,
        what: str | None = None,
        ask: frozenset[str] | None = None,
    ) -> bool:
        """
        Wait until a condition is met, at most `within_s`; note the wait and tell whether it was.

        Meanwhile the integration is asked for what the experiment needs, or for `ask`.
        """
        began = time.monotonic()
        since = began - self.origin
        names = (self.experiment.needs if ask is None else ask) & self.observer.observable
        asking = asyncio.create_task(self._keep_asking(names)) if names else None
        try:
            met = await self._until(condition, since, began + within_s)
        finally:
            if asking is not None:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        now = time.monotonic()
        # What was waited for had happened when its last entry was written; noticing it later is the harness's time.
        happened = min(now, max(began, self.recorder.newest)) if met else now
        self.waits.append(Waited(since, happened - self.origin, declared_s))
        kind = "watch" if what else "wait"
        self._note_action(began, what or f"wait until {condition}", kind, met=met)
        return met

    async def settle_witnesses(self) -> History:
        """
        Build the history once both witnesses have written down every call, or are plainly not going to.

        The tap writes a call when it has passed the last byte on, a fake when it has answered: a moment lies between them.
        """
        deadline = time.monotonic() + WITNESSES_WITHIN_S
        while True:
            seen = self.recorder.version
            history = self.history()
            if not history.disagreements or time.monotonic() >= deadline:
                return history
            await self.recorder.wait_news(seen, deadline - time.monotonic())

    async def observe(self, *names: str) -> None:
        """Ask the integration what it shows now and record the answers."""
        await asyncio.gather(*(self._observe(what) for what in names if what in self.observer.observable))

    async def _observe(self, what: str) -> None:
        async with self._noting_refusal(what):
            self.recorder.note_shown(what, await self.observer.read(what))

    async def _until(self, condition: Condition, since: float, deadline: float) -> bool:
        if condition is NEVER:
            return await self._let_pass(deadline)
        while True:
            seen, began = self.recorder.version, time.monotonic()
            if condition.is_met(self.history(), since):
                return True
            if self.stop.is_set():
                raise Interrupted
            now = time.monotonic()
            if now >= deadline:
                return False
            # No wait for something to happen: looking rests as long as it is to, then the news are what is waited for.
            await asyncio.sleep(min(LOOK_SPARINGLY * (now - began), deadline - now))
            await self.recorder.wait_news(seen, deadline - time.monotonic())

    async def _let_pass(self, deadline: float) -> bool:
        """Let the time pass, unless the user wants to stop; nothing comes about meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                await self.stop.wait()
        if self.stop.is_set():
            raise Interrupted
        return False

    async def _keep_asking(self, names: frozenset[str]) -> None:
        """Ask for these again and again, noting answers that differ from the last."""
        last: dict[str, object] = {}
        while True:
            for what in sorted(names):
                try:
                    items = await self.observer.read(what)
                except ObserveError:
                    continue  # the final reading says so if it stays that way
                if last.get(what) != items:
                    last[what] = items
                    self.recorder.note_shown(what, items)
            # What the integration shows changes with what is on the wire: without news it is asked less often.
            await self.recorder.wait_news(self.recorder.version, ASK_AT_LEAST_EVERY_S)
            await asyncio.sleep(ASK_EVERY_S)

    async def _await(self, step: Await) -> bool:
        if step.needs is not None and step.needs not in self.observer.observable:
            return True
        return await self.wait(step.condition, within_s=step.within_s, declared_s=step.declared_s)

    async def _watch(self, step: Watch) -> None:
        # What ends a watch shows on the wire: asking meanwhile would only keep the integration busy.
        ask: frozenset[str] = frozenset()
        await self.wait(step.until or NEVER, within_s=step.for_s, declared_s=step.for_s, what=str(step), ask=ask)

    async def _act(self, step: Act) -> None:
        params = dict(step.params)
        about: tuple[int, ...] = (params.pop("order"),) if "order" in params else ()
        named = {"id": self.orders[about[0]].id, "entity": self.orders[about[0]].name} if about else {}
        async with self._noting(str(step), "act", orders=about):
            await self.lab.controls[step.system].act(step.verb, **params, **named)

    async def _replay(self, step: Replay) -> None:
        await self.observe(DEAD_LETTERS)
        began, possible = time.monotonic(), True
        for letter in self.history().waiting(step.handoff, step.order):
            try:
                await self.observer.replay(str(letter.get("id")))
            except ObserveError as error:
                possible = not error.no_way
                if possible:
                    self.recorder.note("observation", what=DEAD_LETTERS, items=[], error=str(error))
        self._note_action(began, str(step), "replay", met=possible, orders=(step.order,))
        if possible:
            await self.wait(AllOf((Replayed(step.handoff, step.order),)), within_s=REPLAYED_WITHIN_S)

    async def _decide(self, step: Decide) -> None:
        await self.observe(QUEUES)
        began, possible = time.monotonic(), True
        for case in self.history().open_cases(step.handoff, step.order):
            try:
                await self.observer.decide(str(case.get("id")), step.decision)
                for _ in range(step.times - 1):
                    # How a decision is answered that was taken already is the integration's own affair.
                    with suppress(ObserveError):
                        await self.observer.decide(str(case.get("id")), step.decision)
            except ObserveError as error:
                possible = not error.no_way
                if possible:
                    self.recorder.note("observation", what=QUEUES, items=[], error=str(error))
        self._note_action(began, str(step), "decide", met=possible, orders=(step.order,))

    async def _restart(self, step: Restart) -> None:
        """Bring back an integration that died; one that lives on was never hit, which its missing receipt says."""
        began = time.monotonic()
        integration = self.lab.integration
        if integration.owned:
            with suppress(TimeoutError):
                async with asyncio.timeout(DIED_WITHIN_S):
                    await integration.wait_exit()
            await integration.start()
            await integration.wait_healthy()
        now = time.monotonic()
        self.waits.append(Waited(began - self.origin, now - self.origin, 0.0))
        self._note_action(began, str(step), "restart")

    def note_halt(self, step: Await) -> None:
        """Note that what was waited for decides that nothing further is done."""
        self._note_action(time.monotonic(), f"no further: {step.condition}", HALT, met=False)

    @asynccontextmanager
    async def _noting_refusal(self, what: str) -> AsyncIterator[None]:
        try:
            yield
        except ObserveError as error:
            self.recorder.note("observation", what=what, items=[], error=str(error))

    @asynccontextmanager
    async def _noting(self, what: str, kind: str, *, orders: tuple[int, ...] = ()) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._note_action(began, what, kind, orders=orders)

    def _note_action(
        self, began: float, what: str, kind: str, *, met: bool = True, orders: tuple[int, ...] = ()
    ) -> None:
        until = time.monotonic()
        self.recorder.note(
            "action", what=what, kind=kind, met=met, orders=list(orders), until_mono=until, began_mono=began
        )
