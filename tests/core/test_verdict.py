"""Verdicts: gates first, then the worst of the checks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.verdict import (
    CheckResult,
    Evidence,
    Gate,
    Outcome,
    UnknownKind,
    build_held,
    build_unknown,
    build_violated,
    merge,
)

RANK = {Outcome.VIOLATED: 2, Outcome.UNKNOWN: 1, Outcome.HELD: 0}
OPEN = Gate("open", passed=True, kind=UnknownKind.INTERFERENCE)


def result(name: str, outcome: Outcome) -> CheckResult:
    """Make a check's result."""
    kind = UnknownKind.NOT_OBSERVABLE if outcome is Outcome.UNKNOWN else None
    return CheckResult(name, outcome, "declared", f"seen by {name}", kind=kind)


outcomes = st.lists(st.sampled_from(Outcome), min_size=1, max_size=8)
gates = st.lists(st.tuples(st.booleans(), st.sampled_from(UnknownKind)), max_size=5)


@given(outcomes)
def test_the_worst_wins(found):
    """Behind gates that are open a verdict is its worst check, and says what the first of those says."""
    checks = [result(f"c{index}", outcome) for index, outcome in enumerate(found)]
    verdict = merge([OPEN], checks)
    worst = max(found, key=lambda outcome: RANK[outcome])
    assert verdict.outcome is worst
    assert verdict.reason == f"seen by c{found.index(worst)}"
    assert verdict.kind is (UnknownKind.NOT_OBSERVABLE if worst is Outcome.UNKNOWN else None)


@given(outcomes)
def test_order_does_not_matter(found):
    """The outcome depends on which results there are, not on their order."""
    checks = [result("c", outcome) for outcome in found]
    assert merge([], checks).outcome is merge([], checks[::-1]).outcome


@given(gates, st.lists(st.sampled_from(Outcome), max_size=4))
def test_gates_dominate(asked, found):
    """One failed gate makes it unknown, of the kind of the first that failed, whatever the checks say."""
    listed = [Gate(f"g{index}", passed, kind, f"because {index}") for index, (passed, kind) in enumerate(asked)]
    verdict = merge(listed, [result("c", outcome) for outcome in found])
    failed = [gate for gate in listed if not gate.passed]
    if failed:
        assert (verdict.outcome, verdict.kind) == (Outcome.UNKNOWN, failed[0].kind)
        assert verdict.reason == failed[0].detail
    else:
        assert verdict.outcome is merge([], [result("c", outcome) for outcome in found]).outcome
    assert verdict.gates == tuple(listed)


def test_a_gate_without_detail_is_named():
    """A failed gate that says nothing is told by its name."""
    assert merge([Gate("tap", passed=False, kind=UnknownKind.INTERFERENCE)], []).reason == "tap"


def test_nothing_checked_is_nothing_proven():
    """An experiment without a check is unknown, never held."""
    verdict = merge([OPEN], [])
    assert (verdict.outcome, verdict.kind, verdict.reason) == (
        Outcome.UNKNOWN,
        UnknownKind.VACUOUS,
        "nothing was checked",
    )


def test_adding_a_check_never_makes_it_better():
    """One more check can only make a verdict worse."""
    for found in itertools.product(Outcome, repeat=3):
        fewer = merge([], [result("c", outcome) for outcome in found[:2]])
        more = merge([], [result("c", outcome) for outcome in found])
        assert RANK[more.outcome] >= RANK[fewer.outcome]


@pytest.mark.parametrize(
    ("built", "outcome", "kind"),
    [
        (build_held("n", "d", "o", [Evidence("e")]), Outcome.HELD, None),
        (build_violated("n", "d", "o", [Evidence("e")], margin_s=0.5), Outcome.VIOLATED, None),
        (build_unknown("n", "d", "o", UnknownKind.VACUOUS), Outcome.UNKNOWN, UnknownKind.VACUOUS),
    ],
)
def test_builders(built, outcome, kind):
    """Each builder says what it is named after and keeps what it is given."""
    assert (built.name, built.declared, built.observed, built.outcome, built.kind) == ("n", "d", "o", outcome, kind)
    assert built.evidence == (() if outcome is Outcome.UNKNOWN else (Evidence("e"),))
    assert built.margin_s == (0.5 if outcome is Outcome.VIOLATED else None)
