"""Measuring a zoo, with labs that only pretend: who is measured again, what is spared, and what ends everything."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli.exits import OK, UNKNOWN, VIOLATED
from harness.cli.selection import shard
from harness.cli.zoo import _decide_exit
from harness.core.compile import compile_stack
from harness.core.history import History
from harness.core.loading import load_stack
from harness.core.result import Result, Skipped, Timing
from harness.core.verdict import Outcome, UnknownKind, Verdict
from harness.engine.run import estimate_s
from harness.lab.errors import LabError
from harness.zoo import measuring as measuring_module
from harness.zoo.inhabitant import Inhabitant
from harness.zoo.measuring import Measuring
from harness.zoo.sabotage.catalogue import SABOTAGES
from harness.zoo.sabotage.ground import Unsuitable
from harness.zoo.sabotage.sabotage import Sabotage
from harness.zoo.scoring import Finding
from scenarios.zoo.catalogue import VARIANTS

SLICE = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
CLAUSE = "order-to-erp/429:retry"
BAD = Inhabitant("bad", "broken", "breaks it", "zoo bad", SLICE, clauses=(CLAUSE,), also=("order-to-erp/any:retry",))
GOOD = Inhabitant("good", "correct", "keeps it", "zoo good", SLICE)
HELD, VIOLATED_, UNKNOWN_ = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
NO_TIME = Timing(0.0, 0.0, 0.0, 0.0)


@dataclass
class Labs:
    """Labs that judge by `judge`: the words of the command, an experiment, and how often this one was asked about it before."""

    judge: object
    ran: list = field(default_factory=list)
    asked: Counter = field(default_factory=Counter)
    fails_after: int = 1_000_000

    def make(self, _stack, options, sink, stop, *, again):
        """Make a runner; the labs run nothing again by themselves."""
        assert not again
        return Runner(self, options.integration_command, sink, stop)


@dataclass
class Runner:
    """A runner of one of the zoo, in as far as measuring looks at it."""

    labs: Labs
    command: str
    sink: object
    stop: asyncio.Event
    waiting: deque = field(default_factory=deque)
    failure: LabError | None = None

    async def run(self, experiments):
        """Run what waits, one after another."""
        self.waiting, results = deque(experiments), []
        self.labs.ran.append((self.command, [each.id for each in experiments]))
        if not self.labs.fails_after:
            raise LabError("no lab today")
        while self.waiting and not self.stop.is_set():
            if len(results) == self.labs.fails_after:
                self.failure = LabError("no lab any more")
                break
            results.append(self.conduct(self.waiting.popleft()))
            # The other labs have their turn.
            await asyncio.sleep(0)
        done = {each.experiment.id for each in results}
        return results, [Skipped(each.id, str(self.failure)) for each in experiments if each.id not in done]

    def conduct(self, experiment):
        """Judge one, and tell the sink."""
        before = self.labs.asked[self.command, experiment.id]
        self.labs.asked[self.command, experiment.id] += 1
        outcome, kind = self.labs.judge(self.command, experiment, before)
        result = Result(experiment, Verdict(outcome, f"it was {outcome}", (), (), kind), History(1.0), NO_TIME)
        self.sink.experiment_done(SimpleNamespace(result=result))
        return result


@pytest.fixture
def pretend(monkeypatch):
    """Have labs pretend."""

    def install(judge, **settings):
        labs = Labs(judge, **settings)
        monkeypatch.setattr(measuring_module, "Runner", labs.make)
        return labs

    return install


def measure(*inhabitants, sabotages=(), stop=None, labs=2, **settings):
    """Measure; return the rows by name, and the names in the order they were told."""
    told = []

    async def run():
        measuring = Measuring(0, labs, stop or asyncio.Event(), told.append, **settings)
        return measuring, await measuring.run(inhabitants, sabotages, victim=GOOD if sabotages else None)

    measuring, rows = asyncio.run(run())
    return SimpleNamespace(
        rows={row.name: row for row in rows}, told=[row.name for row in told], left_out=measuring.left_out
    )


def list_small(count):
    """List so many correct ones."""
    return [Inhabitant(f"small-{number}", "correct", "", f"zoo small-{number}", SLICE) for number in range(count)]


def hold(_command, _experiment, _before):
    """Find nothing wrong."""
    return HELD, None


def disturb(times):
    """Have the machine disturb one experiment, so many times over."""

    def judge(_command, experiment, before):
        disturbed = experiment.id == f"{CLAUSE}/once" and before < times
        return (UNKNOWN_, UnknownKind.INTERFERENCE) if disturbed else (HELD, None)

    return judge


def test_what_the_machine_disturbed_is_run_once_more(pretend):
    """Only what was disturbed, after everybody else, and what it is then counts; it is told once."""
    labs = pretend(disturb(1))
    other = Inhabitant("other", "correct", "", "zoo other", SLICE)
    measured = measure(GOOD, other, labs=1, fair=100)

    assert [ran for _, ran in labs.ran[2:]] == [[f"{CLAUSE}/once"]] * 2
    assert {row.finding for row in measured.rows.values()} == {Finding.CLEARED}
    assert measured.rows["good"].ran == len(labs.ran[0][1])
    assert sorted(measured.told) == ["good", "other"]


def test_what_is_disturbed_twice_is_untold(pretend):
    """There is no third time."""
    labs = pretend(disturb(5))
    measured = measure(GOOD, fair=100)

    assert len(labs.ran) == 2
    assert measured.rows["good"].finding is Finding.UNTOLD
    assert measured.told == ["good"]


def test_one_that_is_caught_stays_caught(pretend):
    """What else was disturbed is not run again then."""

    def judge(_command, experiment, _before):
        if experiment.clause == CLAUSE:
            return VIOLATED_, None
        return UNKNOWN_, UnknownKind.INTERFERENCE

    labs = pretend(judge)
    assert measure(BAD).rows["bad"].finding is Finding.CAUGHT
    assert len(labs.ran) == 1


def test_what_is_caught_is_asked_nothing_of_what_else_it_may_break(pretend):
    """One violated experiment is enough; what it keeps is asked all the same, for there it may be accused."""
    labs = pretend(lambda _command, experiment, _before: (VIOLATED_ if experiment.clause == CLAUSE else HELD, None))
    row = measure(BAD).rows["bad"]
    asked = Counter(name.rpartition("/")[0] for _, name in labs.asked)

    assert (row.finding, row.caught_by) == (Finding.CAUGHT, (CLAUSE,))
    assert asked[CLAUSE] == 1
    assert asked["order-to-erp/clean:resolve"] > 1
    # What may break in consequence comes after it in the plan.
    assert asked["order-to-erp/any:retry"] == 0
    assert row.ran == labs.asked.total()


def test_what_it_keeps_is_asked_no_more_once_it_was_found_broken(pretend):
    """Where somebody is accused, one violated experiment of each clause says so; what is caught nowhere is asked on."""
    kept = "order-to-erp/clean:resolve"
    labs = pretend(lambda _command, each, _before: (VIOLATED_ if each.clause == kept else HELD, None))
    asked = Counter(name.rpartition("/")[0] for _, name in labs.asked) if measure(BAD) else Counter()

    assert asked[kept] == 1
    assert min(asked[CLAUSE], asked["order-to-erp/any:retry"]) > 1


def test_what_may_break_in_consequence_is_no_catch_and_no_accusation(pretend):
    """Alone it leaves a broken one missed; a clause it keeps makes it accused."""
    pretend(lambda _command, each, _before: (VIOLATED_ if each.clause == "order-to-erp/any:retry" else HELD, None))
    assert measure(BAD).rows["bad"].finding is Finding.MISSED
    pretend(lambda _command, each, _before: (VIOLATED_ if each.clause != "order-to-erp/any:retry" else HELD, None))
    assert measure(BAD).rows["bad"].finding is Finding.ACCUSED


def test_no_lab_at_all_is_the_error(pretend):
    """Where nothing could be run with anybody, there is no measurement."""
    pretend(hold, fails_after=0)
    with pytest.raises(LabError, match="no lab today"):
        measure(GOOD, BAD)


@pytest.mark.parametrize(("broken", "finding"), [(False, Finding.UNTOLD), (True, Finding.CAUGHT)])
def test_labs_that_fail_midway_prove_nothing_right(broken, finding, pretend):
    """What was held until then clears nobody and misses nobody; what was violated was seen."""

    def judge(command, experiment, _before):
        seen = broken and command == BAD.command and experiment.clause in BAD.clauses
        return VIOLATED_ if seen else HELD, None

    pretend(judge, fails_after=20)
    rows = measure(BAD, GOOD, fair=20).rows

    assert rows["bad"].finding is finding
    assert ("no lab any more" in rows["bad"].why) is not broken
    assert rows["good"].finding is Finding.CLEARED


def test_who_wants_to_stop_is_told_what_is_there(pretend):
    """What was under way is no row, and nobody else is begun."""
    stop = asyncio.Event()

    def judge(_command, _experiment, _before):
        if len(labs.ran) == 2:
            stop.set()
        return HELD, None

    labs = pretend(judge)
    measured = measure(*list_small(4), labs=1, stop=stop, fair=3)

    assert len(labs.ran) == 2
    assert [f"zoo {name}" for name in measured.rows] == [labs.ran[0][0]]


def test_the_longest_is_measured_first(pretend):
    """Those whose experiments wait longest begin, so that nobody waits for them in the end; rows are as they were given."""
    labs = pretend(hold)
    measured = measure(*list_small(5), labs=1, fair=4)
    plan = {each.id: each for each in compile_stack(load_stack(SLICE.read_text(), file=str(SLICE))).experiments}
    lasting = [sum(estimate_s(plan[name]) for name in ran) for _, ran in labs.ran]

    assert lasting == sorted(lasting, reverse=True)
    assert lasting[0] > lasting[-1]
    assert list(measured.rows) == [each.name for each in list_small(5)]


def test_what_tells_cannot_be_run_here(pretend, monkeypatch):
    """One whose own experiments are all left out, as by a vendor that is absent, is left out, and why."""
    pretend(hold)

    async def run(self, experiments):
        kept = [each for each in experiments if each.clause != CLAUSE]
        skipped = [Skipped(each.id, "the ERP is absent") for each in experiments if each.clause == CLAUSE]
        return [self.conduct(each) for each in kept], skipped

    monkeypatch.setattr(Runner, "run", run)
    measured = measure(BAD, GOOD)

    assert measured.left_out == {"bad": "the ERP is absent"}
    assert list(measured.rows) == ["good"]


def test_sabotages_that_cannot_be_done(pretend):
    """One that finds nothing to spoil is left out; one whose lab fails is untold; the next one is done all the same."""
    pretend(hold)

    async def find_nothing(_ground):
        raise Unsuitable("nothing to spoil")

    async def fail(_ground):
        raise LabError("no lab today")

    async def blame(ground):
        experiment = ground.plan.experiments[0]
        return Result(experiment, Verdict(VIOLATED_, "blamed", (), ()), History(1.0), NO_TIME)

    sabotages = [
        Sabotage(work.__name__, "", work, UnknownKind.INTERFERENCE, "", alone=work is blame)
        for work in (find_nothing, fail, blame)
    ]
    measured = measure(GOOD, sabotages=sabotages)

    assert measured.left_out == {"find_nothing": "nothing to spoil"}
    assert {name: row.finding for name, row in measured.rows.items()} == {
        "good": Finding.CLEARED, "fail": Finding.UNTOLD, "blame": Finding.ACCUSED,
    }  # fmt: skip


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_measure_everything_once(parts):
    """Together the parts are all of the zoo and every sabotage, none of them twice, and each has some of every kind."""
    kinds = {variant.name: variant.kind for variant in VARIANTS} | {each.name: "sabotage" for each in SABOTAGES}
    chosen = [shard([*kinds], f"{part}/{parts}") for part in range(1, parts + 1)]

    assert sorted(name for part in chosen for name in part) == sorted(kinds)
    assert all({kinds[name] for name in part} == {"broken", "correct", "sabotage"} for part in chosen)


@pytest.mark.parametrize(
    ("wrong", "untold", "interrupted", "rows", "code"),
    [
        (0, 0, False, [1], OK),
        (1, 0, False, [1], VIOLATED),
        (1, 1, True, [1], VIOLATED),
        (0, 1, False, [1], UNKNOWN),
        (0, 0, True, [1], UNKNOWN),
        (0, 0, False, [], UNKNOWN),
    ],
)
def test_how_a_measurement_ends(wrong, untold, interrupted, rows, code):
    """With 1 where anything is wrong, with 10 where something cannot be said, or nothing was measured, and else with 0."""
    summary = {"wrong": wrong, "untold": untold}
    assert _decide_exit({"summary": summary, "interrupted": interrupted, "rows": rows}) == code
