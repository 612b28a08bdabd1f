"""Sabotage of the harness: whatever is done to it, the verdict is unknown of the right kind, never held, never violated."""

import asyncio
from dataclasses import replace

import pytest

from harness.core.experiments import Arm, Place, Watch
from harness.core.verdict import Outcome
from harness.engine.run import Options
from harness.zoo.sabotage.catalogue import SABOTAGES
from harness.zoo.sabotage.ground import Ground, Unsuitable, aim, spoil
from tests.engine.conftest import STACK_PATH
from tests.engine.saboteurs import assert_unknown

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("sabotage")]

# One of each way to go wrong, of those that cost little; the others take seconds of waiting, or a lab each.
AT_ONCE = {
    "fault-never-armed",
    "toxic-never-applied",
    "fault-refused",
    "witnesses-disagree",
    "check-raises",
    "driver-raises",
    "clean-up-fails",
}


@pytest.fixture(scope="module")
async def ground(stack, plan, state_dir, anyio_backend):
    """Give the labs of a saboteur, with the reference at work in them."""
    ground = Ground(stack, plan, Options(run_id="test", stack_path=STACK_PATH), asyncio.Event())
    yield ground
    await ground.aclose()


@pytest.mark.parametrize(
    "sabotage",
    [pytest.param(each, id=each.name, marks=[] if each.name in AT_ONCE else [pytest.mark.slow]) for each in SABOTAGES],
)
async def test_the_verdict_says_nothing_of_the_integration(ground, sabotage, exit_code):
    """What was done is told as what it is, and a run with it ends with 10."""
    result = await sabotage.work(ground)

    assert_unknown(result, sabotage.kind, exit_code, saying=sabotage.saying)


def test_there_is_every_kind_of_it():
    """At least twelve sabotages, each by a name of its own."""
    names = [each.name for each in SABOTAGES]

    assert len(set(names)) == len(names) >= 12


async def test_a_lab_that_was_sabotaged_judges_the_next_experiment(ground):
    """What is left of one experiment does not reach into the next one."""
    bench = await ground.bench()
    hasty = replace(ground.retried, steps=(Arm("f1"), Place((1,)), Watch(0.05, "nothing")))
    await spoil(bench, aim(hasty, attempts=None))
    faults = await bench.lab.controls["erp"].faults()
    after = await spoil(bench, ground.clean)

    assert faults == []
    assert after.verdict.outcome is Outcome.HELD


async def test_a_stack_without_retries_offers_nothing_to_spoil(stack, plan):
    """Where no handoff has the experiments that sabotage needs, that is said instead of spoiling another."""
    few = replace(plan, experiments=tuple(each for each in plan.experiments if each.shape == "one"))
    ground = Ground(stack, few, Options(run_id="test"), asyncio.Event())

    with pytest.raises(Unsuitable, match="once"):
        _ = ground.retried
