"""The estimate of a backoff: what it tells of waits that were drawn from a known policy, and what it leaves open."""

import random

import pytest

from harness.core.estimate import Estimate, Range, estimate_backoff
from harness.core.jitter import Wait

BASE_S, FACTOR, LATE_S = 0.2, 2.0, 0.005


def draw(family, *, orders, ordinals, seed=1, cap_s=99.0):
    """Draw waits of a family, each a little late."""
    rng = random.Random(seed)  # noqa: S311 - draws for a test, not secrets
    waits = []
    for _ in range(orders):
        previous_s = 0.0
        for ordinal in range(1, ordinals + 1):
            nominal_s = min(cap_s, BASE_S * FACTOR ** (ordinal - 1))
            waited_s = {
                "none": nominal_s,
                "full": rng.uniform(0, nominal_s),
                "equal": rng.uniform(nominal_s / 2, nominal_s),
                "decorrelated": min(cap_s, rng.uniform(BASE_S, 3 * max(previous_s, BASE_S))),
            }[family] + rng.expovariate(1 / LATE_S)
            waits.append(Wait(ordinal, waited_s, previous_s))
            previous_s = waited_s
    return waits


def covers(found, value):
    """Tell whether an interval covers a value."""
    return isinstance(found, Range) and found.lowest <= value <= found.highest


@pytest.mark.parametrize("family", ["none", "full", "equal", "decorrelated"])
def test_a_family_is_found(family):
    """From a dozen waits or more each family of jitter is told, with a base and a factor near the true ones."""
    told = [estimate_backoff(draw(family, orders=6, ordinals=3, seed=seed)) for seed in range(6)]
    assert sum(each.families == (family,) for each in told) >= 5
    found = [each for each in told if each.families == (family,)]
    assert sum(covers(each.base, BASE_S) for each in found) >= len(found) - 2
    if family != "decorrelated":
        assert sum(covers(each.factor, FACTOR) for each in found) >= len(found) - 2


@pytest.mark.parametrize("family", ["none", "full", "equal"])
def test_few_waits_name_no_wrong_family(family):
    """The waits of one order alone are not enough to be wrong about."""
    told = [estimate_backoff(draw(family, orders=1, ordinals=3, seed=seed)) for seed in range(8)]
    assert [each.families for each in told if each.base is not None and each.families != (family,)] == []


def test_two_waits_are_too_few():
    """Two waits fit every base and factor, so nothing is said of them."""
    assert str(estimate_backoff(draw("none", orders=1, ordinals=2))) == "2 waits, too few to tell the backoff"
    assert str(estimate_backoff([])) == "no waits, too few to tell the backoff"


def test_what_is_left_open_is_named():
    """Where the waits leave several families open, these are named."""
    told = str(estimate_backoff([Wait(1, 0.11), Wait(2, 0.24, 0.11), Wait(3, 0.45, 0.24)]))
    assert told.startswith("3 waits, too few to tell the backoff: the jitter may be ")
    assert " or " in told


def test_a_cap_is_found():
    """Waits that grow no more show the cap, and the factor is that of the ones before it."""
    told = estimate_backoff(draw("none", orders=2, ordinals=6, cap_s=0.5))
    assert told.families == ("none",)
    assert covers(told.base, BASE_S)
    assert covers(told.factor, FACTOR)
    assert covers(told.cap, 0.5)
    assert "at most ≈ 0.50" in str(told)


def test_a_decorrelated_cap_is_found():
    """Decorrelated waits that a cap cuts are not taken for waits without jitter."""
    told = [estimate_backoff(draw("decorrelated", orders=4, ordinals=4, cap_s=0.5, seed=seed)) for seed in range(8)]
    assert {each.families[0] for each in told if each.base is not None} == {"decorrelated"}
    assert covers(next(each.cap for each in told if each.cap is not None), 0.5)


def test_a_cap_is_hard_to_see_under_full_jitter():
    """Where waits are anything up to a cap, it lies within what is said of it, if anything is; none is invented."""
    some = [
        estimate_backoff(draw("full", orders=orders, ordinals=ordinals, cap_s=0.6, seed=seed))
        for orders, ordinals in ((4, 6), (3, 8))
        for seed in range(12)
    ]
    caps = [each.cap for each in some if each.cap is not None]
    assert len(caps) >= 6
    assert sum(covers(cap, 0.6) for cap in caps) >= len(caps) - 1
    assert sum(covers(each.factor, FACTOR) for each in some if each.factor is not None) >= 12
    none = [estimate_backoff(draw("full", orders=5, ordinals=4, seed=seed)) for seed in range(12)]
    assert {each.cap for each in none} == {None}


def test_constant_waits():
    """A policy that does not grow has the factor one."""
    told = estimate_backoff([Wait(n, 0.3 + n / 1000) for n in (1, 2, 3, 4, 5)])
    assert (told.families, covers(told.factor, 1.0), told.cap) == (("none",), True, None)


def test_the_unit_does_not_matter():
    """The same waits twenty times as long give the same family and factor, and a base twenty times as long."""
    short = estimate_backoff(draw("none", orders=2, ordinals=3))
    long = estimate_backoff(
        [Wait(w.ordinal, w.waited_s * 20, w.previous_s * 20) for w in draw("none", orders=2, ordinals=3)]
    )
    assert (short.families, long.families) == (("none",), ("none",))
    assert covers(long.base, BASE_S * 20)
    assert covers(long.factor, FACTOR)


def test_in_another_unit():
    """Base and cap are lengths and change with the unit; a factor does not, and what was not seen stays so."""
    seen = Estimate(5, ("none",), Range(0.2, 0.1, 0.3), Range(2.0, 1.9, 2.1), Range(0.5, 0.4, 0.6))
    assert seen.multiply(20) == Estimate(
        5, ("none",), Range(4.0, 2.0, 6.0), Range(2.0, 1.9, 2.1), Range(10.0, 8.0, 12.0)
    )
    assert Estimate(2).multiply(20) == Estimate(2)


def test_a_disturbed_machine_makes_unsure():
    """What a machine that was held up for long may have added is not taken for jitter."""
    waits = [Wait(n, 0.2 * 2 ** (n - 1) + late, late_s=0.3) for n, late in ((1, 0.2), (2, 0.05), (3, 0.3))]
    assert estimate_backoff(waits).base is None


def test_the_shortest_wait_may_have_been_in_time():
    """On a machine that may have made waits longer, the base is still not below all of them for certain."""
    lates = (0.002, 0.003, 0.004, 0.006, 0.01)
    told = estimate_backoff([Wait(n, 0.2 * 2 ** (n - 1) + late, late_s=0.04) for n in (1, 2) for late in lates])
    assert told.families == ("none",)
    assert covers(told.base, BASE_S)


def test_no_base_of_nothing_explains_everything():
    """Where waits may be late by more than they are long, a base next to nothing is no explanation."""
    waits_s = (0.01, 0.08, 0.15, 0.04, 0.2, 0.11)
    assert estimate_backoff([Wait(1, waited_s, late_s=0.3) for waited_s in waits_s]).base is None
    assert estimate_backoff([Wait(1, waited_s, late_s=0.04) for waited_s in waits_s]).families[0] != "none"


def test_it_says_what_it_saw():
    """An estimate reads as one would say it, with its intervals."""
    told = str(estimate_backoff(draw("none", orders=4, ordinals=3)))
    assert told.startswith("no jitter, base ≈ 0.20 (0.1")
    assert " s, factor ≈ " in told
    assert told.endswith(", from 12 waits")
