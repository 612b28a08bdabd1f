"""`--engine`: a real Toxiproxy in runs, in labs that stay up, and under pytest; what is said where there is none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.lab.tools import TOXIPROXY_VARIABLE, tell_toxiproxy
from tests.programs import TOXIPROXY, needs_toxiproxy

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
WITHIN_S = 100
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
FAULTED = "order-to-erp/any:retry/connection"


@pytest.fixture
def handoff(tmp_path):
    """Run commands with a register, temporary files and reports of their own."""
    environment = os.environ | {"HANDOFF_STATE_DIR": str(tmp_path / "state"), "PATH": os.environ["PATH"]}
    if TOXIPROXY is not None:
        environment[TOXIPROXY_VARIABLE] = str(TOXIPROXY)

    def call(*words, program=HANDOFF):
        return subprocess.run(
            [*program, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )

    yield call
    call("lab", "down")


@needs_toxiproxy
def test_a_run_says_which_engine_it_had_and_how_to_have_it_again(handoff, tmp_path):
    """run.json names the engine, and the command that runs an experiment again names it too."""
    ended = handoff("run", STACK, "-n", "1", "-k", FAULTED, "--engine", "toxiproxy", "--out", str(tmp_path), "--json")

    assert ended.returncode == 0, ended.stderr
    run = json.loads(ended.stdout)
    (experiment,) = run["experiments"]
    assert (run["engine"], experiment["verdict"]) == ("toxiproxy", "held")
    assert [len(fault["receipts"]) for fault in experiment["faults"]] == [1]
    assert "--engine toxiproxy" in experiment["reproduce"]


@needs_toxiproxy
def test_a_lab_that_stays_up_keeps_its_engine(handoff, tmp_path):
    """Whoever joins it has the engine it was brought up with, and one who asks for the other is told."""
    up = handoff("lab", "up", STACK, "--engine", "toxiproxy", "--with-integration", "--detach", "--json")
    assert (up.returncode, json.loads(up.stdout or "{}").get("engine")) == (0, "toxiproxy"), up.stderr
    joined = handoff("run", STACK, "--lab", "attached", "-k", FAULTED, "--out", str(tmp_path), "--json")
    other = handoff("run", STACK, "--lab", "attached", "-k", FAULTED, "--engine", "embedded", "--out", str(tmp_path))

    assert joined.returncode == 0, joined.stderr
    run = json.loads(joined.stdout)
    assert (run["engine"], run["lab"], run["experiments"][0]["verdict"]) == ("toxiproxy", "attached", "held")
    assert other.returncode == 4
    assert "was brought up with toxiproxy" in other.stderr


@needs_toxiproxy
def test_pytest_takes_the_engine_too(handoff):
    """`--handoff-engine toxiproxy` runs a stack's items with a real server."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", STACK, "-k", "any and connection"]
    ended = handoff(*words, "--handoff-engine", "toxiproxy", program=[sys.executable])

    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_a_machine_without_the_server_ends_with_12_and_the_command(capsys, monkeypatch, tmp_path):
    """Nothing is started, nothing is written."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv(TOXIPROXY_VARIABLE, str(tmp_path / "nothing"))
    code = main(["run", str(ROOT / STACK), "--engine", "toxiproxy", "--out", str(tmp_path / "out"), "-k", FAULTED])

    assert code == 12
    assert tell_toxiproxy() in capsys.readouterr().err
    assert list((tmp_path / "out").glob("*")) == []
