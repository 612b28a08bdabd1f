"""Herd: whether orders that failed together come back together."""

import random

import pytest
from histories import call, told

from harness.core.checks.herd import check_herd
from harness.core.outcomes import Retry
from harness.core.verdict import Outcome, UnknownKind

ORDERS = tuple(range(1, 17))
FULL = Retry(attempts=4, initial_s=4, factor=2, jitter="full")
EQUAL = Retry(attempts=4, initial_s=4, factor=2, jitter="equal")


def judge(waits, *, orders=ORDERS, retry=FULL, **more):
    """Judge orders that all fail once and wait so long each."""
    calls = [
        each
        for order, waited_s in zip(orders, waits, strict=False)
        for each in (call(0.0, 429, order=order), call(0.01 + waited_s, order=order))
    ]
    history = told(*sorted(calls, key=lambda each: each.started), **more)
    return check_herd(history, operations=("sales_order.upsert",), orders=orders, retry=retry, scale=20.0)


def within(apart_s, *, among=14):
    """Make so many waits that are evenly as far apart as this, and two beside them for sixteen orders."""
    return [0.1 + apart_s * number / (among - 1) for number in range(among)] + [0.33] * (16 - among)


def spread(lowest, highest, seed=1):
    """Draw a wait for each order."""
    rng = random.Random(seed)  # noqa: S311 - draws for a test, not secrets
    return [rng.uniform(lowest, highest) for _ in ORDERS]


def test_spread_waits_hold():
    """Waits that are drawn over the whole declared width are no herd, however they fall."""
    found = [judge(spread(0.0, 0.2, seed)).outcome for seed in range(200)]
    assert set(found) == {Outcome.HELD}


def test_a_narrower_jitter_is_never_accused():
    """A jitter half as wide is never taken for none."""
    found = [judge(spread(0.1, 0.2, seed)).outcome for seed in range(200)]
    assert Outcome.VIOLATED not in found


@pytest.mark.parametrize("strays", [0, 1, 2])
def test_equal_waits_are_a_herd(strays):
    """Waits that are equal but for their lateness are a herd, also where the machine held one or two of them up."""
    waits = [0.2 + 0.001 * (order % 7) for order in ORDERS]
    waits[:strays] = [0.33] * strays
    result = judge(waits)
    assert result.outcome is Outcome.VIOLATED
    assert result.observed.startswith("14 of 16 waits within 0.00")


def test_between_the_two_nothing_is_said():
    """Waits further apart than chance would bring them, and no further than lateness might, tell nothing."""
    result = judge([0.2 + 0.002 * order for order in ORDERS])
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)


def test_lateness_is_no_jitter():
    """Waits that are far apart and none of them shorter than the whole backoff are late, not drawn."""
    result = judge([0.2 + 0.008 * order for order in ORDERS])
    assert (result.outcome, result.kind) == (Outcome.UNKNOWN, UnknownKind.INTERFERENCE)


def test_a_disturbed_lab_proves_no_jitter():
    """Where the lab was held up, waits must be further apart to be proof."""
    waits = [0.1 + 0.005 * order for order in ORDERS]
    assert judge(waits).outcome is Outcome.HELD
    assert judge(waits, disturbance_s=0.6).kind is UnknownKind.INTERFERENCE
    assert judge([0.01 * order for order in ORDERS], disturbance_s=9.0).outcome is Outcome.HELD


def test_equal_jitter_is_judged_by_its_own_width():
    """Equal jitter is declared over half the wait; what is alike there is a herd too."""
    assert judge([0.2] * 16, retry=EQUAL).outcome is Outcome.VIOLATED
    assert judge(spread(0.1, 0.2), retry=EQUAL).outcome is Outcome.HELD


def test_too_few_came_back():
    """Where hardly any order was sent again, there is no herd to judge."""
    result = judge([0.1] * 9)
    assert (result.kind, result.observed) == (UnknownKind.VACUOUS, "9 of 16 orders failed and were sent again")


@pytest.mark.parametrize(
    ("waits", "orders", "kind"),
    [
        (10, 10, None),
        (9, 9, UnknownKind.VACUOUS),
        (9, 10, UnknownKind.VACUOUS),
        (14, 16, None),
        (13, 16, UnknownKind.VACUOUS),
    ],
)
def test_how_many_have_to_come_back(waits, orders, kind):
    """Ten at least, and of more than that seven in eight."""
    assert judge(spread(0.0, 0.2)[:waits], orders=ORDERS[:orders]).kind is kind


@pytest.mark.parametrize(
    ("retry", "apart_s", "outcome"),
    [
        (FULL, 0.0228, Outcome.VIOLATED),
        (FULL, 0.0238, Outcome.UNKNOWN),
        (EQUAL, 0.0114, Outcome.VIOLATED),
        (EQUAL, 0.0119, Outcome.UNKNOWN),
    ],
)
def test_what_chance_would_hardly_ever_do(retry, apart_s, outcome):
    """
    Fourteen of sixteen waits lie within a share x of their width with a chance of at most 16 · C(15, 13) · x^13.

    That is one in a hundred thousand at x = 0.233, of half of the 0.2 s that full jitter declares and the 0.1 s of equal jitter.
    """
    assert judge(within(apart_s), retry=retry).outcome is outcome


def test_the_narrowest_are_looked_for():
    """Those closest together are a herd wherever the odd ones are: before them, behind them or on both sides."""
    herd = [0.1 + 0.001 * number for number in range(14)]
    for strays in ([0.02, 0.05], [0.02, 0.19], [0.18, 0.19]):
        result = judge([*strays, *herd])
        assert (result.outcome, result.observed) == (Outcome.VIOLATED, "14 of 16 waits within 0.013 s")


@pytest.mark.parametrize(
    ("apart_s", "disturbance_s", "outcome"),
    [
        (0.0645, 0.1, Outcome.HELD),
        (0.0645, 0.6, Outcome.UNKNOWN),
        (0.0880, 9.0, Outcome.UNKNOWN),
        (0.0960, 9.0, Outcome.HELD),
    ],
)
def test_a_lab_held_up_counts_in_part(apart_s, disturbance_s, outcome):
    """A sixteenth of what the lab was held up for is added to what lateness alone spreads, a quarter of the width at most."""
    assert judge(within(apart_s), disturbance_s=disturbance_s).outcome is outcome


def test_only_the_first_wait_counts():
    """What comes after a second failure is drawn anew, and hides no herd."""
    calls = [
        each
        for order, waited_s in zip(ORDERS, spread(0.0, 0.4), strict=True)
        for each in (call(0.0, 429, order=order), call(0.21, 429, order=order), call(0.22 + waited_s, order=order))
    ]
    history = told(*sorted(calls, key=lambda each: each.started))
    result = check_herd(history, operations=("sales_order.upsert",), orders=ORDERS, retry=FULL, scale=20.0)
    assert result.outcome is Outcome.VIOLATED
