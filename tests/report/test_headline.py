"""Behaviour of the sentence for the head of operations."""

import pytest

from harness.report import build_view

from .samples import build_experiment, build_run, build_violated, wrap_run


def _headline(experiments, **changes):
    return build_view(wrap_run(experiments) | {"coverage": {}} | changes).headline


def _held(n):
    return [build_experiment("order-to-erp", "any:retry", f"shape{index}") for index in range(n)]


def test_running_example():
    """One fifth attempt among many held promises is told in one sentence, orders first."""
    assert (
        _headline([*_held(67), build_violated()])
        == "67 of 68 promises hold; orders are not lost, but ERP rate limits lead to a fifth attempt and no dead letter."
    )


def test_all_hold():
    """A run without a finding says so, and that orders are safe."""
    assert _headline(_held(3)) == "All 3 promises hold; orders are not lost."


def test_undecided_and_accepted_are_told():
    """What could not be judged and what is lived with stands beside what holds."""
    assert build_view(build_run()).headline.startswith(
        "59 of 62 promises hold, 1 could not be judged, 1 is knowingly lived with, 1 clause was not tested; orders are not lost, but"
    )


def test_lost_orders_come_before_causes():
    """Lost and doubled orders are named, and never called safe."""
    ledger = {"orders": 9, "lost": 2, "duplicated": 1, "violations": []}

    assert (
        _headline([*_held(1), build_violated()], ledger=ledger)
        == "1 of 2 promises holds; 2 orders are lost and 1 order is doubled, and ERP rate limits lead to a fifth attempt "
        "and no dead letter."
    )


def test_orders_astray_are_not_safe():
    """Orders in a state that is not allowed keep the sentence from saying that orders are safe."""
    ledger = {"orders": 9, "lost": 0, "duplicated": 0, "violations": [{"entity": "#1", "state": "captured twice"}]}

    assert _headline(_held(2), ledger=ledger).endswith("; 1 order is in a state that is not allowed.")


def test_orders_nobody_sees_are_not_safe():
    """Where nobody can say what became of an order, it is not called safe."""
    ledger = {"orders": 9, "lost": 0, "duplicated": 0, "unseen": 2, "violations": []}

    assert _headline(_held(2), ledger=ledger).endswith("; of 2 orders nobody can say where they are.")


@pytest.mark.parametrize("ledger", [{}, {"orders": 4}, {"orders": 0, "lost": 0, "duplicated": 0}])
def test_safety_is_not_claimed_without_a_ledger(ledger):
    """Without orders, or without a count of lost ones, the sentence claims nothing about orders."""
    assert _headline(_held(2), ledger=ledger) == "All 2 promises hold."


def test_many_causes_are_cut():
    """Two causes are told, the telling ones first, the others counted."""
    broken = [
        build_experiment("order-to-erp", f"{clause}:retry", "once", verdict="violated", checks=[], observed="")
        for clause in ("timeout", "connection", "malformed")
    ]

    sentence = _headline([*broken, build_violated()])

    assert "ERP rate limits lead to a fifth attempt and no dead letter, ERP timeouts lead to another" in sentence
    assert sentence.endswith(", and 2 more things go wrong.")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Nothing was tested: the run has no experiments."),
        ({"interrupted": True}, "The run was interrupted before the first promise was tested."),
        ({"skipped": [{"id": "a"}, {"id": "b"}]}, "Nothing was tested: 2 experiments skipped."),
    ],
)
def test_empty_runs(changes, expected):
    """A run without a verdict never sounds like one that held."""
    assert _headline([], **changes) == expected


def test_interrupted_run_says_so_first():
    """An interrupted run speaks of what was finished by then."""
    assert _headline(_held(2), interrupted=True) == (
        "The run was interrupted; so far all 2 promises hold; orders are not lost."
    )


def test_none_holds():
    """A run in which nothing holds says none."""
    assert _headline([build_violated()]).startswith("The one promise tested does not hold; ")
    assert _headline([build_violated(), build_violated() | {"id": "x/429:retry/y"}]).startswith(
        "None of 2 promises holds;"
    )


def test_what_was_not_tested_is_told():
    """A run of a selection does not sound as if everything held."""
    assert build_view(wrap_run(_held(3))).headline == (
        "All 3 promises hold, 26 clauses were not tested; orders are not lost."
    )
