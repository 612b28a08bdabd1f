"""The runner: which experiments run where, which run twice, and what becomes of a run whose labs die."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from harness.core.experiments import Await, Check, Place, Watch
from harness.core.verdict import Outcome, UnknownKind, build_held, build_unknown, build_violated
from harness.engine.run import Options, Runner, estimate_s
from harness.lab.errors import EnvironmentNotReady
from harness.lab.registry import read_records

CLEAN = "order-to-erp/clean:resolve/one"


class Sink:
    """Keep what ends, and do something after the first."""

    def __init__(self, after_first=lambda: None):
        self.seen = []
        self._after_first = after_first

    def experiment_done(self, conducted):
        """Take one that ended."""
        self.seen.append(conducted.result)
        if len(self.seen) == 1:
            self._after_first()


@pytest.fixture
def run(stack, state_dir):
    """Run experiments in labs of their own; return results, what was skipped and what the sink saw."""

    def run_all(*experiments, after_first=lambda: None, **options):
        async def conduct():
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            sink = Sink(lambda: loop.call_soon(stop.set) if after_first == "stop" else after_first())
            chosen = Options(run_id="test", **{"labs": 1, **options})
            results, skipped = await Runner(stack, chosen, sink, stop).run(experiments)
            return results, skipped, sink.seen

        return asyncio.run(conduct())

    return run_all


@pytest.fixture
def quick(find):
    """Give experiments that take a moment: one order, and a check of the test's own."""

    def make(name, judge=None):
        checks = find(CLEAN).checks if judge is None else (Check("own", judge),)
        steps = (Place((1,)), Await(find(CLEAN).steps[1].condition, within_s=5.0))
        return replace(find(CLEAN), id=f"{find(CLEAN).clause}/{name}", shape=name, steps=steps, checks=checks)

    return make


def answer(*outcomes):
    """Make a check that answers one outcome after another, the last one for ever; `asked` counts."""
    makers = {
        "held": lambda: build_held("own", "", "well"),
        "violated": lambda: build_violated("own", "", "broken"),
        "disturbed": lambda: build_unknown("own", "", "disturbed", UnknownKind.INTERFERENCE),
        "vacuous": lambda: build_unknown("own", "", "nothing", UnknownKind.VACUOUS),
    }

    def judge(history):
        judge.asked += 1
        return makers[outcomes[min(judge.asked, len(outcomes)) - 1]]()

    judge.asked = 0
    return judge


def kill_fake():
    """Kill the ERP of the only lab there is."""
    (pid,) = (mark.pid for record in read_records() for mark in record.processes if mark.role == "fake-erp")
    os.kill(pid, signal.SIGKILL)


def test_only_what_was_disturbed_runs_again_and_both_are_shown(run, quick):
    """A disturbed verdict gets a second try after all others; violated and otherwise unknown ones never do."""
    judges = [answer("disturbed", "held"), answer("violated", "held"), answer("vacuous", "held"), answer("held")]
    chosen = [quick(f"e{index}", judge) for index, judge in enumerate(judges)]
    results, skipped, seen = run(*chosen)

    assert [str(result.verdict.outcome) for result in results] == ["held", "violated", "unknown", "held"]
    assert [judge.asked for judge in judges] == [2, 1, 1, 1]
    assert results[0].rerun_of is not None
    assert results[0].rerun_of.verdict.kind is UnknownKind.INTERFERENCE
    assert [result.rerun_of for result in results[1:]] == [None, None, None]
    assert (len(seen), seen[-1].experiment, skipped) == (5, chosen[0], [])


def test_what_is_disturbed_twice_stays_unknown(run, quick):
    """There is one second try, not a third."""
    judge = answer("disturbed")
    (result,), _, seen = run(quick("e", judge))

    assert (judge.asked, len(seen), result.verdict.kind) == (2, 2, UnknownKind.INTERFERENCE)


def test_the_longest_begins_and_results_stand_in_the_order_given(run, quick):
    """What declares the most waiting runs first; the results are in the order of the plan all the same."""
    chosen = [
        quick("short"),
        replace(quick("long"), steps=(*quick("long").steps, Watch(0.5, "nothing"))),
        quick("last"),
    ]
    results, _, seen = run(*chosen)

    assert [result.experiment for result in results] == chosen
    assert [result.experiment.shape for result in seen] == ["long", "short", "last"]
    assert estimate_s(chosen[1]) > estimate_s(chosen[0])


def test_a_lab_that_died_is_replaced(run, quick):
    """What ran in it is unknown; what comes after runs in another one."""
    results, skipped, _ = run(*(quick(f"e{index}") for index in range(3)), after_first=kill_fake)
    verdicts = [(result.verdict.outcome, result.verdict.kind) for result in results]

    assert verdicts == [
        (Outcome.HELD, None),
        (Outcome.UNKNOWN, UnknownKind.ENVIRONMENT),
        (Outcome.HELD, None),
    ]
    assert skipped == []


def test_a_run_goes_as_far_as_it_has_labs(run, quick, tmp_path):
    """When no further lab comes up, what was found is kept and the rest is named as not run, with the reason."""
    once = tmp_path / "once.py"
    once.write_text(ONCE)
    results, skipped, _ = run(
        *(quick(f"e{index}") for index in range(4)), after_first=kill_fake, integration_command=["python", str(once)]
    )

    assert [result.verdict.outcome for result in results] == [Outcome.HELD, Outcome.UNKNOWN]
    assert [each.id.rsplit("/")[-1] for each in skipped] == ["e2", "e3"]
    assert all("no second licence" in each.reason for each in skipped)


def test_a_run_without_any_lab_says_why(run, quick):
    """Nothing ran, nothing is told but what the integration said."""
    with pytest.raises(EnvironmentNotReady, match="no licence"):
        run(quick("e"), labs=2, integration_command=["python", "-c", "raise SystemExit('no licence')"])


def test_a_stop_ends_the_run_after_what_was_under_way(run, quick):
    """What has not begun is named as interrupted."""
    results, skipped, _ = run(*(quick(f"e{index}") for index in range(4)), after_first="stop")

    assert results[0].verdict.outcome is Outcome.HELD
    assert len(results) + len(skipped) == 4
    assert skipped
    assert {each.reason for each in skipped} == {"interrupted"}


ONCE = """
import pathlib, runpy, sys
begun = pathlib.Path(__file__).with_name("begun")
if begun.exists():
    raise SystemExit("no second licence")
begun.touch()
sys.argv = ["reference"]
runpy.run_module("reference", run_name="__main__", alter_sys=True)
"""
