"""Traces to be read: where they stand, and how what is wrong with one is told."""

from functools import cache
from pathlib import Path

import pytest

from harness.core.golden import Stage, Trace, TraceError, build_stage, load_trace
from harness.core.history import History

ROOT = Path(__file__).parents[2]

TRACE = """\
story: The ERP answers 429 once.
experiment: order-to-erp/429:retry/once
history:
  - 0.00 arm f1
  - 0.00 place 1
  - 0.01 webhook 1 200
  - 0.03 sales_order.upsert 1 429 f1 code=BUSY
  - 0.19 sales_order.upsert 1 204 record=7
until: 1.2
verdict: held
"""


SLICE, CHAIN = "scenarios/slice.yaml", "reference/stack.yaml"


@cache
def find(name: str) -> Stage | None:
    """Load a stack of the repository."""
    path = ROOT / name
    return build_stage(path.read_text(encoding="utf-8"), file=name) if path.exists() else None


def read(text: str, file: str = "trace.yaml") -> Trace:
    """Load a trace, about the slice unless it says otherwise."""
    return load_trace(text, file=file, stage=find(SLICE), find=find)


def tell(*lines: str, verdict: str = "held") -> History:
    """Return the history that lines tell, in an experiment with one fault and two orders."""
    history = "".join(f"  - {line}\n" for line in lines)
    return read(
        f"story: some\nexperiment: order-to-erp/429:retry/once\nhistory:\n{history}verdict: {verdict}\n"
    ).history


def complain(text: str) -> list[str]:
    """Return what is wrong with a trace, each with its place."""
    with pytest.raises(TraceError) as caught:
        read(text)
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in caught.value.problems]
