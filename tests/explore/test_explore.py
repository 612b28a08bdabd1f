"""Exploring a simulated integration: what is planted is found, shrunk to next to nothing, and confirmed."""

import itertools
import random

import pytest

from harness.core.schedule import EVERY, Strike, build_schedule
from harness.explore import Budget, Space, Tried, draw_schedules, explore
from tests.explore.simulated import FAULTS, Simulated

SPACE = Space((FAULTS,))
TRIES = 100
# What some minutes allow for in a few labs.
TRIALS = 400
# In how many tries the planted pair has to be found and shrunk, and to how much.
ENOUGH = 95
SMALL = 3


def plant(seed, *, count=2, **settings):
    """Plant an interaction of some faults and one that hides it, drawn by a seed."""
    hiding, *planted = random.Random(seed).sample(FAULTS, count + 1)  # noqa: S311 - drawn alike each time
    return Simulated(tuple(planted), hiding=hiding, seed=seed, **settings)


def find_first(simulated, seed, **budget):
    """Explore until something is found; return it, or None where nothing was."""
    report = explore(SPACE, simulated, seed=seed, budget=Budget(**{"trials": TRIALS} | budget), most_found=1)
    assert report.trials == simulated.trials <= TRIALS
    return next(iter(report.found), None)


def is_shrunk(found, simulated):
    """Tell whether what was found is small, breaks the integration, and breaks nothing without any one of its strikes."""
    if found is None or len(found.schedule) > SMALL or not simulated.breaks(found.schedule):
        return False
    strikes, slots = found.schedule.strikes, found.schedule.slots
    return not any(
        simulated.breaks(build_schedule(strikes[:place] + strikes[place + 1 :], slots=slots))
        for place in range(len(strikes))
    )


@pytest.mark.timeout(300)
def test_a_pair_among_forty_is_shrunk_in_95_of_100_tries():
    """Each time another two of forty faults only do harm together: they are found and shrunk until nothing can be left out."""
    tries = [(plant(seed), seed) for seed in range(TRIES)]
    found = [(find_first(simulated, seed), simulated) for simulated, seed in tries]
    assert len(FAULTS) == 40
    assert len({(frozenset(simulated.planted), simulated.hiding) for simulated, _ in tries}) == TRIES
    assert sum(itertools.starmap(is_shrunk, found)) >= ENOUGH
    assert all(each is None or is_shrunk(each, simulated) for each, simulated in found)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_pair_that_shows_now_and_then_is_shrunk_in_95_of_100_tries():
    """The same where it shows in four of five runs: what is left breaks it, and is small, though it may hold a strike too many."""
    small = 0
    for seed in range(TRIES):
        simulated = plant(seed, shows=0.8)
        found = find_first(simulated, seed)
        small += found is not None and len(found.schedule) <= SMALL and simulated.breaks(found.schedule)
    assert small >= ENOUGH, f"{small} of {TRIES}"


def test_the_smallest_is_the_planted_pair():
    """What is left is the two faults, each on the first order in the first slot, and nothing can be taken from it."""
    simulated = plant(3)
    found = find_first(simulated, 3)
    assert found.whole
    assert sorted(strike.fault for strike in found.schedule.strikes) == sorted(simulated.planted)
    assert {(each.begins, each.order, each.lasts, each.attempt) for each in found.schedule.strikes} == {(1, 1, 1, 1)}
    assert found.schedule.slots == 1
    assert len(found.drawn) > 2


def test_it_is_confirmed_with_a_bound():
    """What breaks each time did so in all further runs; what breaks now and then, in some, and the bound says how often at least."""
    always = find_first(plant(3), 3)
    assert (always.hits, always.runs) == (10, 10)
    assert always.at_least == pytest.approx(0.741, abs=0.001)
    sometimes = find_first(plant(3, shows=0.6), 3, confirm=40)
    assert 0 < sometimes.hits < sometimes.runs == 40
    assert 0.3 < sometimes.at_least < 0.6


