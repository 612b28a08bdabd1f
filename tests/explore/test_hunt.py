"""The search in labs, with labs that only pretend: what counts as a finding, what is kept of it, and when labs are replaced."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.checks.ledger import Entry, Row
from harness.core.compile.combined import build_combiner
from harness.core.history import History, Receipt
from harness.core.loading import load_stack
from harness.core.result import Result, Timing
from harness.core.schedule import EVERY, Strike, build_schedule
from harness.core.verdict import UnknownKind, build_held, build_unknown, build_violated, merge
from harness.engine.conduct import Conducted
from harness.engine.run import Options
from harness.explore import labs as labs_module
from harness.explore.hunt import Limits, hunt, list_hints
from harness.explore.labs import Labs
from harness.lab.errors import LabError

PATH = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
STACK = load_stack(PATH.read_text(), file=str(PATH))
RENEWAL, LOST, OUTAGE = "order-to-erp/session_expired", "order-to-erp/lost_response", "order-to-erp/outage"
NO_TIME = Timing(0.0, 0.0, 0.0, 0.0)


@dataclass
class Pretence:
    """Labs that judge an experiment by the kinds of its faults; `opened` counts the labs there were."""

    judge: object
    opened: int = 0
    unsettles: bool = False
    fails_from: int = 1_000
    conducted: list = field(default_factory=list)

    @asynccontextmanager
    async def open_bench(self, stack, options, **_rest):  # noqa: ARG002 - as the engine's
        """Open a lab, or fail to."""
        self.opened += 1
        if self.opened >= self.fails_from:
            raise LabError("no lab today")
        yield SimpleNamespace(stack=stack, usable=True, unsettled="", recorder=SimpleNamespace(lost=False))

    async def conduct(self, bench, experiment):
        """Judge at once."""
        self.conducted.append(experiment)
        bench.usable = not self.unsettles
        await asyncio.sleep(0)
        receipts = tuple(Receipt(fault.id, 0.0, "x", "", "", 1) for fault in experiment.faults)
        verdict = merge([], [self.judge({fault.kind for fault in experiment.faults})])
        return Conducted(Result(experiment, verdict, History(1.0, receipts=receipts), NO_TIME), (), 0.0)


class Sink:
    """A sink that keeps what it hears."""

    def __init__(self):
        self.heard = []

    def began(self, combiner, labs):  # noqa: ARG002 - as a sink's
        """Keep the menu."""
        self.menu = combiner.menu

    def trial_ended(self, ended):
        """Keep the trial."""
        self.heard.append(ended)


def held(_kinds):
    """Find nothing wrong."""
    return build_held("ledger", "all", "all")


def break_on_two(kinds):
    """Break where both meet, whatever else there is."""
    both = {"session_expired", "lost_response"} <= kinds
    return build_violated("ledger", "all", "doubled") if both else held(kinds)


def doubt(_kinds):
    """Be able to say nothing."""
    return build_unknown("ledger", "all", "cannot be seen", UnknownKind.NOT_OBSERVABLE)


@pytest.fixture
def pretend(monkeypatch):
    """Have labs pretend."""

    def install(judge=held, **settings):
        pretence = Pretence(judge, **settings)
        monkeypatch.setattr(labs_module, "open_bench", pretence.open_bench)
        monkeypatch.setattr(labs_module, "conduct", pretence.conduct)
        return pretence

    return install


def search(*, labs=1, seconds=60.0, trials=400, stop=None, seed=5):
    """Search the slice; return what it came to and what the sink heard."""
    sink = Sink()
    options = Options(run_id="test", seed=seed, labs=labs, stack_path=PATH)
    limits = Limits(seconds, trials, 1, confirm=4)

    async def run():
        return await hunt(STACK, options, limits, sink, stop or asyncio.Event())

    return asyncio.run(run()), sink


@pytest.mark.parametrize("labs", [1, 3])
def test_what_two_faults_break_is_found_shrunk_and_confirmed(labs, pretend):
    """The finding is the pair, confirmed by what will be stored: the same schedule, in which every fault must be met."""
    pretence = pretend(break_on_two)
    hunted, sink = search(labs=labs)

    (finding,) = hunted.findings
    assert {strike.fault for strike in finding.found.schedule.strikes} == {RENEWAL, LOST}
    assert (finding.found.hits, finding.found.runs, finding.regression.at_least) == (4, 4, 0.4729)
    assert (finding.regression.stack, finding.regression.broken, finding.regression.reason) == (
        "acme-slice", ("ledger",), "doubled"
    )  # fmt: skip
    again = [ended.experiment for ended in sink.heard if ended.phase == "again"]
    assert {fault.minimum for each in again for fault in each.faults} == {1}
    assert finding.result.experiment.id == again[0].id
    assert len(sink.heard) == len(pretence.conducted)
    assert pretence.opened == labs


def test_the_same_seed_draws_the_same(pretend):
    """How many labs there are changes nothing about what is drawn."""
    drawn = []
    for labs, seed in ((1, 5), (3, 5), (1, 6)):
        pretend(held)
        _, sink = search(labs=labs, trials=24, seed=seed)
        drawn.append(sorted((ended.number, ended.schedule) for ended in sink.heard))
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("judge", [held, doubt])
def test_only_a_violated_verdict_counts(judge, pretend):
    """What is held, or unknown, is no finding, however often."""
    pretend(judge)
    hunted, sink = search(trials=30)
    assert hunted.findings == ()
    assert len(sink.heard) == 30


def test_a_lab_that_is_not_settled_is_replaced(pretend):
    """The next trial is made in a new lab."""
    pretence = pretend(held, unsettles=True)
    search(trials=5)
    assert pretence.opened >= 5


def test_no_lab_at_all(pretend):
    """Where none comes up, that is the error."""
    pretend(held, fails_from=1)
    with pytest.raises(LabError, match="no lab today"):
        search(labs=2)


def test_no_lab_any_more(pretend):
    """Where none is left, the search ends with what it has, and says why."""
    pretend(held, unsettles=True, fails_from=4)
    hunted, sink = search()
    assert str(hunted.failure) == "no lab today"
    assert len(sink.heard) == 3


def test_stopped(pretend, monkeypatch):
    """Once the user wants to stop nothing more is tried, and what was found is kept."""
    pretence = pretend(break_on_two)
    stop = asyncio.Event()
    conduct = pretence.conduct

    async def conduct_and_stop(bench, experiment):
        if len(pretence.conducted) == 9:
            stop.set()
        return await conduct(bench, experiment)

    monkeypatch.setattr(labs_module, "conduct", conduct_and_stop)
    hunted, sink = search(stop=stop)
    assert len(sink.heard) == 10
    assert hunted.failure is None


def test_the_budget_is_spent(pretend):
    """Without time nothing is tried."""
    pretend(held)
    _, sink = search(seconds=0.0)
    assert sink.heard == []


def test_labs_answer_whoever_waits(pretend):
    """What waits for a lab when the last one is gone is answered, too."""
    pretend(held, unsettles=True, fails_from=2)
    experiment = build_combiner(STACK).build(build_schedule([Strike(1, LOST)], slots=1))

    async def run():
        labs = Labs(STACK, Options(run_id="test", stack_path=PATH), asyncio.Event())
        async with labs.opened():
            return await asyncio.gather(*(labs.conduct(experiment) for _ in range(3)))

    first, *others = asyncio.run(run())
    assert first is not None
    assert others == [None, None]


def build_result(schedule, *, stray=(), met=()):
    """Build the result of a schedule: stray orders, and the faults that met traffic."""
    experiment = build_combiner(STACK).build(schedule)
    ledger = tuple(Entry(order, f"#{order}", row, ()) for order, row in stray)
    history = History(1.0, receipts=tuple(Receipt(fault, 0.0, "x", "", "", 1) for fault in met))
    return Result(experiment, merge([], [held(set())]), history, NO_TIME, ledger)


def test_hints_keep_what_took_part():
    """What met traffic and can hit the stray order is kept, by itself and among the others; then all that met traffic."""
    strikes = [Strike(1, RENEWAL, EVERY, 2), Strike(1, LOST, 2, 2), Strike(1, OUTAGE, 1), Strike(2, LOST, 2)]
    schedule = build_schedule(strikes, slots=2)
    faults = build_combiner(STACK).build(schedule).faults
    met = [fault.id for fault, strike in zip(faults, schedule.strikes, strict=True) if strike.begins == 1]
    result = build_result(schedule, stray=[(1, Row.POSTED), (2, Row.DUPLICATED)], met=met)
    assert list_hints(schedule, result) == (
        build_schedule([Strike(1, RENEWAL, 1), Strike(1, LOST, 1)], slots=1),
        build_schedule([Strike(1, RENEWAL, 2, 2), Strike(1, LOST, 2, 2)], slots=2),
        build_schedule(strikes[:3], slots=2),
    )


def test_no_hint():
    """Where everything took part, or nothing did, there is none."""
    schedule = build_schedule([Strike(1, LOST, EVERY)], slots=1)
    assert list_hints(schedule, build_result(schedule, met=["f1"])) == ()
    assert list_hints(schedule, build_result(schedule)) == ()
