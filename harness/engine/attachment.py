"""What is different where the integration runs elsewhere: the lab is joined, not made, and nothing of it is started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile.frame import build_ledger_rule
from harness.core.faults import Layer
from harness.engine.conduct import warm_up
from harness.engine.driver import Interrupted
from harness.lab.attached import open_attached_lab
from harness.lab.embedded import open_embedded_lab
from harness.lab.errors import LabError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from harness.core.experiments import Experiment
    from harness.core.stack import Stack
    from harness.engine.bench import Bench
    from harness.engine.run import Options
    from harness.lab.lab import Lab

HEALTHY_WITHIN_S = 2.0


def is_attached(stack: Stack, options: Options) -> bool:
    """Tell whether the integration runs elsewhere, as the caller or the stack says; a command given starts one here."""
    if options.containers or options.integration_command is not None:
        return False
    return options.attached or options.attach_url is not None or stack.integration.url is not None


def open_lab(stack: Stack, options: Options, *, index: int) -> AbstractAsyncContextManager[Lab]:
    """Open the lab an integration belongs to: a new one that starts it, or the one it was started with."""
    if is_attached(stack, options):
        return open_attached_lab(
            stack,
            stack_path=options.stack_path,
            attach_url=options.attach_url,
            lab_id=options.lab_id,
            allowed_hosts=options.allowed_hosts,
        )
    if options.containers:
        from harness.lab.containers.lab import open_container_lab  # noqa: PLC0415 - the engine's client is heavy, and rarely needed

        return open_container_lab(
            stack,
            stack_path=options.stack_path,
            run_id=options.run_id,
            index=index,
            image=options.image,
            command=options.integration_command,
            engine=options.engine,
        )
    return open_embedded_lab(
        stack,
        stack_path=options.stack_path,
        run_id=options.run_id,
        index=index,
        integration_command=options.integration_command,
        engine=options.engine,
    )


def explain_unfit(experiment: Experiment) -> str:
    """Say why an experiment cannot be run with an attached integration; empty where it can."""
    if any(fault.layer is Layer.PROCESS for fault in experiment.faults):
        return "it kills the integration and starts it again, and an attached one is not ours to kill"
    return ""


class Chances:
    """
    Which handoffs an attached lab still has a chance with.

    Nothing can be restarted there. So when it does not settle after an experiment, the rest of that handoff's experiments
    stay untold, and every other handoff may try once whether an order passes again.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._spent: dict[str, str] = {}

    async def prepare(self, experiment: Experiment) -> None:
        """Make the bench say before an experiment whether it is settled for this handoff."""
        bench = self._bench
        if experiment.handoff in self._spent:
            bench.unsettled = self._spent[experiment.handoff]
        elif bench.unsettled:
            await let_one_pass(bench)

    def note(self, experiment: Experiment) -> None:
        """Note what an experiment left."""
        if self._bench.unsettled:
            self._spent.setdefault(experiment.handoff, self._bench.unsettled)


async def let_one_pass(bench: Bench) -> None:
    """Let one order pass where the integration is up, and note on the bench if none does."""
    try:
        await bench.lab.integration.wait_healthy(within_s=HEALTHY_WITHIN_S)
    except LabError as error:
        bench.unsettled = str(error)
        return
    bench.unsettled = ""
    try:
        await warm_up(bench, build_ledger_rule(bench.stack))
    except Interrupted:
        return
    if bench.unsettled:
        bench.unsettled += f"; was the integration started with the variables of the lab {bench.lab.id}?"
