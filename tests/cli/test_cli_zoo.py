"""`handoff zoo`: a zoo of somebody's own, measured in labs."""

import json
import shlex
from pathlib import Path

import jsonschema
import pytest

from harness.cli import main
from harness.zoo.document import build_schema

ROOT = Path(__file__).parents[2]
# What has few promises is measured in a few seconds.
STACK = """
version: 1
name: tiny
time: {scale: 20}
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
integration: {command: [python, -m, reference], health: /healthz, webhooks: {storefront: /webhooks/storefront}}
roles:
  integration-oncall: {rotation: weekly, sla: 15m, channel: pagerduty}
  ecommerce-ops: {rotation: daily, sla: 1h, channel: pagerduty}
handoffs:
  - id: order-capture
    from: storefront
    to: integration
    protocol: webhook
    owner: ecommerce-ops
    operation: [orders/create]
    effects: exactly_once
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 5m
    paths:
      - on: bad_signature
        reject: {status: 401}
"""
FORGED = "order-capture/bad_signature:reject"
BLIND = {"name": "no-signature-check", "kind": "broken", "clauses": [FORGED]}
SOUND = {"name": "reference", "kind": "correct"}
# Sound as well, but its zoo says otherwise; and blind, but its zoo says it is not.
MISJUDGED = {"name": "slower", "kind": "broken", "clauses": [FORGED]}


@pytest.fixture
def measure(tmp_path, monkeypatch, capsys):
    """Measure a zoo whose list is given; return the exit code, the document and what went to stderr."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(ROOT)
    (tmp_path / "stack.yaml").write_text(STACK)

    def run(listed, *options, otherwise="from scenarios.zoo.__main__ import main; sys.exit(main(sys.argv[1:]))"):
        zoo = tmp_path / "zoo.py"
        zoo.write_text(
            f"import json, sys\nif sys.argv[1:] == ['--list']: sys.exit(print(json.dumps({listed!r})))\n{otherwise}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        command = shlex.join(["python", str(zoo)])
        words = ["zoo", str(tmp_path / "stack.yaml"), "--zoo", command, "--json", "--out", str(tmp_path / "out")]
        code = main([*words, *options])
        out, err = capsys.readouterr()
        return code, json.loads(out or "null"), err

    return run


def test_a_zoo_of_ones_own_is_measured(measure, tmp_path):
    """The broken one is caught, the correct one cleared, sabotage that finds nothing to spoil told; the files are written."""
    code, document, told = measure(
        [BLIND, SOUND], "-n", "2", "--only", "no-signature-check", "--only", "reference", "--only", "check-raises"
    )
    rows = {row["name"]: row for row in document["rows"]}

    jsonschema.validate(document, build_schema())
    assert code == 0, told
    assert rows["no-signature-check"]["finding"] == "caught"
    assert rows["no-signature-check"]["caught_by"] == [FORGED]
    assert rows["reference"]["finding"] == "cleared"
    assert "no handoff has experiments of all the shapes" in document["left_out"]["check-raises"]
    (folder,) = (tmp_path / "out").iterdir()
    assert json.loads((folder / "zoo.json").read_text()) == document
    assert "`no-signature-check`" in (folder / "detection.md").read_text()
    assert "caught    no-signature-check" in told


def test_a_zoo_that_does_not_start_is_an_environment_that_is_not_ready(measure):
    """Where nobody in it comes up, its last words are told, and nothing is said of any."""
    code, document, told = measure([BLIND], "--only", "no-signature-check", otherwise="sys.exit('out of fodder')")

    assert (code, document) == (12, None)
    assert "out of fodder" in told


@pytest.mark.slow
def test_a_zoo_that_is_misjudged_ends_with_1(measure):
    """One that is missed is told, with the command that runs it alone."""
    code, document, _ = measure([MISJUDGED, SOUND], "--only", "slower")
    (row,) = document["rows"]

    assert (code, row["finding"]) == (1, "missed")
    assert "--integration" in row["reproduce"]


def test_parts_together_are_everything(capsys, monkeypatch):
    """A part that is none, or holds nobody, is refused before anything starts."""
    monkeypatch.chdir(ROOT)

    assert main(["zoo", "--part", "4/3"]) == 4
    assert "--part 4/3 is not a part" in capsys.readouterr().err
    assert main(["zoo", "--only", "reference", "--part", "2/3"]) == 4
    assert "holds none of 1 of the zoo" in capsys.readouterr().err
    assert main(["zoo", "--only", "refrence"]) == 4
    assert "reference" in capsys.readouterr().err
