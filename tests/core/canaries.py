"""Histories told like golden traces, and the canary that is found in them."""

from pathlib import Path

from harness.core.canary import find_canary
from harness.core.golden import build_stage, load_trace

ROOT = Path(__file__).parents[2]
FILES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("scenarios/slice.yaml", "reference/stack.yaml")}
STAGES = {name: build_stage(text, file=name) for name, text in FILES.items()}
HANDOFF = "order-to-erp"
RETRIED = (
    "0.00 breaker closed handoff=order-to-erp",
    "0.00 arm f1",
    "0.00 place 1",
    "0.01 webhook 1 200",
    "0.03 sales_order.upsert 1 429 f1",
    "0.19 sales_order.upsert 1 204 record=7",
)
BOTH = (*RETRIED[:2], "0.00 place 1 2", "0.01 webhook 1 200", "0.01 webhook 2 200", *RETRIED[4:])


def read(lines, *, experiment="429:retry/once", handoff=HANDOFF, until=1.2, stack="scenarios/slice.yaml", more=""):
    """Read a history told line by line."""
    told = "".join(f"  - {line}\n" for line in sorted(lines, key=lambda line: float(line.split()[0])))
    text = f"story: some\nexperiment: {handoff}/{experiment}\n{more}history:\n{told}until: {until}\nverdict: held\n"
    return load_trace(text, file="trace.yaml", stage=STAGES[stack])


def find(*lines, breakers=frozenset({HANDOFF}), left=frozenset(), **more):
    """Find the canary of a history."""
    trace = read(lines, **more)
    return find_canary(trace.history, trace.experiment, breakers=breakers, left=left)
