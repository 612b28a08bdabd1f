"""Faults: whether one hits is decided by seed, fault, order and attempt alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.faults import Fault, Layer, decide, draw, plan_decisions

FAULT = Fault("f1", "status", Layer.VENDOR, "erp", ("sales_order.upsert",))
seeds = st.integers(0, 2**31)


@given(seeds, st.lists(st.integers(1, 9), unique=True, min_size=1), st.floats(0, 1))
def test_decisions_depend_on_nothing_else(seed, orders, probability):
    """Asked in any order, and again, every decision is the same."""
    fault = replace(FAULT, orders=tuple(orders), probability=probability)
    asked = [(order, attempt) for order in orders for attempt in range(1, 6)]
    first = {pair: decide(seed, "e", fault, order=pair[0], attempt=pair[1]) for pair in asked}
    again = {pair: decide(seed, "e", fault, order=pair[0], attempt=pair[1]) for pair in reversed(asked)}
    assert first == again


def test_a_known_decision():
    """The numbers drawn never change from one version to the next: a seed in a report stays good."""
    assert draw(7, "e", "f1", 1, 1) == pytest.approx(0.0630538, abs=1e-6)
    assert draw(7, "e", "f1", 1, 2) == pytest.approx(0.8331317, abs=1e-6)


@given(seeds)
def test_words_do_not_run_together(seed):
    """Different words give different numbers, also when their letters are the same."""
    assert len({draw(seed, "a", "bc"), draw(seed, "ab", "c"), draw(seed, "abc"), draw(seed + 1, "a", "bc")}) == 4


@pytest.mark.parametrize(("probability", "hits"), [(1.0, 2000), (0.0, 0)])
def test_certain_decisions(probability, hits):
    """Probability one always hits and zero never does."""
    fault = replace(FAULT, probability=probability)
    assert sum(decide(1, "e", fault, order=0, attempt=attempt) for attempt in range(2000)) == hits


def test_probability_is_a_share():
    """Over many attempts a fault hits about as often as its probability says."""
    fault = replace(FAULT, probability=0.3)
    hits = sum(decide(1, "e", fault, order=0, attempt=attempt) for attempt in range(5000))
    assert 1350 < hits < 1650


@pytest.mark.parametrize(
    ("orders", "attempts", "order", "attempt", "hit"),
    [
        ((), None, 0, 9, True),
        ((1, 2), None, 2, 9, True),
        ((1, 2), None, 3, 1, False),
        ((1,), (1, 3), 1, 3, True),
        ((1,), (1, 3), 1, 2, False),
        ((), (), 0, 1, False),
    ],
)
def test_places(orders, attempts, order, attempt, hit):
    """A fault hits only the orders and attempts it names, and all of them where it names none."""
    fault = replace(FAULT, orders=orders, attempts=attempts)
    assert decide(5, "e", fault, order=order, attempt=attempt) is hit


def test_planned_decisions():
    """Decisions are planned for each order and attempt in canonical order; order 0 stands for all together."""
    planned = list(plan_decisions(1, "e", replace(FAULT, orders=(2, 1), attempts=(2,)), horizon=2))
    assert [(each.order, each.attempt, each.hit) for each in planned] == [
        (2, 1, False),
        (2, 2, True),
        (1, 1, False),
        (1, 2, True),
    ]
    assert [each.order for each in plan_decisions(1, "e", FAULT, horizon=1)] == [0]


def test_target():
    """A fault names what it is aimed at."""
    assert FAULT.target == "erp sales_order.upsert"
    assert replace(FAULT, operations=()).target == "erp"
