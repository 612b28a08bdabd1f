"""What several tests of the core start from."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.core.compile import compile_stack
from harness.core.experiments import Experiment, Plan
from harness.core.loading import load_stack
from harness.core.stack import Stack

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.load_profile("steady")

REFERENCE = Path(__file__).parents[2] / "reference" / "stack.yaml"


@pytest.fixture(scope="session")
def stack() -> Stack:
    """Load the reference stack."""
    return load_stack(REFERENCE.read_text(encoding="utf-8"), file="reference/stack.yaml")


@pytest.fixture(scope="session")
def plan(stack: Stack) -> Plan:
    """Compile the reference stack."""
    return compile_stack(stack)


@pytest.fixture(scope="session")
def experiments(plan: Plan) -> dict[str, Experiment]:
    """List the experiments of the reference stack by id."""
    return {experiment.id: experiment for experiment in plan.experiments}
