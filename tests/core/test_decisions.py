"""Planned decisions of a run: the same bytes for the same seed."""

import json
from dataclasses import replace

from harness.core.decisions import HORIZON, list_decisions


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