def test_the_same_seed_explores_alike():
    """Same seed, same schedules, same finding; another seed, others."""
    first, second, other = plant(7), plant(7), plant(7)
    assert find_first(first, 7) == find_first(second, 7)
    assert first.tried == second.tried
    find_first(other, 8)
    assert first.tried[:5] != other.tried[:5]


def test_a_sound_integration_costs_the_whole_budget_and_nothing_else():
    """Where nothing breaks, nothing is found, and every trial is another draw."""
    simulated = Simulated(("no such fault",), hiding="nor this")
    report = explore(SPACE, simulated, seed=1, budget=Budget(trials=60))
    assert (report.found, report.drawn, report.trials) == ((), 60, 60)
    assert len(set(simulated.tried)) == 60


def test_two_findings_are_told_apart():
    """What covers a finding is not tried again, so that the next finding is another one."""
    first, second = plant(1), plant(2)

    def both(schedules, _phase):
        return [Tried(first.run(schedule) | second.run(schedule)) for schedule in schedules]

    report = explore(SPACE, both, seed=5, budget=Budget(trials=1500), most_found=2)
    pairs = {frozenset(strike.fault for strike in found.schedule.strikes) for found in report.found}
    assert pairs == {frozenset(first.planted), frozenset(second.planted)}


def test_time_ends_it_anywhere():
    """When the time is spent nothing more is tried: while drawing, shrinking and confirming, and what was found is kept."""
    whole = plant(3)
    find_first(whole, 3)
    for spent in range(1, whole.trials, max(1, whole.trials // 15)):
        simulated = plant(3)
        report = explore(
            SPACE, simulated, seed=3, budget=Budget(left=lambda sim=simulated, n=spent: sim.trials < n), most_found=1
        )
        assert simulated.trials == spent
        for found in report.found:
            assert simulated.breaks(found.schedule)
            assert found.whole or found.runs == 0


def test_one_fault_alone_and_three_together():
    """One fault alone is shrunk to one strike; three that only do harm together to three."""
    for count in (1, 3):
        simulated = plant(4, count=count)
        report = explore(SPACE, simulated, seed=4, budget=Budget(trials=4000), most_found=1)
        assert len(report.found[0].schedule) == count


def test_what_was_seen_once_is_not_confirmed():
    """A fluke is reported as what it is: no further run showed it, and its bound is nothing."""
    fluke = iter([Tried(frozenset({"ledger"}))])

    def once(schedules, _phase):
        return [next(fluke, Tried()) for _ in schedules]

    report = explore(SPACE, once, seed=1, budget=Budget(trials=200), most_found=1)
    (found,) = report.found
    assert (found.hits, found.runs, found.at_least) == (0, 10, 0.0)
    assert found.schedule == found.drawn


def test_drawing_spreads():
    """Sizes, slots, orders and durations of what is drawn cover the space, within its limits."""
    seen = []
    draw_schedules(SPACE, 11, lambda schedule: seen.append(schedule) or len(seen) < 300)
    assert len(seen) == 300
    assert {len(schedule) for schedule in seen} >= set(range(2, 17))
    assert {schedule.slots for schedule in seen} == set(range(2, 7))
    strikes = [strike for schedule in seen for strike in schedule.strikes]
    assert {strike.fault for strike in strikes} == set(FAULTS)
    assert {strike.order for strike in strikes} == set(range(7))
    assert all(1 <= each.begins < each.ends <= schedule.slots + 1 for schedule in seen for each in schedule.strikes)


def test_a_menu_of_one():
    """A menu of one fault is explored as well."""
    space = Space((("only",),), strikes=4)
    report = explore(space, Simulated(("only",), hiding="nothing"), seed=1, budget=Budget(trials=50), most_found=1)
    assert report.found[0].schedule == build_schedule([Strike(1, "only", 1, 1, 1)], slots=1)


def test_a_space_that_is_used_up():
    """Where all there is was tried, the search ends, whatever is left of the budget."""
    space = Space((("only",),), strikes=2, slots=2, attempts=(EVERY,))
    report = explore(space, Simulated(("no such fault",), hiding="nor this"), seed=1, budget=Budget())
    assert report.found == ()
    assert 10 < report.drawn == report.trials < 100
