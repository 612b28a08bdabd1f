"""Kinds: every experiment is of one, every clause has its placebo, and says which kinds it has none of and why."""

from pathlib import Path

import pytest
from compiled_stacks import Shape

from harness.core.compile import compile_stack
from harness.core.compile.kinds import KINDS, PARTS, find_kind
from harness.core.loading import load_stack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plan():
    """Compile the reference."""
    return compile_stack(load_stack((ROOT / "reference/stack.yaml").read_text(encoding="utf-8"), file="stack.yaml"))


def find_row(plan, clause):
    """Find the row of a clause."""
    return next(row for row in plan.coverage if row.clause == clause)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order-to-erp/clean:resolve/one", "placebo"),
        ("order-to-erp/429:retry/once", "positive"),
        ("order-to-erp/429:retry/last", "boundary"),
        ("order-to-erp/429:retry/exhausted", "exhausted"),
        ("order-to-erp/any:retry/unlisted-code", "negative"),
        ("order-to-erp/USER_ERROR+already-exists:branch/other-text", "negative"),
        ("order-to-erp/RESTRICTED_PRODUCT:queue/decided-reject", "recovery"),
        ("order-to-erp/RESTRICTED_PRODUCT:queue/interrupted", "interaction"),
        ("order-to-erp/breaker/below", "boundary"),
        ("order-to-erp/breaker/closes", "recovery"),
        ("order-to-erp/breaker/probe-answer-lost", "interaction"),
        ("order-to-erp/outage:contain/drained", "recovery"),
        ("order-capture/dropped:reconcile/one", "recovery"),
        ("order-capture/crash:recover/after-ack", "recovery"),
        ("order-capture/pairs:resolve/01", "interaction"),
        ("wms-shipment/stale:reject/late-rung", "negative"),
    ],
)
def test_kinds(plan, name, kind):
    """What an experiment is there to show follows from its shape and its clause."""
    experiment = next(each for each in plan.experiments if each.id == name)
    assert find_kind(experiment.clause, experiment.shape) == kind


def test_every_kind_is_there_or_absent_for_a_reason(plan):
    """Each exercised clause has each kind, or says in words why not; none is both."""
    experiments = {each.id: each for each in plan.experiments}
    for row in plan.coverage:
        if not row.experiments or row.clause.endswith("clean:resolve"):
            assert row.absent == ()
            continue
        there = {find_kind(row.clause, experiments[name].shape) for name in row.experiments}
        absent = {each.what for each in row.absent}
        assert (there | absent, there & absent) == (set(KINDS), set()), row.clause
        assert all(each.why for each in row.absent)


def test_every_clause_has_its_placebo(plan):
    """The placebo of a clause is an experiment of its handoff in which nothing is armed; the placebo itself has none."""
    experiments = {each.id: each for each in plan.experiments}
    for row in plan.coverage:
        if row.clause.endswith("clean:resolve"):
            assert row.placebo == ""
            continue
        placebo = experiments[row.placebo]
        assert (placebo.handoff, placebo.faults) == (row.handoff, ())
        fewest = min(experiments[name].orders for name in row.experiments)
        assert placebo.orders == (1 if fewest == 1 else 5)


def test_the_reason_is_the_reason_of_the_part(plan):
    """Where a part of a clause is not asked, the kind that it would be is absent for the same reason."""
    lost = find_row(plan, "payment-capture/lost_response:retry")
    assert next(each.why for each in lost.absent if each.what == "exhausted") == lost.gaps[0].why
    code = find_row(plan, "order-to-erp/RESTRICTED_PRODUCT:queue")
    assert "`any:retry` is asked about one" in next(each.why for each in code.absent if each.what == "negative")


@pytest.mark.parametrize(
    ("clause", "kind", "why"),
    [
        ("inventory-sync/any:retry", "interaction", "it moves items"),
        ("order-to-erp/any:retry", "interaction", "order-capture/pairs:resolve"),
        ("order-to-erp/permission_denied:dead_letter", "recovery", "order-to-erp/dead_letter:escalate"),
        ("order-capture/malformed:dead_letter", "recovery", "no replay"),
    ],
)
def test_reasons(plan, clause, kind, why):
    """A reason names where else it is asked, as far as it is."""
    assert why in next(each.why for each in find_row(plan, clause).absent if each.what == kind)


def test_pairs_that_are_not_asked():
    """Nothing is said to be asked of a clause that has no experiments: where only one handoff gets over a failure alone."""
    plan = Shape(webhook_paths=("malformed",)).plan
    assert not find_row(plan, "capture/pairs:resolve").experiments
    told = {each.why for row in plan.coverage for each in row.absent if each.what == "interaction"}
    assert "no two handoffs that orders pass get over a failure by themselves" in told
    assert not any("pairs:resolve" in why for why in told)


def test_a_breaker_of_one():
    """One failure that opens a breaker has none below it."""
    row = find_row(Shape(failures=1).plan, "post/breaker")
    assert "none below" in next(each.why for each in row.absent if each.what == "boundary")


def test_parts_are_of_kinds():
    """Every part that is not asked is of a kind there is."""
    assert set(PARTS.values()) <= set(KINDS)
