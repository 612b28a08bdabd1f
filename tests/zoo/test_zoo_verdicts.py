"""The harness against the zoo: every broken integration is caught by the clause it breaks, no correct one is accused."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from harness.cli.run import decide_exit
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.verdict import Outcome
from harness.engine.run import Options, Runner
from harness.report.run_json import RunInfo, build_run
from scenarios.zoo.catalogue import VARIANTS, find_variant

STACK_PATH = Path(__file__).parents[2] / "reference" / "stack.yaml"
STACK = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
PLAN = compile_stack(STACK)

# The experiments that must tell, one for each clause a variant breaks at least; all of them run in the full proof.
BROKEN = {
    "one-attempt-too-many": ["order-to-erp/429:retry/exhausted"],
    "gives-up-too-early": ["order-to-erp/429:retry/last"],
    "new-external-id-per-attempt": [
        "order-to-erp/429:retry/once",
        "order-to-erp/any:retry/once",
        "order-to-erp/session_expired:renew_session/once",
        "order-to-erp/lost_answer:exactly_once/answer-lost",
    ],
    "never-escalates": ["order-to-erp/dead_letter:escalate/at"],
    "escalates-to-wrong-role": ["order-to-erp/dead_letter:escalate/at"],
    "breaker-at-n-plus-1": ["order-to-erp/breaker/opens"],
    "acknowledges-before-persisting": ["order-capture/crash:recover/after-ack"],
    "no-signature-check": ["order-capture/bad_signature:reject/forged"],
}
# Where a correct integration that goes about it in another way would most easily be accused.
CORRECT = {
    "lazy-breaker": ["order-to-erp/breaker/closes", "order-to-erp/breaker/reopens"],
    "alert-per-reopening": ["order-to-erp/breaker/reopens"],
    "other-worker-count": ["order-to-erp/session_expired:renew_session/concurrent", "order-to-erp/breaker/opens"],
    "slower": ["order-to-erp/429:retry/last", "order-to-erp/breaker/below"],
    "slow-receiver": ["order-capture/duplicate:deduplicate/together", "order-capture/crash:recover/after-ack"],
}
# One of each kind; every variant runs some of those about clauses it keeps.
OTHERS = [
    "order-capture/clean:resolve/one",
    "order-to-erp/any:retry/connection",
    "order-capture/bad_signature:reject/missing",
    "order-to-erp/USER_ERROR+already-exists:branch/taken",
    "order-capture/duplicate:deduplicate/new-id",
    "order-to-erp/429:retry/once",
    "order-capture/malformed:dead_letter/truncated",
    "order-to-erp/session_expired:renew_session/once",
    "order-to-erp/malformed:dead_letter/first",
    "order-to-erp/clean:resolve/several",
]
SAMPLED = 2


class Deaf:
    """A sink that keeps nothing."""

    def experiment_done(self, conducted):
        """Let it pass."""


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


def run(variant, experiments, *, labs=1):
    """Run experiments against a variant; return the results by experiment and the exit code of such a run."""
    options = Options(
        run_id="zoo", labs=labs, stack_path=STACK_PATH, integration_command=f"python -m scenarios.zoo {variant.name}"
    )

    async def conduct():
        return await Runner(STACK, options, Deaf(), asyncio.Event()).run(experiments)

    results, skipped = asyncio.run(conduct())
    assert not skipped
    now = dt.datetime.now(dt.UTC)
    info = RunInfo("zoo", STACK, str(STACK_PATH), 0, "embedded", "embedded", labs, now, now.date(), {})
    return results, decide_exit(build_run(info, PLAN, results, skipped))


def choose(variant, telling):
    """Choose the telling experiments, and some others about clauses the variant keeps: not the same for every variant."""
    kept = [name for name in OTHERS if not name.startswith((*variant.clauses, *variant.also)) and name not in telling]
    start = VARIANTS.index(variant) * SAMPLED
    sample = [kept[(start + step) % len(kept)] for step in range(SAMPLED)]
    return [experiment for experiment in PLAN.experiments if experiment.id in {*telling, *sample}]


def tell(results, outcome):
    """Tell the results with an outcome, with their reasons."""
    return {result.experiment.id: result.verdict.reason for result in results if result.verdict.outcome is outcome}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_integration_is_caught_by_what_it_breaks(name):
    """Exactly the experiments about the broken clauses are violated, every other is held, and the run ends with 1."""
    variant = find_variant(name)
    results, code = run(variant, choose(variant, BROKEN[name]))

    assert (tell(results, Outcome.VIOLATED).keys(), tell(results, Outcome.UNKNOWN)) == (set(BROKEN[name]), {})
    assert {result.experiment.clause for result in results if result.experiment.id in BROKEN[name]} <= set(
        variant.clauses
    )
    assert code == 1


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_integration_is_not_accused(name):
    """Another way of keeping the same promises is held, and the run ends with 0."""
    variant = find_variant(name)
    results, code = run(variant, choose(variant, CORRECT[name]))

    assert (tell(results, Outcome.VIOLATED), tell(results, Outcome.UNKNOWN)) == ({}, {})
    assert code == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_everyone_in_the_zoo_against_everything(variant):
    """Every experiment of the stack: violated are the clauses a variant breaks and none it keeps, nothing else is unknown."""
    results, code = run(variant, PLAN.experiments, labs=2)
    violated = {result.experiment.clause for result in results if result.verdict.outcome is Outcome.VIOLATED}
    accused = {
        name: why
        for name, why in tell(results, Outcome.VIOLATED).items()
        if not name.startswith((*variant.clauses, *variant.also))
    }
    unknown = {
        result.experiment.id: result.verdict.reason
        for result in results
        if result.verdict.outcome is Outcome.UNKNOWN and result.experiment.clause not in violated
    }

    assert (set(variant.clauses) - violated, accused, unknown) == (set(), {}, {})
    assert code == (1 if variant.kind == "broken" else 0)
