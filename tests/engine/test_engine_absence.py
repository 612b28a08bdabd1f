"""A lab that a system is absent from: what is left out, what runs all the same, and what a run says of it."""

import asyncio
from pathlib import Path

import pytest

from harness.core.checks.ledger import Row
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.verdict import Outcome
from harness.engine.run import Options, Runner

CHAIN_PATH = Path(__file__).parents[2] / "reference" / "stack.yaml"
CHAIN = load_stack(CHAIN_PATH.read_text(), file=str(CHAIN_PATH))
ORDER, CONTACT = "order-to-erp/clean:resolve/one", "order-to-crm/clean:resolve/one"
BESIDE = "payment-writeback/clean:resolve/one"


class Deaf:
    """A sink that keeps nothing."""

    def experiment_done(self, conducted):
        """Let it pass."""


@pytest.fixture
def run(monkeypatch):
    """Run experiments of the chain where there is no WireMock."""
    monkeypatch.setenv("HANDOFF_WIREMOCK_JAR", "/nowhere")
    plan = {experiment.id: experiment for experiment in compile_stack(CHAIN).experiments}

    def run_them(*names):
        options = Options(run_id="absent", stack_path=CHAIN_PATH)
        runner = Runner(CHAIN, options, Deaf(), asyncio.Event())
        return asyncio.run(runner.run([plan[name] for name in names]))

    return run_them


def test_what_cannot_be_driven_is_skipped_and_the_rest_runs(run):
    """Experiments of the absent system are skipped, with the reason and the next command; the others expect nothing of it."""
    results, skipped = run(CONTACT, ORDER, BESIDE)

    assert [(each.experiment.id, each.verdict.outcome) for each in results] == [
        (ORDER, Outcome.HELD),
        (BESIDE, Outcome.HELD),
    ]
    (left_out,) = skipped
    assert (left_out.id, left_out.applicable) == (CONTACT, False)
    assert left_out.reason.endswith("; next: make wiremock")
    assert {entry.row for result in results for entry in result.ledger} == {Row.POSTED}
    assert all("crm" not in str(station) for each in results for station in each.experiment.ledger.stations)


def test_nothing_but_what_is_left_out(run):
    """Where everything asked for is left out, nothing is run and everything is said to be skipped."""
    results, skipped = run(CONTACT, "shipment-to-carrier/clean:resolve/one")
    assert results == []
    assert [each.id for each in skipped] == [CONTACT, "shipment-to-carrier/clean:resolve/one"]
