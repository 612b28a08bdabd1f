"""What is asked about the age of a webhook's signature."""

from pathlib import Path

import pytest

from harness.core.compile import compile_stack
from harness.core.compile.signatures import DATED, LATE_S
from harness.core.lint_vendors import find_facts
from harness.core.loading import load_stack

TEXT = (Path(__file__).parents[2] / "reference/stack.yaml").read_text(encoding="utf-8")
DECLARED = "reject: {status: 401, older_than: 5m}"
CLAUSE = "wms-shipment/stale:reject"


def compile_reference(declared=DECLARED, *, also=""):
    """Compile the reference with another refusal of what is stale: its experiments by shape, and the clause's row."""
    text = TEXT.replace(DECLARED, declared)
    text = text.replace("      - on: bad_signature\n", f"{also}      - on: bad_signature\n", 1)
    plan = compile_stack(load_stack(text, file="stack.yaml"))
    name = CLAUSE if not also else "order-capture/stale:reject"
    found = {each.shape: each for each in plan.experiments if each.clause == name}
    return found, next(row for row in plan.coverage if row.clause == name)


def read_ages(found):
    """Read how old each shape has its webhook."""
    return {shape: each.faults[0].params.get("age_s") for shape, each in found.items()}


def test_a_late_rung_is_one_of_the_ladder():
    """Every sender that dates its signatures is still at its ladder when what comes late is as old as it says."""
    stack = load_stack(TEXT, file="stack.yaml")
    ladders = {
        declared.fake: find_facts(stack, name).gives_up_s
        for name, declared in stack.systems.items()
        if declared.fake in DATED
    }
    assert ladders.keys() == DATED
    assert min(ladders.values()) > LATE_S


def test_three_clocks():
    """Around the declared age the signature decides, and only the signature: an old event signed afresh is taken."""
    found, row = compile_reference()
    assert read_ages(found) == {"stale": 315.0, "late-rung": 14_400.0, "within": 285.0}
    assert {shape: each.faults[0].params.get("signed") for shape, each in found.items()} == {
        "stale": None,
        "late-rung": "now",
        "within": "then",
    }
    assert row.gaps == ()
    checks = {shape: [check.name for check in each.checks] for shape, each in found.items()}
    assert checks["stale"] == ["answer", "untouched"]
    assert {"resolved_once", "acknowledged"} <= set(checks["within"]) == set(checks["late-rung"])


def test_without_an_age():
    """Where no age is declared, a day is too old, and what is just young enough is not asked."""
    found, row = compile_reference("reject: {status: 401}")
    assert read_ages(found) == {"stale": None, "late-rung": 14_400.0}
    assert [gap.what for gap in row.gaps] == ["just within its age"]
    assert "older_than" in row.gaps[0].why


@pytest.mark.parametrize(
    ("age", "shapes"), [("15s", ["stale", "late-rung"]), ("16s", ["stale", "late-rung", "within"])]
)
def test_an_age_that_is_over_at_once(age, shapes):
    """What is stale within seconds cannot be told from what was held up."""
    found, row = compile_reference(f"reject: {{status: 401, older_than: {age}}}")
    assert list(found) == shapes
    assert bool(row.gaps) is ("within" not in shapes)


def test_a_sender_that_dates_nothing():
    """The storefront's signatures say no time: only what is signed there can be asked."""
    found, row = compile_reference(also=f"      - on: stale\n        {DECLARED}\n")
    assert list(found) == ["stale"]
    assert [gap.why for gap in row.gaps] == ["the signatures of storefront are not dated"]
