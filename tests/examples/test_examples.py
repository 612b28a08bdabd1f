"""The integrations nobody here tuned: each breaks what its readme says it breaks, and nothing else is held against it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from tests.programs import NOT_HERE

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
NO_REPLAY = "the integration has no way to replay one"

# Which check says so, by experiment.
NODE_RED = {
    "order-capture/duplicate:deduplicate/new-id": "resolved_once",
    "order-capture/malformed:dead_letter/truncated": "dead_letter",
    "order-capture/malformed:dead_letter/empty": "dead_letter",
    "order-capture/malformed:dead_letter/wrong-types": "dead_letter",
    "order-capture/malformed:dead_letter/missing-fields": "dead_letter",
    "order-capture/malformed:dead_letter/beyond": "escalation",
    "order-capture/pairs:resolve/01": "resolved_once order-to-erp",
    "order-capture/pairs:resolve/03": "no_dead_letter payment-capture",
    "order-capture/pairs:resolve/04": "resolved_once order-to-erp",
    "order-to-erp/lost_answer:exactly_once/answer-lost": "resolved_once",
    "order-to-erp/lost_answer:exactly_once/answer-hangs": "resolved_once",
    "order-to-erp/any:retry/connection": "no_dead_letter",
    "order-to-erp/any:retry/timeout": "no_dead_letter",
    "payment-capture/lost_answer:exactly_once/answer-lost": "no_dead_letter",
    "payment-capture/lost_answer:exactly_once/answer-hangs": "no_dead_letter",
    "payment-capture/any:retry/connection": "no_dead_letter",
    "payment-capture/any:retry/timeout": "no_dead_letter",
}
PLAIN_NODE = {
    "order-to-erp/session_expired:renew_session/exhausted": "attempts",
    "order-to-erp/USER_ERROR+already-exists:branch/other-text": "same_payload",
    "order-to-erp/any:retry/once": "same_payload",
    "order-to-erp/any:retry/last": "same_payload",
    "order-to-erp/any:retry/exhausted": "same_payload",
    "order-to-erp/any:retry/unlisted-code": "same_payload",
    "order-to-erp/any:retry/connection": "same_payload",
    "order-to-erp/any:retry/timeout": "same_payload",
    "order-to-erp/dead_letter:escalate/below": "escalation",
    "order-to-erp/dead_letter:escalate/at": "escalation",
    "order-to-erp/dead_letter:escalate/beyond": "escalation",
    "order-to-erp/breaker/closes": "resolved_once",
    "order-to-erp/breaker/contained": "resolved_once",
}
# Who loses a race decides these: whether a call was out before the kill, whether two met the same expired session,
# whether an outage opens the circuit before it is over.
MAYBE = {
    "order-capture/crash:recover/after-ack": "recovered",
    "order-capture/crash:recover/in-a-burst": "recovered",
    "order-to-erp/session_expired:renew_session/concurrent": "renewed",
    "order-to-erp/outage:contain/drained": "drained",
    # The same kill, and something at the ERP beside it.
    **{f"order-capture/pairs:resolve/{row}": "resolved_once order-to-erp" for row in ("01", "02", "03")},
}


def ensure_node(oldest):
    """Skip, aloud, where there is no Node of at least this version."""
    node = shutil.which("node")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    if not told or int(told.lstrip("v").split(".")[0]) < oldest:
        pytest.skip(f"{NOT_HERE}Node {oldest} or newer")


def install(folder):
    """Install what a package.json pins, once; skip, aloud, where npm is missing."""
    if (folder / "node_modules" / ".package-lock.json").exists():
        return
    if shutil.which("npm") is None:
        pytest.skip(f"{NOT_HERE}npm")
    ended = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def run(name, tmp_path, *options):
    """Run an example against its own stack; return the verdict that counts of each experiment."""
    variables = os.environ | {"HANDOFF_STATE_DIR": str(tmp_path / "state")}
    command = [*HANDOFF, "run", f"examples/{name}/stack.yaml", "--json", "--out", str(tmp_path / "out"), *options]
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    return {experiment["id"]: experiment for experiment in json.loads(ended.stdout)["experiments"]}


def list_broken(experiments):
    """List the violated experiments with the checks that say so."""
    return {
        name: {check["name"] for check in experiment["checks"] if check["verdict"] == "violated"}
        for name, experiment in experiments.items()
        if experiment["verdict"] == "violated"
    }


def judge(experiments, pinned, maybe):
    """Hold what was found against what is pinned; what the machine disturbed twice proves nothing either way."""
    broken = list_broken(experiments)
    disturbed = {name for name, found in experiments.items() if found.get("unknown_kind") == "interference"}
    due = set(pinned) & set(experiments)
    assert set(broken) <= due | set(maybe)
    assert due - disturbed <= set(broken)
    assert {name: checks for name, checks in broken.items() if (pinned | maybe)[name] not in checks} == {}
    assert len(broken) > len(due) / 2


# One of each kind of what they break, and what stands beside it and is held; the whole of both takes minutes.
SOME = "clean or duplicate or truncated or lost_answer or any:retry/once or any:retry/timeout or escalate/at"


@pytest.mark.timeout(400)
def test_node_red(tmp_path):
    """The flow breaks what its readme says."""
    ensure_node(18)
    install(EXAMPLES / "node-red")

    judge(run("node-red", tmp_path, "-k", SOME), NODE_RED, {})


@pytest.mark.timeout(400)
def test_plain_node(tmp_path):
    """The script breaks what its readme says."""
    ensure_node(18)

    judge(run("plain-node", tmp_path, "-k", SOME), PLAIN_NODE, MAYBE)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_of_node_red(tmp_path):
    """The flow breaks what its readme says, and nothing else; a replay it does not offer is unknown, for that reason."""
    ensure_node(18)
    install(EXAMPLES / "node-red")

    experiments = run("node-red", tmp_path)

    judge(experiments, NODE_RED, {})
    replays = [found for name, found in experiments.items() if name.endswith("/replay")]
    assert len(replays) == 2
    assert all(replay["unknown_kind"] == "interference" or NO_REPLAY in str(replay["checks"]) for replay in replays)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_of_plain_node(tmp_path):
    """The script breaks what its readme says, and nothing else."""
    ensure_node(18)

    judge(run("plain-node", tmp_path), PLAIN_NODE, MAYBE)


@pytest.mark.parametrize(("name", "pinned"), [("node-red", NODE_RED), ("plain-node", PLAIN_NODE | MAYBE)])
def test_the_readme_tells_of_each(name, pinned):
    """Every experiment that is violated is one of the stack's, and stands in the table of the example's readme."""
    path = EXAMPLES / name / "stack.yaml"
    plan = compile_stack(load_stack(path.read_text(), file=str(path)))
    told = list(read_told((path.parent / "README.md").read_text()))

    assert set(pinned) <= {experiment.id for experiment in plan.experiments}
    assert [experiment for experiment in pinned if not any(part in experiment for part in told)] == []
    assert [part for part in told if not any(part in experiment for experiment in pinned)] == []


def read_told(readme):
    """Read the parts of ids in brackets in the table's first column; one that begins with a stroke goes on from the last."""
    for row in re.findall(r"^\| (?!declared|---)(.*?) \| ", readme, re.MULTILINE):
        clause = ""
        for part in re.findall(r"`([^`]+)`", row.rpartition("(")[2]):
            clause = clause if part.startswith("/") else part.rpartition("/")[0] or part
            yield clause + part if part.startswith("/") else part
