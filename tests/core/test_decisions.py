"""Planned decisions of a run: the same bytes for the same seed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from harness.core.decisions import HORIZON, list_decisions

ROOT = Path(__file__).parents[2]
WHOLE_RUN = """
import sys, json
from harness.core.compile import compile_stack
from harness.core.decisions import list_decisions
from harness.core.loading import load_stack
stack = load_stack(open("reference/stack.yaml", encoding="utf-8").read(), file="stack.yaml")
for line in list_decisions(int(sys.argv[1]), compile_stack(stack).experiments):
    print(json.dumps(line))
"""


def dump(seed, experiments):
    """Return the decisions as they are written."""
    return [json.dumps(line) for line in list_decisions(seed, experiments)]


def test_same_seed_same_bytes(plan):
    """The order the experiments come in makes no difference."""
    assert dump(11, plan.experiments) == dump(11, reversed(plan.experiments))


def test_every_fault_is_planned(plan):
    """Each fault of each experiment has its decisions, for every attempt it names."""
    lines = list(list_decisions(1, plan.experiments))
    assert {(line["experiment"], line["fault"]) for line in lines} == {
        (experiment.id, fault.id) for experiment in plan.experiments for fault in experiment.faults
    }
    assert sum(line["hit"] for line in lines) > 0


def test_the_horizon_covers_late_attempts(experiments):
    """A fault at a late attempt is planned that far."""
    experiment = experiments["order-to-erp/429:retry/once"]
    late = replace(experiment, faults=(replace(experiment.faults[0], attempts=(HORIZON + 3,)),))
    lines = list(list_decisions(1, [late]))
    assert [line["attempt"] for line in lines] == list(range(1, HORIZON + 4))
    assert [line["attempt"] for line in lines if line["hit"]] == [HORIZON + 3]


def test_seeds_differ_where_chance_decides(experiments):
    """Another seed decides otherwise, but only where a fault leaves something to chance."""
    experiment = experiments["order-to-erp/429:retry/exhausted"]
    chancy = replace(experiment, faults=(replace(experiment.faults[0], probability=0.5),))
    assert dump(1, [experiment]) == dump(2, [experiment])
    assert len({tuple(dump(seed, [chancy])) for seed in range(8)}) > 4


def test_every_process_decides_alike():
    """A process of another hash seed, time zone and language writes the same bytes of the whole stack."""

    def decide(seed, **surroundings):
        return subprocess.run(
            [sys.executable, "-c", WHOLE_RUN, str(seed)], cwd=ROOT, env=os.environ | surroundings,
            capture_output=True, check=True,
        ).stdout  # fmt: skip

    first = decide(11, PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C")
    assert decide(11, PYTHONHASHSEED="4711", TZ="Asia/Tokyo", LC_ALL="C.UTF-8") == first
    assert len(first.splitlines()) > 500
