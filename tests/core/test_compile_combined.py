"""Schedules as experiments: what is armed when, what is asked, and what stored ones are compiled to."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.compile import compile_stack
from harness.core.compile.combined import build_combiner, name_schedule
from harness.core.experiments import Arm, Lift, Place
from harness.core.loading import load_stack
from harness.core.regression import Regression
from harness.core.schedule import EVERY, Strike, build_schedule

ROOT = Path(__file__).parents[2]
PATH = "reference/stack.yaml"
STACK = load_stack((ROOT / PATH).read_text(), file=PATH)
COMBINER = build_combiner(STACK)
RENEWAL, LOST = "order-to-erp/session_expired", "order-to-erp/lost_response"
PAIR = build_schedule([Strike(1, RENEWAL, EVERY, 1, 1), Strike(1, LOST, 2, 2, 2)], slots=3)
FOUND = Regression("acme", 7, PAIR, file="regressions/one.yaml")


def list_steps(schedule, kinds):
    """List the steps of these kinds in order, in words."""
    return [str(step) for step in COMBINER.build(schedule).steps if isinstance(step, kinds)]


def list_checks(*strikes):
    """List the names of what is asked of a schedule of these strikes."""
    schedule = build_schedule([Strike(1, fault) for fault in strikes], slots=1)
    return [check.name for check in COMBINER.build(schedule).checks]


def test_armed_and_lifted_by_slots():
    """A strike is armed before the order of its slot is placed, and lifted before that of the slot it ends in."""
    assert list_steps(PAIR, Arm | Lift | Place) == [
        "arm f1", "arm f2", "place 1", "lift f2", "place 2", "lift f1", "place 3"
    ]  # fmt: skip


def test_lifted_at_the_end():
    """What lasts to the end is lifted before anything is asked."""
    schedule = build_schedule([Strike(2, LOST, EVERY, 9)], slots=2)
    assert list_steps(schedule, Arm | Lift | Place) == ["place 1", "arm f1", "place 2", "lift f1"]


def test_aims():
    """Calls are counted for each order apart, so orders are named also where all of them are meant."""
    first, second = COMBINER.build(PAIR).faults
    assert (first.kind, first.orders, first.attempts) == ("lost_response", (2,), (2,))
    assert (second.kind, second.orders, second.attempts) == ("session_expired", (1, 2, 3), (1,))


def test_shipped_orders_arrive_first():
    """Where a shipment sets the handoff in motion, every order is placed, arrives and is shipped."""
    schedule = build_schedule([Strike(1, "shipment-to-erp/outage")], slots=1)
    assert [str(step) for step in COMBINER.build(schedule).steps][:2] == ["arm f1", "place 1"]
    assert "wms: ship" in [str(step) for step in COMBINER.build(schedule).steps]


def test_receipts_only_where_it_is_proven():
    """A drawn schedule may meet nothing; of one that is kept every fault has to."""
    assert {fault.minimum for fault in COMBINER.build(PAIR).faults} == {0}
    assert {fault.minimum for fault in COMBINER.build(PAIR, proven=True).faults} == {1}


def test_what_is_asked():
    """Orders settle, roles of the handoffs that are struck are told; others show nothing where faults stay where they strike."""
    assert list_checks("order-to-erp/outage") == ["settled", "told order-to-erp", "contained"]
    assert list_checks("order-to-erp/outage", RENEWAL) == ["settled", "told order-to-erp"]
    assert list_checks("order-capture/delayed", "order-to-erp/outage") == ["settled", "told order-to-erp"]


def test_names():
    """The same strikes have the same name whatever order they were found in; other ones have another."""
    again = build_schedule(reversed(PAIR.strikes), slots=3)
    assert name_schedule(again) == name_schedule(PAIR)
    changed = [replace(PAIR.strikes[0], attempt=1), PAIR.strikes[1]]
    assert name_schedule(build_schedule(changed, slots=3)) != name_schedule(PAIR)
    assert COMBINER.build(PAIR).id == f"order-to-erp/combined:conserved/{name_schedule(PAIR)}"


def test_regressions_are_compiled():
    """Each is one more experiment with a row of its own, and what the stack compiles to without them stays as it is."""
    other = replace(FOUND, schedule=build_schedule([Strike(1, LOST)], slots=1), file="regressions/two.yaml")
    alone, joined = compile_stack(STACK), compile_stack(replace(STACK, regressions=(FOUND, other, FOUND)))
    added = joined.experiments[len(alone.experiments) :]
    assert [each.id for each in joined.experiments[: len(alone.experiments)]] == [each.id for each in alone.experiments]
    assert [(each.id, each.location) for each in added] == [
        (COMBINER.build(each.schedule).id, each.file) for each in (FOUND, other)
    ]
    (row,) = joined.coverage[len(alone.coverage) :]
    assert (row.clause, row.experiments) == (added[0].clause, tuple(each.id for each in added))


@pytest.mark.parametrize("handoff", ["order-to-erp", "payment-capture"])
def test_regressions_of_what_is_left_out(handoff):
    """Where a handoff cannot be driven, what strikes it is left out."""
    left = tuple(each for each in STACK.handoffs if each.id != handoff)
    plan = compile_stack(replace(STACK, handoffs=left, regressions=(FOUND,)))
    assert any("combined" in each.id for each in plan.experiments) == (handoff != "order-to-erp")
