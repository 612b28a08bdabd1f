"""One story: what a test does in a lab, from settled to settled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.compile.frame import PATIENCE_S, build_ledger_rule
from harness.core.conditions import AllOf
from harness.core.durations import parse_duration
from harness.core.experiments import Arm, Experiment, Lift
from harness.core.gates import run_check
from harness.core.verdict import Outcome, UnknownKind
from harness.engine.conduct import conclude
from harness.engine.driver import DEAD_LETTERS, QUEUES, Driver
from harness.engine.orders import draw_basket
from harness.lab.errors import LabError
from harness.lab.starvation import longest_wait_s
from harness.pytest_plugin.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from harness.core.experiments import Check, Step
    from harness.core.faults import Fault
    from harness.core.history import History, Order
    from harness.core.result import Result
    from harness.core.stack import System
    from harness.core.starts import Subject
    from harness.core.verdict import CheckResult
    from harness.engine.bench import Bench
    from harness.lab.control import ControlClient
    from harness.pytest_plugin.conditions import Until
    from harness.pytest_plugin.lab import LabThread

T = TypeVar("T")


class AbsentError(LookupError):
    """A system of the stack is not in the lab, and why."""


class Story:
    """
    What a test has reserved, armed and seen.

    It begins in a settled lab and is concluded by the engine's own gates, rest and ledger: `result` is None until then, and
    `unsettled` says why the lab did not come to rest, if it did not.
    """

    def __init__(self, lab: LabThread, name: str) -> None:
        self.lab = lab
        self.name = name
        self.stack = lab.stack
        self.begin()

    def begin(self) -> None:
        """Begin, or begin anew: nothing is reserved and nothing armed."""
        self.result: Result | None = None
        self.unsettled = ""
        self._began = time.monotonic()
        self._named = 0
        self._driver, self._waited = self.lab.perform(self._open)

    def do(self, work: Callable[[Driver], Coroutine[Any, Any, T]]) -> T:
        """Carry something out in the lab, and read the journals to where it left them; raises LabError when it is refused."""

        async def done(_bench: Bench) -> T:
            answer = await work(self._driver)
            await self._driver.recorder.catch_up()
            return answer

        return self.lab.perform(done)

    def perform(self, *steps: Step) -> None:
        """Carry out steps of the engine's."""

        async def performed(driver: Driver) -> None:
            for step in steps:
                await driver.perform(step)

        self.do(performed)

    def look(self, *asking: str) -> History:
        """Return what has happened until now; the integration is asked for the named endpoints first."""

        async def looked(driver: Driver) -> History:
            await driver.recorder.catch_up()
            await driver.observe(*asking)
            return await driver.settle_witnesses()

        return self.do(looked)

    def judge(self, check: Check) -> tuple[CheckResult, History]:
        """
        Ask a check about what has happened until now, and return what it was asked about too.

        What was late only because the lab itself was held up speaks against the lab: the story will be played once more.
        """

        async def judged(driver: Driver) -> tuple[CheckResult, History]:
            await driver.recorder.catch_up()
            self._note_disturbance(driver)
            await driver.observe(DEAD_LETTERS, QUEUES)
            history = await driver.settle_witnesses()
            checked = run_check(check, history)
            if checked.kind is UnknownKind.INTERFERENCE:
                driver.recorder.note_trouble(UnknownKind.INTERFERENCE, checked.observed)
            return checked, history

        return self.do(judged)

    def reserve(self, count: int, *, subject: Subject = "order", **basket: Any) -> tuple[Order, ...]:
        """Reserve orders, or items, and make them known everywhere; `basket` says what is not to be drawn."""

        async def reserved(driver: Driver) -> tuple[Order, ...]:
            before = len(driver.orders)
            drawn = draw_basket(driver.bench.seed, self.name)
            await driver.reserve(count, {**drawn, **basket}, subject=subject)
            return tuple(driver.orders[ordinal] for ordinal in range(before + 1, len(driver.orders) + 1))

        return self.do(reserved)

    def wait(self, conditions: tuple[Until, ...], within: str) -> bool:
        """Wait until all conditions are met, for so long in production time and a moment more; tell whether they are."""
        declared_s = self.lab_s(within)
        ask = frozenset(name for condition in conditions for name in condition.asks)
        return self.do(
            lambda driver: driver.wait(
                AllOf(conditions), within_s=declared_s + PATIENCE_S, declared_s=declared_s, ask=ask
            )
        )

    def arm(self, fault: Fault) -> None:
        """Arm a fault; from now on its receipts count."""
        self._driver.experiment = replace(self._driver.experiment, faults=(*self._driver.experiment.faults, fault))
        self.perform(Arm(fault.id))

    def lift(self, fault: Fault) -> None:
        """Lift a fault; nothing happens when it is not armed."""
        self.perform(Lift(fault.id))

    def name_fault(self) -> str:
        """Give a fault an id that no other one of this story has."""
        self._named += 1
        return f"f{self._named}"

    def conclude(self) -> Result:
        """Judge the evidence, bring the lab to rest and balance the ledger; only the first call does anything."""
        if self.result is None:
            self.result = self.lab.perform(self._conclude, last=True)
        return self.result

    @property
    def held(self) -> bool:
        """Tell whether gates and ledger hold and the lab came to rest, once it is concluded."""
        return self.result is not None and self.result.verdict.outcome is Outcome.HELD and not self.unsettled

    @property
    def disturbed(self) -> bool:
        """Tell whether the harness itself got in the way, once it is concluded."""
        return self.result is not None and self.result.verdict.kind is UnknownKind.INTERFERENCE

    def lab_s(self, production: str) -> float:
        """Turn a duration of production, such as `2m`, into seconds of the lab."""
        return parse_duration(production) / self.stack.time.scale

    def find_system(self, player: str) -> str:
        """
        Return the name of the system that a fake, or a folder of mappings of this name, plays.

        Raises AbsentError where it is not in this lab, LookupError where the stack has none.
        """
        lab = self._driver.lab
        named = [name for name, system in self.stack.systems.items() if player in {system.fake, _name_folder(system)}]
        for name in named:
            if name in lab.controls:
                return name
            if name in lab.absent:
                raise AbsentError(f"{name} is not in this lab: {lab.absent[name]}")
        raise LookupError(f"the stack {self.stack.name} has no system that {player} plays")

    def act(self, system: str, verb: str, **params: Any) -> Mapping[str, Any]:
        """Have a vendor do something of its own accord."""
        return self.do(lambda driver: self._control(driver, system).act(verb, **params))

    def read_state(self, system: str, collection: str) -> list[dict[str, Any]]:
        """Read a collection of a vendor as it stands."""
        return self.do(lambda driver: self._control(driver, system).state(collection))

    def build_orders(self, reserved: tuple[Order, ...]) -> Orders:
        """Make a handful of orders of what was reserved."""
        return Orders(reserved, self.rule)

    def _note_disturbance(self, driver: Driver) -> None:
        waits = driver.bench.read_waits()
        driver.recorder.note("disturbance", seconds=longest_wait_s(self._waited, waits))

    def _control(self, driver: Driver, system: str) -> ControlClient:
        return driver.lab.controls[system]

    async def _open(self, bench: Bench) -> tuple[Driver, Mapping[int, float]]:
        if bench.unsettled:
            raise LabError(f"the lab is not settled: {bench.unsettled}")
        self.rule = build_ledger_rule(bench.stack)
        experiment = Experiment(
            id=self.name,
            handoff="",
            clause="",
            shape="",
            declared="the lab is sound, every fault met traffic, and every order is where it may be",
            location=self.name,
            orders=0,
            steps=(),
            checks=(),
            ledger=self.rule,
        )
        return Driver(bench, experiment, bench.recorder.begin()), bench.read_waits()

    async def _conclude(self, bench: Bench) -> Result:
        driver = self._driver
        placed = len(driver.orders)
        try:
            await driver.reserve(1, draw_basket(driver.bench.seed, self.name))
        except LabError as error:
            driver.recorder.note_error(error)
        driver.experiment = replace(driver.experiment, orders=placed)
        result = (await conclude(driver, began=self._began, waited=self._waited)).result
        self.unsettled = bench.unsettled
        return result


def _name_folder(system: System) -> str | None:
    return PurePath(system.wiremock).name if system.wiremock is not None else None
