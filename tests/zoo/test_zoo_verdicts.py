"""The harness against the zoo: every broken integration is caught by the clause it breaks, no correct one is accused."""

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.run import decide_exit
from harness.core.absence import leave_out
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.verdict import Outcome
from harness.engine.run import Options, Runner
from harness.lab.wiremock import Programs, find_programs
from harness.report.run_json import RunInfo, build_run
from scenarios.zoo.catalogue import VARIANTS, find_variant
from tests.programs import NOT_HERE

ROOT = Path(__file__).parents[2]
PATHS = {"slice": ROOT / "scenarios" / "slice.yaml", "chain": ROOT / "reference" / "stack.yaml"}
STACKS = {name: load_stack(path.read_text(), file=str(path)) for name, path in PATHS.items()}
PLANS = {name: compile_stack(stack) for name, stack in STACKS.items()}
# The chain without what mappings play: its labs come up faster, and where there is no WireMock.
MAPPED = {name: "mappings play it" for name, system in STACKS["chain"].systems.items() if system.is_mapped}
FAKES = {name: system for name, system in STACKS["chain"].systems.items() if name not in MAPPED}
WITHOUT = replace(leave_out(STACKS["chain"], MAPPED), systems=FAKES)
# What these break elsewhere shows in the records of such a system alone.
SHOWN_BY_MAPPINGS = {"buys-labels-by-the-webhook"}
LACKING = "" if isinstance(found := find_programs(), Programs) else found

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
    # One for each further handoff of the chain, and the order that goes on by a decision.
    "resumes-twice": ["order-to-erp/RESTRICTED_PRODUCT:queue/decided-approve"],
    "charges-anew-when-unsure": ["payment-capture/lost_answer:exactly_once/answer-lost"],
    "ships-unpaid": ["payment-capture/outage:contain/others-go-on"],
    "write-back-ignores-retry-after": ["payment-writeback/rate_limited:retry/retry-after"],
    "places-anew-per-attempt": ["erp-to-wms/lost_answer:exactly_once/answer-lost"],
    "believes-any-parcel": ["wms-shipment/bad_signature:reject/forged"],
    "fulfils-once-too-often": ["shipment-to-erp/any:retry/exhausted"],
    "tracking-ignores-retry-after": ["fulfilment-writeback/rate_limited:retry/retry-after"],
    "tells-of-one-of-each": ["fulfilment-writeback/clean:resolve/several"],
    "buys-labels-anew-per-attempt": ["shipment-to-carrier/lost_answer:exactly_once/answer-lost"],
    "buys-labels-by-the-webhook": ["wms-shipment/duplicate:deduplicate/new-id"],
    "retries-undeliverable": ["shipment-to-carrier/address_undeliverable:queue/opened"],
    "waits-for-the-crm": ["order-to-crm/outage:contain/others-go-on"],
    "stock-ignores-retry-after": ["inventory-sync/rate_limited:retry/retry-after"],
    "credits-anew-per-attempt": ["refund-to-erp/lost_answer:exactly_once/answer-lost"],
}
# What these do twice, and where the ledger shows it.
DOUBLED = {
    "charges-anew-when-unsure": "2 in payment_intents as succeeded",
    "places-anew-per-attempt": "2 in orders",
    "buys-labels-anew-per-attempt": "2 in labels",
    "buys-labels-by-the-webhook": "3 in labels",
    "credits-anew-per-attempt": "2 in credit_memos",
}
# Where a correct integration that goes about it in another way would most easily be accused.
CORRECT = {
    "lazy-breaker": ["order-to-erp/breaker/closes", "order-to-erp/breaker/reopens"],
    "alert-per-reopening": ["order-to-erp/breaker/reopens"],
    "other-worker-count": ["order-to-erp/session_expired:renew_session/concurrent", "order-to-erp/breaker/opens"],
    "slower": ["order-to-erp/429:retry/last", "order-to-erp/breaker/below"],
    "slow-receiver": ["order-capture/duplicate:deduplicate/together", "order-capture/crash:recover/after-ack"],
    "one-worker-everywhere": ["erp-to-wms/clean:resolve/several"],
    "deaf-to-gateway": [
        "payment-capture/lost_answer:exactly_once/answer-lost",
        "payment-capture/lost_response:retry/last",
    ],
    "always-looking": ["payment-writeback/any:retry/once", "fulfilment-writeback/clean:resolve/one"],
}
# One of each kind; every variant runs some of those about clauses it keeps, on the chain those of its own handoff.
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
# On the chain: about the same handoff.
BESIDE = [
    "clean:resolve/one",
    "any:retry/unlisted-code",
    "malformed:dead_letter/missing-fields",
    "clean:resolve/several",
]
SAMPLED = 2
# What the full proof of a broken one asks of the other handoffs of the chain.
ELSEWHERE = ("clean:resolve/one", "outage:contain/others-go-on")


class Deaf:
    """A sink that keeps nothing."""

    def experiment_done(self, conducted):
        """Let it pass."""


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


