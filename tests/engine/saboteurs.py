"""Somebody at work beside an experiment, and what its verdict then must be."""

import asyncio
import time

from harness.core.verdict import Outcome
from harness.engine.conduct import conduct

WITHIN_S = 60.0


async def until(bench, entry_type, **fields):
    """Wait until a journal of the lab shows a new entry of this type with these fields."""
    since = time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        while True:
            seen = bench.recorder.version
            fresh = [entry.data for entry in bench.recorder.entries if entry.data["mono"] >= since]
            if any(data["type"] == entry_type and fields.items() <= data.items() for data in fresh):
                return
            await bench.recorder.wait_news(seen, WITHIN_S)


async def conduct_while(bench, experiment, sabotage):
    """Conduct an experiment with somebody at work beside it; return the result."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(conduct(bench, experiment))
        group.create_task(sabotage(bench))
    return running.result().result


def assert_unknown(result, kind, exit_code, *, saying=""):
    """
    Assert that the verdict says nothing of the integration, why, and that a run with it ends with 10.

    A machine that is too busy may disturb the lab as well, and say so first; what was sabotaged must be told all the same.
    """
    verdict = result.verdict
    assert verdict.outcome is Outcome.UNKNOWN, verdict.reason
    told = {gate.kind: gate.detail for gate in reversed(verdict.gates) if not gate.passed and saying in gate.detail}
    told |= {check.kind: check.observed for check in verdict.checks if saying in check.observed}
    assert kind in told, verdict.reason
    stalled = any("not scheduled" in gate.detail for gate in verdict.gates if not gate.passed)
    assert verdict.kind is kind or stalled, verdict.reason
    assert exit_code(result) == 10
