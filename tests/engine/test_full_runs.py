"""The whole plan against the reference, thirty times: nothing is held against what keeps its promises, and nothing stays open."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STACK = "reference/stack.yaml"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
RUNS = 30
WITHIN_S = 900


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + 60)
@pytest.mark.parametrize("seed", range(RUNS))
def test_the_reference_holds_whatever_the_seed(seed, tmp_path):
    """Every experiment is held, every clause exercised, no order lost or doubled; nothing was left out unless it cannot run here."""
    ended = subprocess.run(
        [*HANDOFF, "run", STACK, "--seed", str(seed), "--out", str(tmp_path), "--json"],
        cwd=ROOT, env=os.environ | {"HANDOFF_STATE_DIR": str(tmp_path / "state")},
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    run = json.loads(ended.stdout)
    others = [(each["id"], each["verdict"], each["reason"]) for each in run["experiments"] if each["verdict"] != "held"]

    assert (ended.returncode, others) == (0, [])
    assert run["summary"]["held"] == len(run["experiments"]) > 200
    assert (run["ledger"]["lost"], run["ledger"]["duplicated"], run["ledger"]["violations"]) == (0, 0, [])
