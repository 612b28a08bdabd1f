"""`pytest stack.yaml`: an experiment an item, with pytest's own words and codes."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
WITHIN_S = 100
FAILED, COLLECTION_ERROR, NOTHING_COLLECTED = 1, 2, 5
FORGED = "order-capture/bad_signature:reject/forged"


@pytest.fixture
def run_pytest(tmp_path):
    """Run pytest over a stack in a process of its own, from the project's folder."""
    ours = {"HANDOFF_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1", "COLUMNS": "160"}

    def run(*arguments, stack=STACK):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | ours
        return subprocess.run(
            [sys.executable, "-m", "pytest", str(stack), *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip

    return run


def totals(ended):
    """Read pytest's last line as counts."""
    line = ended.stdout.strip().splitlines()[-1]
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|skipped|error|deselected)", line)}


def test_the_reference_passes_in_two_workers_and_says_so_in_junit(run_pytest, tmp_path):
    """Each experiment is a test case that carries its verdict."""
    results = tmp_path / "results.xml"
    chosen = f"{FORGED} or order-to-erp/clean:resolve/one"
    ended = run_pytest("-k", chosen, "-n", "2", "--junitxml", str(results))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    cases = ET.parse(results).getroot().findall(".//testcase")  # noqa: S314 - our own file of a moment ago
    assert {case.get("name") for case in cases} == {FORGED, "order-to-erp/clean:resolve/one"}
    assert {prop.get("value") for prop in ET.parse(results).iter("property")} == {"held"}  # noqa: S314 - as above


def test_a_broken_promise_fails_with_declared_beside_observed(run_pytest):
    """Instead of a traceback the failure shows what was promised, what was seen, the receipts and how to see it again."""
    broken = "python -m scenarios.zoo no-signature-check"
    ended = run_pytest("-k", FORGED, "--handoff-integration", broken)

    assert (ended.returncode, totals(ended)["failed"]) == (FAILED, 1), ended.stdout
    assert "VIOLATED" in ended.stdout
    assert re.search(r"declared +answered 401, nothing changes +scenarios/slice.yaml:\d+", ended.stdout)
    assert re.search(r"observed +answered 200", ended.stdout)
    assert "receipts   f1: 1 (at least 1)" in ended.stdout
    assert f"reproduce  pytest {STACK} -k {FORGED} --handoff-seed 0 --handoff-integration '{broken}'" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_an_unknown_verdict_fails(run_pytest, tmp_path):
    """Where nothing was tested nothing passes: here webhooks are not for this integration at all."""
    text = (ROOT / STACK).read_text().replace("webhooks: {storefront: /webhooks/storefront}", "webhooks: {}")
    stack = tmp_path / "stack.yaml"
    stack.write_text(text)
    mute = tmp_path / "mute.py"
    mute.write_text(MUTE)
    ended = run_pytest("-k", "order-to-erp/429:retry/once", "--handoff-integration", f"python {mute}", stack=stack)

    assert (ended.returncode, totals(ended)["failed"]) == (FAILED, 1), ended.stdout
    assert "UNKNOWN (environment)" in ended.stdout


def test_a_clause_without_experiments_is_skipped_aloud(run_pytest, tmp_path):
    """What cannot be exercised is in the results, with the reason."""
    stack = tmp_path / "stack.yaml"
    trigger = "      - on: {status: 429}\n"
    text = (ROOT / STACK).read_text()
    assert text.count(trigger) == 1
    stack.write_text(text.replace(trigger, f"{PARTIAL}{trigger}"))
    ended = run_pytest("-k", "partial_allocation", "-rs", stack=stack)

    assert (ended.returncode, totals(ended)["skipped"]) == (0, 1), ended.stdout
    assert "only a warehouse (`fake: wms`) allocates a part of an order" in ended.stdout


def test_a_stack_with_a_mistake_is_a_collection_error_that_shows_where(run_pytest, tmp_path):
    """The located problem is what pytest prints, and no lab is started."""
    stack = tmp_path / "stack.yaml"
    stack.write_text((ROOT / STACK).read_text().replace("attempts: 4", "attempts: 0"))
    ended = run_pytest(stack=stack)

    assert ended.returncode == COLLECTION_ERROR
    assert re.search(r"stack\.yaml:\d+:\d+  .*attempts", ended.stdout)
    assert "Traceback" not in ended.stdout
    assert not (tmp_path / "state").exists()


def test_an_integration_that_does_not_start_fails_with_its_last_lines(run_pytest):
    """The item fails with what the integration said and the next command."""
    ended = run_pytest("-k", FORGED, "--handoff-integration", "python -c 'print(\"no licence\"); raise SystemExit(3)'")

    assert (ended.returncode, totals(ended)["failed"]) == (FAILED, 1)
    assert "ended with exit code 3" in ended.stdout
    assert "| no licence" in ended.stdout
    assert "next:" in ended.stdout


def test_only_a_stack_that_is_named_is_collected(run_pytest, tmp_path):
    """A folder with YAML files in it stays what it is."""
    (tmp_path / "stack.yaml").write_text((ROOT / STACK).read_text())

    assert run_pytest(stack=tmp_path).returncode == NOTHING_COLLECTED


PARTIAL = """\
      - on: partial_allocation
        retry: {attempts: 2, initial: 4s}
        then: dead_letter
"""
MUTE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *a): pass
address = (os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


def test_what_a_lab_is_without_is_skipped_aloud(run_pytest, monkeypatch):
    """An experiment about a system that is absent from the lab is skipped, with what to do about it; the others pass."""
    monkeypatch.setenv("HANDOFF_WIREMOCK_JAR", "/nowhere")
    chosen = "order-to-crm/clean:resolve/one or order-to-erp/clean:resolve/one"
    ended = run_pytest("-k", chosen, "-rs", stack="reference/stack.yaml")

    assert (ended.returncode, totals(ended)["passed"], totals(ended)["skipped"]) == (0, 1, 1), ended.stdout
    assert "make wiremock" in ended.stdout
