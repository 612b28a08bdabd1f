"""`handoff plan`: what a stack compiles to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main

SLICE = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
PLAN = "import sys; from harness.cli import main; sys.exit(main(['plan', sys.argv[1], '--json']))"


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


def plan_json(capsys, *arguments):
    """Plan the reference and return what was printed."""
    code = main(["plan", str(SLICE), "--json", *arguments])
    assert code == 0
    return json.loads(capsys.readouterr().out)


def test_the_reference_compiles_to_its_experiments(capsys):
    """There are at least thirty for two handoffs and a breaker, each with an id of its own, of its clause."""
    planned = plan_json(capsys)
    ids = [each["id"] for each in planned["experiments"]]

    assert len(set(ids)) == len(ids) >= 30
    assert {each["handoff"] for each in planned["experiments"]} == {"order-capture", "order-to-erp"}
    assert all(each["id"] == f"{each['clause']}/{each['shape']}" for each in planned["experiments"])
    assert sorted(ids) == sorted(name for row in planned["coverage"] for name in row["experiments"])


def test_every_experiment_says_how_it_is_made(capsys):
    """Steps, checks and faults with the receipts they need are there before anything runs."""
    for each in plan_json(capsys)["experiments"]:
        assert each["steps"]
        assert each["checks"]
        assert all(fault["min_receipts"] >= 1 for fault in each["faults"])


def test_ids_are_the_same_whatever_the_process():
    """Nothing of a plan depends on how a process hashes or when it runs."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", PLAN, str(SLICE)],
            env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip

    assert printed[0] == printed[1]
    assert json.loads(printed[0])["experiments"]


def test_only_what_is_chosen_is_shown(capsys):
    """`-k` narrows the experiments down, in words as well."""
    assert [each["id"] for each in plan_json(capsys, "-k", "429 and exhausted")["experiments"]] == [
        "order-to-erp/429:retry/exhausted"
    ]
    assert main(["plan", str(SLICE), "-k", "429 and exhausted"]) == 0
    out = capsys.readouterr().out
    assert "order-to-erp/429:retry    4 attempts, then dead letter" in out
    assert "1 experiments" not in out
    assert "1 experiment " in out


def test_a_clause_that_is_not_exercised_says_why(capsys, tmp_path):
    """It stays in the list, with the reason."""
    stack = tmp_path / "stack.yaml"
    text = SLICE.read_text()
    stack.write_text(text.replace("protocol: api\n", "protocol: file_transfer\n"))
    assert main(["plan", str(stack)]) == 0
    assert "not exercised: handoffs over file_transfer are not driven" in capsys.readouterr().out


def test_a_choice_of_nothing_is_refused(capsys):
    """Exit 4, with the nearest experiment."""
    assert main(["plan", str(SLICE), "-k", "order-to-erp/breaker/open"]) == 0
    assert main(["plan", str(SLICE), "-k", "brake"]) == 4
    assert "chooses none" in capsys.readouterr().err
