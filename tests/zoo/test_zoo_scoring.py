"""What a measurement comes to, and the document of it."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from harness.core.verdict import Outcome, UnknownKind, Verdict
from harness.report.detection import render_detection, say_score
from harness.zoo.document import Machine, Measured, build_document, build_schema
from harness.zoo.inhabitant import Inhabitant
from harness.zoo.scoring import Finding, is_disturbed, score_inhabitant, score_sabotage

BROKEN = Inhabitant(
    "bad", "broken", "breaks it", "zoo bad", Path("stack.yaml"), clauses=("a/x", "a/y"), also=("a/z", "b/")
)
CORRECT = replace(BROKEN, name="good", kind="correct", clauses=(), also=())
HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN


def result(clause, outcome, kind=None):
    """Make the result of one experiment on a clause."""
    verdict = Verdict(outcome, f"it was {outcome}", (), (), kind)
    return SimpleNamespace(experiment=SimpleNamespace(id=f"{clause}/one", clause=clause), verdict=verdict)


def score(inhabitant, *results):
    """Score somebody by these results."""
    return score_inhabitant(inhabitant, results, duration_s=1.0, reproduce="handoff run")


@pytest.mark.parametrize(
    ("inhabitant", "results", "finding"),
    [
        (BROKEN, [result("a/x", VIOLATED), result("c/k", HELD)], Finding.CAUGHT),
        (BROKEN, [result("a/x", VIOLATED), result("a/z", VIOLATED), result("b/q", VIOLATED)], Finding.CAUGHT),
        (BROKEN, [result("a/x", VIOLATED), result("c/k", UNKNOWN, UnknownKind.ENVIRONMENT)], Finding.CAUGHT),
        (BROKEN, [result("a/x", VIOLATED), result("c/k", VIOLATED)], Finding.ACCUSED),
        (BROKEN, [result("a/z", VIOLATED)], Finding.MISSED),
        (BROKEN, [result("a/x", UNKNOWN, UnknownKind.VACUOUS)], Finding.MISSED),
        (BROKEN, [result("a/x", HELD)], Finding.MISSED),
        (CORRECT, [result("a/x", HELD)], Finding.CLEARED),
        (CORRECT, [result("a/x", VIOLATED)], Finding.ACCUSED),
        (CORRECT, [result("a/x", HELD), result("a/y", UNKNOWN, UnknownKind.VACUOUS)], Finding.UNTOLD),
        (CORRECT, [], Finding.UNTOLD),
    ],
)
def test_what_is_found_of_an_integration(inhabitant, results, finding):
    """Caught is by a clause it says to break; anything else violated is an accusation, and unknown is neither."""
    assert score(inhabitant, *results).finding is finding


@pytest.mark.parametrize(
    ("outcome", "finding"), [(HELD, Finding.GREEN), (VIOLATED, Finding.ACCUSED), (UNKNOWN, Finding.NOTICED)]
)
def test_what_is_found_of_a_sabotage(outcome, finding):
    """A sabotage must leave the verdict open: held is green, violated accuses somebody who did nothing."""
    row = score_sabotage("cut", "cuts", "s", result("a/x", outcome), duration_s=1.0, reproduce="handoff zoo")

    assert row.finding is finding


def test_what_the_machine_disturbed_is_measured_again():
    """Only where it matters: a broken one that is caught stays caught, whatever else was disturbed."""
    disturbed = result("a/x", UNKNOWN, UnknownKind.INTERFERENCE)

    assert is_disturbed(score(BROKEN, disturbed))
    assert is_disturbed(score(CORRECT, disturbed))
    assert not is_disturbed(score(BROKEN, disturbed, result("a/y", VIOLATED)))
    assert not is_disturbed(score(BROKEN, result("a/x", HELD)))


def test_the_document_is_as_its_schema_says():
    """Rows as they were found, and a score counted from them."""
    rows = [
        score(BROKEN, result("a/x", VIOLATED)),
        score(CORRECT, result("a/x", VIOLATED)),
        score_sabotage("cut", "cuts", "s", result("a/x", UNKNOWN), duration_s=1.0, reproduce="handoff zoo"),
    ]
    machine = Machine(cpus=2, memory_gib=8.0, platform="linux", python="3.11", handoff="0.1.0")
    now = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
    about = Measured(
        zoo="zoo",
        seed=0,
        labs=4,
        part=None,
        most=None,
        started_at=now,
        finished_at=now,
        interrupted=False,
        machine=machine,
    )

    document = build_document(about, rows, {"away": "not here"})

    jsonschema.validate(document, build_schema())
    assert document["schema"] == "handoff-zoo/1"
    assert document["summary"] == {
        "broken": {"right": 1, "total": 1},
        "correct": {"right": 0, "total": 1},
        "sabotage": {"right": 1, "total": 1},
        "experiments": 3,
        "wrong": 1,
        "untold": 0,
    }
    assert say_score(document).startswith("1 of 1 broken integrations caught, 1 of 1 correct ones not cleared")
    tables = render_detection(document)
    assert "| `bad` | breaks it | caught | `a/x` | 1 |" in tables
    assert "| `away` | not here |" in tables
