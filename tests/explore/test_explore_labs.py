"""Exploring with real labs: a defect that only two faults together show is found, kept, and shown again by a run."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.compile.combined import build_combiner
from harness.core.loading import load_stack
from harness.core.schedule import Strike, build_schedule
from harness.core.verdict import Outcome
from harness.engine.conduct import conduct
from harness.engine.run import Options, open_bench
from harness.lab.orphans import find_processes

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
FORGETFUL = "python -m scenarios.zoo forgets-its-id-on-renewal"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
RENEWAL, LOST = "order-to-erp/session_expired", "order-to-erp/lost_response"


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """Keep the register of every test in its own folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


def handoff(*arguments, within_s=600):
    """Run a command to its end."""
    return subprocess.run(
        [*HANDOFF, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False
    )


def list_experiments(path):
    """List the experiments that lines of a file are about."""
    return {json.loads(line)["experiment"] for line in path.read_text().splitlines()}


def test_it_takes_two():
    """One lab, one defect: neither fault alone breaks anything, both together double the order."""
    stack = load_stack((ROOT / STACK).read_text(), file=STACK)
    combiner = build_combiner(stack)
    strikes = (Strike(1, RENEWAL, 1, 1, 1), Strike(1, LOST, 1, 1, 2))
    alone = [(Strike(1, RENEWAL, 1, 1, 1),), (Strike(1, LOST, 1, 1, 1),)]
    chosen = [combiner.build(build_schedule(each, slots=1), proven=True) for each in (*alone, strikes)]
    options = Options(run_id="test", stack_path=ROOT / STACK, integration_command=FORGETFUL)

    async def run():
        async with open_bench(stack, options, index=0, stop=asyncio.Event()) as bench:
            return [(await conduct(bench, experiment)).result.verdict for experiment in chosen]

    first, second, both = asyncio.run(run())
    assert (first.outcome, second.outcome) == (Outcome.HELD, Outcome.HELD), (first.reason, second.reason)
    assert both.outcome is Outcome.VIOLATED, both.reason
    assert "doubled" in both.reason


def test_ctrl_c_tells_what_was_tried(tmp_path):
    """Ctrl-C ends the search with 10 where nothing was found, with its document, and leaves no process."""
    command = [
        "explore",
        STACK,
        "-n",
        "1",
        "--seed",
        "1",
        "--out",
        str(tmp_path / "out"),
        "--regressions",
        str(tmp_path),
    ]
    with subprocess.Popen(
        [*HANDOFF, *command], cwd=ROOT, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        while "drawn" not in running.stderr.readline():
            assert running.poll() is None
        labs = [json.loads(path.read_text())["id"] for path in (tmp_path / "state" / "labs").glob("*.json")]
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=90)

    (folder,) = (tmp_path / "out").iterdir()
    document = json.loads((folder / "explore.json").read_text())
    assert (running.returncode, document["interrupted"]) == (10, True)
    assert "interrupted: this is what was tried by then" in printed
    assert labs
    assert [mark for lab in labs for mark in find_processes(lab)] == []
    assert list_experiments(folder / "decisions.ndjson") <= list_experiments(folder / "history.ndjson")


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_found_kept_and_shown_again(tmp_path):
    """The search finds the defect, shrinks it to at most three strikes and keeps it; a run of what is kept tells it from the reference."""
    kept = tmp_path / "kept"
    common = ("--regressions", str(kept), "--out", str(tmp_path / "out"))
    searched = handoff(
        "explore", STACK, "-n", "2", "--seed", "4", "--most", "1", "--confirm", "5", "--budget", "15m",
        "--integration", FORGETFUL, "--json", *common, within_s=1200,
    )  # fmt: skip
    assert searched.returncode == 1, searched.stderr
    (found,) = json.loads(searched.stdout)["found"]
    assert len(found["strikes"]) <= 3
    assert "doubled" in found["observed"]
    assert found["hits"] > 0
    assert [str(path) for path in kept.iterdir()] == [found["file"]]

    broken = handoff("run", STACK, "-n", "1", "-k", found["id"], "--integration", FORGETFUL, *common)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    sound = handoff("run", STACK, "-n", "1", "-k", found["id"], *common)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    last = max((tmp_path / "out").glob("[0-9]*"))
    assert handoff("replay", str(last)).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_reference_is_not_accused(tmp_path):
    """A correct integration gives nothing to find."""
    searched = handoff(
        "explore", STACK, "-n", "2", "--seed", "2", "--budget", "2m", "--json",
        "--out", str(tmp_path / "out"), "--regressions", str(tmp_path),
    )  # fmt: skip
    document = json.loads(searched.stdout)
    assert (searched.returncode, document["found"]) == (0, []), searched.stderr
    assert document["fewer_than"] < 0.2
