"""Stories written by hand: they fail where a promise is broken, where nothing was tested, and where the ledger does not balance."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHIN_S = 110
PASSED, FAILED = 0, 1

CONFTEST = f"""
import pytest
from pathlib import Path

@pytest.fixture(scope="session")
def stack_file():
    return Path({str(ROOT / "scenarios" / "slice.yaml")!r})

@pytest.fixture(scope="session")
def integration_command():
    return "python -m scenarios.zoo new-external-id-per-attempt"

@pytest.fixture(scope="session")
def scale():
    return 40.0
"""
STORIES = """
def test_clean(lab, storefront, erp, history):
    orders = storefront.place(2, lines=[{"sku": "MUG-WHITE", "quantity": 3}])
    history.wait_until(orders.resolved())
    assert [record["lines"][0]["quantity"] for record in erp.sales_orders(orders)] == [3, 3]
    assert lab.stack.time.scale == 40

def test_vacuous(storefront, erp, faults, history):
    with faults.arm(erp.session_expires(after=10)):
        orders = storefront.place(1)
        history.wait_until(orders.resolved())

def test_without_a_claim(storefront, erp, faults, history):
    with faults.arm(erp.loses_answers(times=1)) as lost:
        orders = storefront.place(1)
        history.wait_until(lost.bites(), orders.resolved(times=2))

def test_without_a_gateway(gateway):
    pass
"""
# Reads what the job is allowed to run beside, and allows it everything.
TWICE_AT_ONCE = """
import sys
from reference.parts import Parts
from reference.runs import Job
from reference.serve import run

start = Job._start

def start_anyway(self, trigger):
    self._busy = False
    return start(self, trigger)

Job._start = start_anyway
sys.exit(run(Parts()))
"""


@pytest.fixture
def run_stories(tmp_path):
    """Run pytest over stories in a process of its own; the state of its labs is thrown away."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"HANDOFF_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1", "COLUMNS": "200"}

    def run(*arguments, root=ROOT):
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:randomly", "--rootdir", str(root), *map(str, arguments)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip

    return run


def test_a_broken_promise_fails_its_story_and_shows_the_orders_across_the_systems(run_stories):
    """Below the claim that failed stand the receipts, and each order's way through the systems."""
    impatient = "python -m scenarios.zoo write-back-ignores-retry-after"
    ended = run_stories("scenarios/test_price_change.py", "--handoff-integration", impatient)

    assert ended.returncode == FAILED, ended.stdout
    assert re.search(r"declared +20s at least .*\n.*observed +[\d.]+s, in \d gaps", ended.stdout)
    assert "what happened in the lab" in ended.stdout
    assert re.search(r"fault +rate_limited at storefront transaction.create: [48] receipts", ended.stdout)
    assert re.search(r"#\d+ +posted: placed at the storefront; .*1 in transactions as capture", ended.stdout)


def test_a_job_that_runs_twice_at_once_fails_its_story(run_stories, tmp_path):
    """An integration that starts the inventory job although it is running is told so."""
    twice = tmp_path / "twice.py"
    twice.write_text(TWICE_AT_ONCE)
    ended = run_stories("scenarios/test_inventory_job.py", "--handoff-integration", f"python {twice}")

    assert ended.returncode == FAILED, ended.stdout
    assert re.search(r"assert not True\n.*start_job\('sync-inventory'\)", ended.stdout)


def test_a_folder_of_its_own_overrides_a_fixture_and_keeps_the_rest(run_stories, tmp_path):
    """
    The stack, the command and the scale are a fixture each, and each story is judged beyond what it claims itself.

    One whose fault met no traffic, and one whose orders are posted twice, fail although they claim nothing.
    """
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(STORIES)
    ended = run_stories(tmp_path, root=tmp_path)

    assert ended.returncode == FAILED, ended.stdout
    assert "1 passed" in ended.stdout.splitlines()[-1], ended.stdout
    assert re.search(r"UNKNOWN \(vacuous\) +test_vacuous", ended.stdout)
    assert "never touched traffic: 0 receipts, at least 1 needed" in ended.stdout
    assert re.search(r"VIOLATED +test_without_a_claim", ended.stdout)
    assert re.search(r"observed +doubled: #\d+", ended.stdout)
    assert "the stack acme-slice has no system that stripe plays" in ended.stdout


def test_a_stack_that_is_not_there_is_told_with_the_way_out(run_stories, tmp_path):
    """Without a stack no lab comes up, and the message says how to name one."""
    (tmp_path / "test_mine.py").write_text("def test_one(storefront):\n    pass\n")
    ended = run_stories(tmp_path, root=tmp_path)

    assert ended.returncode == FAILED
    assert "name a stack with --handoff-stack, or override `stack_file`" in ended.stdout
    assert not (tmp_path / "state").exists()
