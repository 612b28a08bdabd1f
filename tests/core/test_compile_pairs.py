"""Pairs of faults: the covering array, the rows that are made of it, and trouble that meets a breaker or somebody who decides."""

from itertools import combinations
from pathlib import Path

import pytest
from compiled_stacks import Shape, shapes, steps_of
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.absence import leave_out
from harness.core.compile import compile_stack
from harness.core.compile.covering import cover_pairs
from harness.core.conditions import Received
from harness.core.experiments import Arm, Await, Decide, Place, Restart
from harness.core.faults import Layer
from harness.core.loading import load_stack

REFERENCE = Path(__file__).parents[2] / "reference" / "stack.yaml"
ROWS = "order-capture/pairs:resolve"


def rows_of(plan, clause=ROWS):
    """List the rows of a plan."""
    return [each for each in plan.experiments if each.clause == clause]


def ways_of(row):
    """Return how each system's operations are failed in a row, by what makes the fault what it is."""
    return {
        (fault.system, fault.operations): (fault.kind, str(fault.params), str(fault.toxics)) for fault in row.faults
    }


@given(st.lists(st.integers(1, 5), max_size=9))
@settings(max_examples=60)
def test_every_pair_is_covered(sizes):
    """Any two values of any two factors stand in one row, whatever the sizes, and the rows are the same each time."""
    factors = [[(factor, value) for value in range(size)] for factor, size in enumerate(sizes)]
    rows = cover_pairs(factors)
    met = {pair for row in rows for pair in combinations(row, 2)}
    wanted = {(one, other) for left, right in combinations(factors, 2) for one in left for other in right}
    assert met >= wanted
    assert all(len(row) == (max(1, len(factors))) for row in rows)
    assert rows == cover_pairs(factors)


def test_few_rows_are_enough():
    """Twelve factors of three values need far fewer rows than there are pairs, and not fewer than nine."""
    assert 9 <= len(cover_pairs([list(range(3))] * 12)) <= 24


def test_the_rows_of_the_reference(plan):
    """Each handoff that orders pass fails once in every row, and any two ways of failing meet in some row."""
    rows = rows_of(plan)
    assert [row.shape for row in rows] == [f"{number:02d}" for number in range(1, len(rows) + 1)]
    assert len(rows) <= 20
    ways = [ways_of(row) for row in rows]
    assert {len(each) for each in ways} == {11}
    everything = {place: {each[place] for each in ways} for place in ways[0]}
    for one, other in combinations(everything, 2):
        met = {(each[one], each[other]) for each in ways}
        assert met == {(mine, theirs) for mine in everything[one] for theirs in everything[other]}


def test_what_is_not_paired_is_said(plan):
    """The row of the matrix names the failures that are left out, and the handoff that moves no orders."""
    (row,) = (row for row in plan.coverage if row.clause == ROWS)
    assert [gap.what for gap in row.gaps] == [
        "order-capture receiver_down",
        "order-to-erp 429, not_persisted",
        "wms-shipment receiver_down",
        "inventory-sync",
    ]


@given(shapes)
@settings(max_examples=15)
def test_a_row_can_be_driven(shape):
    """Every fault of a row has an id of its own and is armed; who dies is restarted once its death is on record."""
    for row in rows_of(shape.plan, "capture/pairs:resolve"):
        ids = [fault.id for fault in row.faults]
        assert len(ids) == len(set(ids)) == 2
        assert {step.fault for step in steps_of(row, Arm)} == set(ids)
        assert all(fault.orders == (1,) for fault in row.faults)
        deadly = [fault.id for fault in row.faults if fault.layer is Layer.PROCESS]
        awaited = [step.condition.fault for step in steps_of(row, Await) if isinstance(step.condition, Received)]
        assert len(steps_of(row, Restart)) == len(deadly)
        assert awaited == deadly
        # An order that does not come through a stage has nothing to do in the next one.
        assert [step.decisive for step in steps_of(row, Await)] == [*(False for _ in deadly), True]


def test_one_handoff_has_nobody_to_meet():
    """Where only one handoff gets over a failure there is no pair, and the matrix says who does not."""
    plan = Shape(webhook_paths=("bad_signature",)).plan
    assert rows_of(plan, "capture/pairs:resolve") == []
    (row,) = (row for row in plan.coverage if row.clause == "capture/pairs:resolve")
    assert "without somebody's help" in row.not_exercised
    alone = load_stack(Shape().text, file="stack.yaml")
    assert not any("pairs" in row.clause for row in compile_stack(leave_out(alone, {"storefront": "gone"})).coverage)


def test_a_narrowed_stack_keeps_the_numbers():
    """In a lab that a system is absent from, rows have the numbers of the whole stack's, and no fault at what is left out."""
    stack = load_stack(REFERENCE.read_text(encoding="utf-8"), file="stack.yaml")
    narrow = rows_of(compile_stack(leave_out(stack, {"carrier": "no Java", "crm": "no Java"})))
    whole = [row.id for row in rows_of(compile_stack(stack))]
    assert narrow
    assert {row.id for row in narrow} <= set(whole)
    assert not {fault.system for row in narrow for fault in row.faults} & {"carrier", "crm"}


@pytest.mark.parametrize(
    ("effects", "clauses"), [("exactly_once", ["post/breaker/probe-answer-lost"]), ("at_least_once", [])]
)
def test_a_probe_whose_answer_is_lost(effects, clauses):
    """What may happen twice is not asked; else the probe alone is carried out unheard, once the outage is over."""
    found = Shape(effects=effects).experiments
    assert [name for name in found if "probe-answer-lost" in name] == clauses
    for name in clauses:
        outage, lost = found[name].faults
        assert (outage.attempts, lost.attempts) == ((1, 2, 3, 4, 5), (1,))
        assert [check.name for check in found[name].checks] == ["reopens", "one_alert", "resolved_once"]


def test_trouble_while_somebody_decides(plan):
    """The integration dies at another order's webhook while a case is open; the first call after the decision fails."""
    found = [each for each in plan.experiments if each.shape == "interrupted"]
    assert len(found) == 4
    for each in found:
        kinds = [type(step) for step in each.steps]
        assert kinds.index(Restart) < kinds.index(Decide)
        crash = next(fault for fault in each.faults if fault.kind == "crash")
        assert crash.orders == (2,)
        assert [step.orders for step in steps_of(each, Place)] == [(1,), (2,)]
        assert each.faults[-1].attempts == (1,)
        assert {"case", "decided", "resolved_once"} <= {check.name for check in each.checks}
