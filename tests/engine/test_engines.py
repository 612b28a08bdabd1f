"""One experiment, two engines: the tap's own and a real Toxiproxy leave the same receipts and come to the same verdict."""

import os
import signal

import pytest

from harness.core.verdict import UnknownKind
from harness.engine.conduct import conduct
from harness.zoo.sabotage.ground import spoil, until
from tests.engine.saboteurs import assert_unknown
from tests.programs import needs_toxiproxy

pytestmark = [pytest.mark.anyio, needs_toxiproxy]

ON_THE_WIRE = (
    "order-to-erp/clean:resolve/one",
    "order-to-erp/any:retry/connection",
    "order-to-erp/any:retry/timeout",
    "order-to-erp/lost_answer:exactly_once/answer-lost",
    "order-to-erp/lost_answer:exactly_once/answer-hangs",
    "order-to-erp/breaker/opens-on-connection",
    "order-capture/receiver_down:recover/twice",
    "order-capture/crash:recover/after-ack",
)


@pytest.fixture(scope="module")
async def real(open_lab, anyio_backend):
    """Give a bench whose engine is a real Toxiproxy; the tests that share it leave it usable."""
    async with open_lab(engine="toxiproxy") as shared:
        yield shared


async def judge(bench, experiment):
    """Run an experiment as a run does: once more where a machine that was too busy interfered."""
    result = (await conduct(bench, experiment)).result
    if result.verdict.kind is UnknownKind.INTERFERENCE:
        result = (await conduct(bench, experiment)).result
    return result


def describe(result):
    """Describe what came of an experiment, as far as no chance is in it: the verdict, and what each fault met."""
    faults = {fault.id: [] for fault in result.experiment.faults}
    for receipt in result.history.receipts:
        faults[receipt.fault].append((receipt.client_saw, receipt.server_saw, receipt.order))
    checks = [(check.name, check.outcome) for check in result.verdict.checks]
    return result.verdict.outcome, {name: sorted(met, key=str) for name, met in faults.items()}, checks


class TestAlike:
    """A plan run in two labs."""

    @pytest.mark.parametrize("name", ON_THE_WIRE)
    async def test_receipts_and_verdicts_are_the_same(self, bench, real, find, name):
        """Every exchange that was chosen meets its fault and no other does: the counts are exact with either engine."""
        ours = await judge(bench, find(name))
        theirs = await judge(real, find(name))

        assert describe(theirs) == describe(ours)
        assert bench.usable
        assert real.usable


class TestDisturbed:
    """A Toxiproxy that is not left alone."""

    async def test_a_killed_server_is_our_own_fault(self, open_lab, find, exit_code):
        """Every call then fails as if the vendor were gone: nothing may be held against the integration."""

        async def kill(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            os.kill(bench.lab.processes["toxiproxy"].pid, signal.SIGKILL)

        async with open_lab(engine="toxiproxy") as bench:
            result = await spoil(bench, find("order-to-erp/429:retry/last"), kill)
            usable = bench.usable

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying="toxiproxy")
        assert not usable

    @pytest.mark.parametrize("way", ["clean-erp", "inbound-storefront"])
    async def test_a_way_that_somebody_cuts_off_is_our_own_fault(self, open_lab, find, exit_code, way):
        """A proxy that was taken down by hand is named."""

        async def cut(bench):
            await until(bench, "exchange", operation="sales_order.upsert")
            await bench.lab.toxics.server.update_proxy(f"{bench.lab.toxics.prefix}-{way}", enabled=False)

        async with open_lab(engine="toxiproxy") as bench:
            result = await spoil(bench, find("order-to-erp/429:retry/once"), cut)
            usable = bench.usable

        assert_unknown(result, UnknownKind.INTERFERENCE, exit_code, saying=way)
        assert not usable
