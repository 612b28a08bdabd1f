"""The harness against the zoo: every broken integration is caught by the clauses it breaks, no correct one is accused."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest
import uvloop

from harness.cli.zoo import ZOO_LABS
from harness.core.verdict import Outcome
from harness.engine.run import Options, Runner
from harness.lab.wiremock import Programs, find_programs
from harness.report.run_json import RunInfo, build_run
from harness.zoo.choosing import choose
from harness.zoo.given import Given
from harness.zoo.listing import list_inhabitants
from harness.zoo.measuring import Measuring
from harness.zoo.scoring import Finding
from scenarios.zoo.catalogue import VARIANTS
from tests.programs import NOT_HERE

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "stack.yaml"
MAPPED = ("carrier", "crm")
LACKING = "" if isinstance(found := find_programs(), Programs) else found
ROUNDS = 5

# What these do twice, where the ledger shows it, and the experiment that tells.
DOUBLED = {
    "charges-anew-when-unsure": (
        "2 in payment_intents as succeeded",
        "payment-capture/lost_answer:exactly_once/answer-lost",
    ),
    "places-anew-per-attempt": ("2 in orders", "erp-to-wms/lost_answer:exactly_once/answer-lost"),
    "buys-labels-anew-per-attempt": ("2 in labels", "shipment-to-carrier/lost_answer:exactly_once/answer-lost"),
    "buys-labels-by-the-webhook": ("3 in labels", "wms-shipment/duplicate:deduplicate/new-id"),
    "credits-anew-per-attempt": ("2 in credit_memos", "refund-to-erp/lost_answer:exactly_once/answer-lost"),
}
AT_ONCE = {"credits-anew-per-attempt"}


class Deaf:
    """A sink that keeps nothing."""

    def experiment_done(self, conducted):
        """Let it pass."""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder, and start the zoo from the project's."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(ROOT)


def find(name):
    """Find one of the zoo as its command lists it; leave the test out where what it needs is not here."""
    (inhabitant,) = (each for each in list_inhabitants("python -m scenarios.zoo", stack=REFERENCE) if each.name == name)
    if LACKING and inhabitant.stack == Path("reference/stack.yaml") and not inhabitant.without:
        pytest.skip(f"{NOT_HERE}{LACKING}")
    return inhabitant


def measure(inhabitants, *, labs=2, seed=0, fair=10_000, elsewhere=10_000):
    """Measure some of the zoo; return their rows by name."""

    async def run():
        measuring = Measuring(seed, labs, asyncio.Event(), lambda _row: None, fair=fair, elsewhere=elsewhere)
        return await measuring.run(inhabitants, [], victim=None)

    return {row.name: row for row in uvloop.run(run())}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in AT_ONCE else [pytest.mark.slow]) for name in DOUBLED]
)
def test_what_was_done_twice_is_told_as_a_story(name):
    """The one experiment about it is violated, and the ledger of the run tells across the systems what became of the order."""
    inhabitant, (records, experiment) = find(name), DOUBLED[name]
    given = Given.read(inhabitant.stack, inhabitant.without)
    options = Options(run_id="zoo", stack_path=inhabitant.stack, integration_command=inhabitant.command)
    telling = [each for each in given.plan.experiments if each.id == experiment]

    async def conduct():
        return await Runner(given.stack, options, Deaf(), asyncio.Event()).run(telling)

    results, skipped = asyncio.run(conduct())
    now = dt.datetime.now(dt.UTC)
    info = RunInfo("zoo", given.stack, str(given.path), 0, "embedded", "embedded", 1, now, now.date(), {})
    (stray,) = build_run(info, given.plan, results, skipped)["ledger"]["violations"]

    assert [result.verdict.outcome for result in results] == [Outcome.VIOLATED]
    assert (stray["entity"][0], stray["state"]) == ("#", "duplicated")
    assert stray["story"][0] == "placed at the storefront"
    assert records in stray["story"]


def test_labs_do_without_what_the_zoo_does_not_need():
    """A stack without what mappings play keeps the handoffs that do not end there, and their experiments."""
    whole, light = Given.read(REFERENCE), Given.read(REFERENCE, MAPPED)
    left_out = {each.id for each in whole.stack.handoffs} - {each.id for each in light.stack.handoffs}

    assert left_out == {"shipment-to-carrier", "order-to-crm"}
    assert not set(MAPPED) & set(light.stack.systems)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [variant.name for variant in VARIANTS if variant.kind == "broken"])
def test_a_broken_one_against_its_handoffs_and_many_others(name):
    """All of its own handoffs and many of the others: violated is a clause it breaks, and none it keeps."""
    row = measure([find(name)], elsewhere=60)[name]

    assert row.finding is Finding.CAUGHT, row.why


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_no_correct_one_is_accused(seed):
    """Five times over, each time other experiments: another way of keeping the same promises is held."""
    correct = [find(variant.name) for variant in VARIANTS if variant.kind == "correct"]
    rows = measure(correct, labs=ZOO_LABS, seed=seed, fair=60)

    assert {name: row.why for name, row in rows.items() if row.finding is not Finding.CLEARED} == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_correct_one_against_everything():
    """The reference itself, and one that works otherwise throughout, hold whatever there is to run."""
    chosen = [find("reference"), find("one-worker-everywhere")]
    rows = measure(chosen)

    assert {name: row.why for name, row in rows.items() if row.finding is not Finding.CLEARED} == {}
    assert rows["one-worker-everywhere"].ran == len(
        choose(Given.read(REFERENCE).plan.experiments, chosen[1], seed=0, fair=10_000)
    )
