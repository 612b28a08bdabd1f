"""Driver, armory and observer: steps that end whatever happens, faults that are lifted part by part, answers that are none."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.core.experiments import Arm, Await, Place, Restart
from harness.core.faults import Fault, Layer
from harness.core.history import Order
from harness.core.stack import Observe, Source
from harness.core.verdict import UnknownKind
from harness.engine.armory import Armory
from harness.engine.conduct import conduct
from harness.engine.observer import ObserveError, Observer
from harness.engine.orders import draw_basket
from harness.lab.errors import ControlError

pytestmark = pytest.mark.anyio


async def test_an_integration_that_lives_on_is_not_waited_for(open_lab, find):
    """A crash that never hits leaves no receipt: the run goes on, the verdict is vacuous and no signal stays armed."""
    crash = find("order-capture/crash:recover/after-ack")
    fault = replace(crash.faults[0], params={"nth": 9})
    received = next(step for step in crash.steps if isinstance(step, Await) and "receipts" in str(step))
    steps = (Arm("f1"), Place((1,)), replace(received, within_s=0.3), Restart())
    async with open_lab() as bench:
        pid = bench.lab.integration.pid
        result = (await conduct(bench, replace(crash, faults=(fault,), steps=steps))).result
        after = bench.lab.integration.pid
        refused = [await _lift_signal(bench, f"{crash.id}#f1~0")]

    assert result.verdict.kind is UnknownKind.VACUOUS
    assert after == pid
    assert refused == [404]


async def _lift_signal(bench, signal):
    try:
        await bench.lab.tap.lift_signal(signal)
    except ControlError as error:
        return error.status
    return None


class Control:
    """A control plane that notes what is armed and refuses to lift some of it."""

    def __init__(self, *, stuck=()):
        self.armed = {}
        self._stuck = stuck

    async def arm(self, fault):
        """Arm."""
        self.armed[fault["id"]] = fault

    async def lift(self, fault_id):
        """Lift, or not."""
        if fault_id.endswith(self._stuck):
            raise ControlError("erp", "DELETE /faults", 503, "stuck")
        del self.armed[fault_id]


def build_armory(control):
    """Build an armory over one control plane and three orders."""
    orders = {number: Order(number, f"#100{number}", f"5{number}", f"100{number}") for number in (1, 2, 3)}
    return Armory(SimpleNamespace(controls={"erp": control}, id="lab"), "x", orders, seed=3)


FAULT = Fault(
    "f1", "status", Layer.VENDOR, "erp", ("order.create", "order.upsert"), orders=(1,), params={"status": 503}
)


async def test_each_operation_is_armed_by_the_names_of_the_orders():
    """One fault of the plan is armed once an operation, under names that tell which fault it was."""
    control = Control()
    await build_armory(control).arm(FAULT)

    assert [(name, body["operation"], body["entities"]) for name, body in control.armed.items()] == [
        ("x#f1~0", "order.create", ["#1001"]),
        ("x#f1~1", "order.upsert", ["#1001"]),
    ]


async def test_what_can_be_lifted_is_lifted():
    """One part that is stuck keeps no other part armed, and is told."""
    control = Control(stuck=("~0",))
    armory = build_armory(control)
    await armory.arm(FAULT)
    failed = await armory.lift_all()

    assert list(control.armed) == ["x#f1~0"]
    assert failed == ["f1 could not be lifted: erp: DELETE /faults → 503: stuck"]
    assert await armory.lift_all() == []


async def test_a_step_that_lifts_tells_what_is_stuck():
    """A lift in the middle of an experiment fails after having tried every part."""
    control = Control(stuck=("~0",))
    armory = build_armory(control)
    await armory.arm(FAULT)
    with pytest.raises(ControlError, match="stuck"):
        await armory.lift("f1")

    assert list(control.armed) == ["x#f1~0"]
    await armory.lift("f1")


async def test_a_fault_by_chance_is_armed_where_it_was_decided():
    """Each order has attempts of its own, the same ones for the same seed, and neither none nor all of them."""
    armed = []
    for _ in range(2):
        control = Control()
        await build_armory(control).arm(replace(FAULT, orders=(1, 2), probability=0.5))
        armed.append({name: body["attempts"] for name, body in control.armed.items()})

    assert armed[0] == armed[1]
    assert len(armed[0]) == 4
    assert all(0 < len(attempts) < 32 for attempts in armed[0].values())
    assert len({tuple(attempts) for attempts in armed[0].values()}) > 1


def observe(**sources):
    """Observe by these sources."""
    return Observer(Observe(**{name: Source(**source) for name, source in sources.items()}), "http://127.0.0.1:9")


async def test_commands_and_functions_are_asked_as_well():
    """What they print or return is taken as an endpoint's answer would be."""
    command = f'{sys.executable} -c \'print("[{{\\"id\\": 1}}]")\''
    observer = observe(dead_letters={"command": command}, jobs={"python": "test_driver:list_jobs"})

    assert await observer.read("dead_letters") == [{"id": 1}]
    assert await observer.read("jobs") == [{"name": "nightly"}]
    assert observer.observable == {"dead_letters", "jobs"}
    await observer.aclose()


def list_jobs():
    """Answer as an adapter would."""
    return [{"name": "nightly"}]


@pytest.mark.parametrize(
    "source",
    [
        {"command": f"{sys.executable} -c 'print(1)'"},
        {"command": f"{sys.executable} -c 'print([1])'"},
        {"command": f"{sys.executable} -c 'print(\"no JSON\")'"},
        {"command": f"{sys.executable} -c 'raise SystemExit(2)'"},
        {"command": "no-such-command-anywhere"},
        {"python": "test_driver:no_such_function"},
        {"python": "no_such_module:jobs"},
        {"path": "/nobody-listens-there"},
    ],
    ids=lambda source: " ".join(source.values()).rsplit("-c ", 1)[-1],
)
async def test_an_answer_that_is_none_is_told(source):
    """Whatever is wrong, it is an error of the observation and nothing else."""
    observer = observe(jobs=source)
    with pytest.raises(ObserveError, match="jobs"):
        await observer.read("jobs")
    await observer.aclose()


async def test_a_replay_needs_an_address():
    """Dead letters that are read from a command cannot be replayed by the harness."""
    with pytest.raises(ObserveError, match="over HTTP"):
        await observe(dead_letters={"command": "true"}).replay("7")


def test_orders_depend_on_seed_and_experiment_alone():
    """The same seed makes the same people and lines; another experiment or seed makes others."""
    assert draw_basket(1, "a") == draw_basket(1, "a")
    assert len({str(draw_basket(seed, name)) for seed in (1, 2) for name in ("a", "b")}) == 4
