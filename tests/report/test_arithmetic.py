"""Behaviour of the check whether run.json adds up."""

import pytest

from harness.report import build_view

from .samples import build_run


@pytest.mark.parametrize("name", ["held", "violated", "unknown", "accepted", "skipped"])
def test_wrong_summary_is_named(name):
    """A count in the summary that the experiments do not add up to is named with both numbers."""
    run = build_run()
    right = run["summary"][name]
    run["summary"][name] += 1

    assert (f"the summary states {right + 1} {name}, the experiments add up to {right}",) == build_view(run).mismatches


@pytest.mark.parametrize("name", ["clauses", "exercised"])
def test_wrong_coverage_is_named(name):
    """A coverage number that the matrix does not support is named."""
    run = build_run()
    run["coverage"][name] += 1

    (line,) = build_view(run).mismatches

    assert line.startswith(f"the coverage states {run['coverage'][name]} {name}")


def test_wrong_clause_verdict_is_named():
    """A clause whose verdict in the matrix is not the worst of its experiments is named."""
    run = build_run()
    row = next(row for row in run["coverage"]["matrix"] if row["clause"] == "order-to-erp/429:retry")
    row["verdict"] = "held"

    (line,) = build_view(run).mismatches

    assert line == "the matrix states held for order-to-erp/429:retry, its experiments merge to violated"


def test_held_against_its_own_evidence_is_named():
    """A held verdict with a failed gate, a violated check or too few receipts contradicts itself, and that is said."""
    run = build_run()
    odd = run["experiments"][0]
    odd["gates"][1]["passed"] = False
    odd["checks"][0]["verdict"] = "violated"
    odd["faults"][0]["receipts"] = 0

    lines = build_view(run).mismatches

    assert len(lines) == 3
    assert all(line.startswith(f"{odd['id']} is held although") for line in lines)


def test_list_of_mismatches_is_bounded():
    """Hundreds of contradictions are cut to twenty and a count of the rest."""
    run = build_run()
    for item in run["experiments"]:
        item["gates"][0]["passed"] = False

    lines = build_view(run).mismatches

    assert len(lines) == 21
    assert lines[-1].endswith("more")


def test_what_is_not_stated_is_not_compared():
    """A run without summary and coverage contradicts nothing."""
    run = build_run()
    del run["summary"], run["coverage"]

    assert build_view(run).mismatches == ()
