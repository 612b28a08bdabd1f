"""Every planned fault decision of a run, in canonical order and without times: same seed, same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.faults import plan_decisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.core.experiments import Experiment

# How many attempts of each order a decision is planned for, unless the fault names more.
HORIZON = 8


def list_decisions(seed: int, experiments: Iterable[Experiment]) -> Iterator[dict[str, Any]]:
    """List the decisions of all experiments by id, fault, order and attempt; order 0 stands for all orders together."""
    for experiment in sorted(experiments, key=lambda each: each.id):
        for fault in experiment.faults:
            horizon = max(HORIZON, *(fault.attempts or (0,)))
            for decision in plan_decisions(seed, experiment.id, fault, horizon=horizon):
                yield {
                    "experiment": experiment.id,
                    "fault": decision.fault,
                    "order": decision.order,
                    "attempt": decision.attempt,
                    "hit": decision.hit,
                }
