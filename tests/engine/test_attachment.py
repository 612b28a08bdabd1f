"""An integration that runs elsewhere: what is left out, and which handoffs get another chance."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.core.result import Skipped
from harness.engine import attachment
from harness.engine.attachment import Chances, explain_unfit, is_attached
from harness.engine.driver import Interrupted
from harness.engine.run import Options, Runner
from harness.lab.errors import EnvironmentNotReady

pytestmark = pytest.mark.anyio

CAPTURE, ERP = "order-capture/clean:resolve/one", "order-to-erp/clean:resolve/one"


class Integration:
    """An integration that answers its health path, or not."""

    def __init__(self):
        self.answers = True

    async def wait_healthy(self, **_):
        """Answer, or say that nothing did."""
        if not self.answers:
            raise EnvironmentNotReady("the attached integration", "no answer", "start it")


class Stage:
    """A bench of which only the settling is real; `passes` decides whether an order gets through."""

    def __init__(self, stack):
        self.stack = stack
        self.unsettled = ""
        self.lab = SimpleNamespace(id="up-0", integration=Integration())
        self.passes = True
        self.tried = 0

    async def warm_up(self, bench, _rule):
        """Stand in for an order that passes, or not."""
        self.tried += 1
        if self.passes is None:
            raise Interrupted
        if not self.passes:
            bench.unsettled = "no order passed"


@pytest.fixture
def stage(stack, monkeypatch):
    """Give a bench whose orders pass as told."""
    made = Stage(stack)
    monkeypatch.setattr(attachment, "warm_up", made.warm_up)
    return made


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"attached": True}, True),
        ({"attach_url": "http://127.0.0.1:1"}, True),
        ({"integration_command": "true"}, False),
    ],
)
def test_who_is_attached(stack, options, expected):
    """The caller says so, or the stack does by an address; a command given starts an integration here."""
    elsewhere = replace(stack, integration=replace(stack.integration, command=(), url="http://127.0.0.1:1"))
    assert is_attached(stack, Options("r", **options)) is expected
    assert is_attached(elsewhere, Options("r", **options)) is ("integration_command" not in options)


def ids(plan):
    """List the ids of a plan's experiments."""
    return [experiment.id for experiment in plan.experiments]


def test_only_what_kills_the_integration_is_unfit(plan):
    """Of the reference stack these are the experiments of `crash`, those that interrupt, and the pairs with a crash among them."""
    unfit = {experiment.id for experiment in plan.experiments if explain_unfit(experiment)}
    killing = {name for name in ids(plan) if "/crash:" in name or name.endswith("/interrupted")}
    pairs = {name for name in ids(plan) if "/pairs:" in name}
    assert killing
    assert killing == unfit - pairs
    assert unfit & pairs < pairs


async def test_what_is_unfit_is_left_out_aloud_and_needs_no_lab(stack, plan):
    """It is skipped with its reason, as something that cannot be run there at all."""
    crash = next(experiment for experiment in plan.experiments if explain_unfit(experiment))
    runner = Runner(stack, Options("r", attached=True), None, asyncio.Event())
    assert await runner.run([crash]) == ([], [Skipped(crash.id, explain_unfit(crash), applicable=False)])


async def test_a_settled_lab_is_left_alone(stage, find):
    """No order is spent where the last experiment left the lab settled."""
    await Chances(stage).prepare(find(ERP))
    assert (stage.unsettled, stage.tried) == ("", 0)


async def test_the_rest_of_a_handoff_stays_untold(stage, find):
    """Once the lab did not settle after a handoff, that one is given up, however well the others do."""
    chances = Chances(stage)
    stage.unsettled = "stuck"
    chances.note(find(ERP))
    await chances.prepare(find(CAPTURE))
    assert (stage.unsettled, stage.tried) == ("", 1)
    chances.note(find(CAPTURE))
    await chances.prepare(find(ERP))
    assert (stage.unsettled, stage.tried) == ("stuck", 1)
    await chances.prepare(find(CAPTURE))
    assert (stage.unsettled, stage.tried) == ("", 2)


async def test_another_handoff_that_does_not_get_through_is_given_up_too(stage, find):
    """One order is tried for each handoff, not for each experiment, and the likeliest reason is named."""
    chances = Chances(stage)
    stage.unsettled, stage.passes = "stuck", False
    chances.note(find(ERP))
    for _ in range(3):
        await chances.prepare(find(CAPTURE))
        assert "variables of the lab up-0" in stage.unsettled
        chances.note(find(CAPTURE))
    assert stage.tried == 1


async def test_no_order_is_sent_to_what_does_not_answer(stage, find):
    """An integration that is gone is named as such."""
    stage.unsettled, stage.lab.integration.answers = "stuck", False
    await Chances(stage).prepare(find(CAPTURE))
    assert (stage.unsettled.splitlines()[0], stage.tried) == ("the attached integration: no answer", 0)


async def test_stopping_meanwhile_is_no_crash(stage, find):
    """Whoever stops the run while an order is waited for ends the waiting, nothing else."""
    stage.unsettled, stage.passes = "stuck", None
    await Chances(stage).prepare(find(CAPTURE))
    assert stage.tried == 1
