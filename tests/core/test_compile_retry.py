"""Retries: how long one attempt too many is watched for."""

import pytest
from compiled_stacks import Shape

from harness.core.compile.frame import HORIZON
from harness.core.experiments import Watch


@pytest.mark.parametrize(("observed", "gap_s"), [(True, 0.4), (False, 0.8)])
def test_an_attempt_too_many_is_watched_for_as_long_as_it_may_take(observed, gap_s):
    """Where no dead letter tells that an order was given up, the gap that would come next must pass in silence too."""
    plan = Shape(observed=observed).plan
    experiment = next(each for each in plan.experiments if each.id.endswith("any:retry/exhausted"))
    watched = [step.for_s for step in experiment.steps if isinstance(step, Watch)]

    assert watched == [pytest.approx(HORIZON * gap_s)]