def needs_mappings(variant, experiments):
    """Tell whether experiments ask for a system that mappings play, or only such a system shows what a variant breaks."""
    handoffs = {handoff.id for handoff in WITHOUT.handoffs}
    asked = variant.name in SHOWN_BY_MAPPINGS or any(each.handoff not in handoffs for each in experiments)
    return variant.stack == "chain" and asked


def run(variant, experiments, *, labs=1):
    """Run experiments against a variant; return the results by experiment, the run's document and its exit code."""
    stack, path = STACKS[variant.stack], PATHS[variant.stack]
    if variant.stack == "chain" and not needs_mappings(variant, experiments):
        plan = {experiment.id: experiment for experiment in compile_stack(WITHOUT).experiments}
        stack, experiments = WITHOUT, [plan[experiment.id] for experiment in experiments]
    elif LACKING and needs_mappings(variant, experiments):
        pytest.skip(f"{NOT_HERE}{LACKING}")
    options = Options(
        run_id="zoo", labs=labs, stack_path=path, integration_command=f"python -m scenarios.zoo {variant.name}"
    )

    async def conduct():
        return await Runner(stack, options, Deaf(), asyncio.Event()).run(experiments)

    results, skipped = asyncio.run(conduct())
    assert not skipped
    now = dt.datetime.now(dt.UTC)
    info = RunInfo("zoo", stack, str(path), 0, "embedded", "embedded", labs, now, now.date(), {})
    document = build_run(info, PLANS[variant.stack], results, skipped)
    return results, document, decide_exit(document)


def choose(variant, telling):
    """Choose the telling experiments, and some others about clauses the variant keeps: not the same for every variant."""
    if variant.stack == "chain":
        handoffs = dict.fromkeys(name.partition("/")[0] for name in telling)
        kept = [f"{handoff}/{beside}" for handoff in handoffs for beside in BESIDE]
        start = 0
    else:
        kept = OTHERS
        start = VARIANTS.index(variant) * SAMPLED
    plan = {experiment.id: experiment for experiment in PLANS[variant.stack].experiments}
    keeps = [name for name in (*kept, *OTHERS) if name in plan and name not in telling and not is_broken(variant, name)]
    kept = [name for name in keeps if name in kept] or keeps
    sample = [kept[(start + step) % len(kept)] for step in range(SAMPLED)]
    return [experiment for name, experiment in plan.items() if name in {*telling, *sample}]


def choose_all(variant):
    """Choose everything; of a broken one of the chain everything about its own handoff, and what shows that others do not suffer."""
    experiments = PLANS[variant.stack].experiments
    if variant.stack == "slice" or variant.kind == "correct":
        return experiments
    own = tuple({f"{clause.partition('/')[0]}/" for clause in variant.clauses})
    return [
        experiment for experiment in experiments if experiment.id.startswith(own) or experiment.id.endswith(ELSEWHERE)
    ]


def is_broken(variant, name):
    """Tell whether an experiment is about what a variant breaks, or may break in consequence."""
    return name.startswith((*(f"{clause}/" for clause in variant.clauses), *variant.also))


def tell(results, outcome):
    """Tell the results with an outcome, with their reasons."""
    return {result.experiment.id: result.verdict.reason for result in results if result.verdict.outcome is outcome}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_integration_is_caught_by_what_it_breaks(name):
    """Exactly the experiments about the broken clauses are violated, every other is held, and the run ends with 1."""
    variant = find_variant(name)
    results, document, code = run(variant, choose(variant, BROKEN[name]))

    assert (tell(results, Outcome.VIOLATED).keys(), tell(results, Outcome.UNKNOWN)) == (set(BROKEN[name]), {})
    assert {result.experiment.clause for result in results if result.experiment.id in BROKEN[name]} <= set(
        variant.clauses
    )
    assert code == 1
    if name in DOUBLED:
        (stray,) = document["ledger"]["violations"]
        assert (stray["entity"][0], stray["state"]) == ("#", "duplicated")
        assert stray["story"][0] == "placed at the storefront"
        assert DOUBLED[name] in stray["story"]


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_integration_is_not_accused(name):
    """Another way of keeping the same promises is held, and the run ends with 0."""
    variant = find_variant(name)
    results, _, code = run(variant, choose(variant, CORRECT[name]))

    assert (tell(results, Outcome.VIOLATED), tell(results, Outcome.UNKNOWN)) == ({}, {})
    assert code == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_everyone_in_the_zoo_against_everything(variant):
    """Whatever there is to run: violated are the clauses a variant breaks and none it keeps, nothing else is unknown."""
    results, _, code = run(variant, choose_all(variant), labs=2)
    violated = {result.experiment.clause for result in results if result.verdict.outcome is Outcome.VIOLATED}
    accused = {name: why for name, why in tell(results, Outcome.VIOLATED).items() if not is_broken(variant, name)}
    unknown = {
        result.experiment.id: result.verdict.reason
        for result in results
        if result.verdict.outcome is Outcome.UNKNOWN and result.experiment.clause not in violated
    }

    assert (set(variant.clauses) - violated, accused, unknown) == (set(), {}, {})
    assert code == (1 if variant.kind == "broken" else 0)
