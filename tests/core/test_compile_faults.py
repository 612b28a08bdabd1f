"""What the faults that a stack compiles to do on the wire."""

from pathlib import Path

import pytest

from harness.core.compile import compile_stack
from harness.core.faults import Fault
from harness.core.loading import load_stack

ROOT = Path(__file__).parents[2]


def find_faults(kind: str) -> list[Fault]:
    """List the faults of a kind in all experiments of the reference."""
    stack = load_stack((ROOT / "reference/stack.yaml").read_text(encoding="utf-8"), file="reference/stack.yaml")
    plan = compile_stack(stack)
    return [fault for experiment in plan.experiments for fault in experiment.faults if fault.kind == kind]


@pytest.mark.parametrize(("kind", "stream"), [("connection", "upstream"), ("lost_response", "downstream")])
def test_only_a_lost_answer_lets_the_vendor_have_the_call(kind: str, stream: str) -> None:
    """A connection breaks before the vendor has the call, so even who looks first must send again; an answer is lost after."""
    faults = find_faults(kind)

    assert faults
    assert {toxic.stream for fault in faults for toxic in fault.toxics} == {stream}
