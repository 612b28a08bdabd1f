"""Shrinking: to something that breaks the promise and from which nothing can be taken."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.schedule import EVERY, Strike, build_schedule
from harness.core.shrinking import shrink

FAULTS = ("reset", "timeout", "error", "refused")
STRIKES = st.builds(Strike, st.integers(1, 5), st.sampled_from(FAULTS), st.integers(EVERY, 5), lasts=st.integers(1, 5))
SCHEDULES = st.lists(STRIKES, min_size=1, max_size=12).map(lambda strikes: build_schedule(strikes, slots=5))


def count_pairs(schedule):
    """Count the pairs of a reset and a timeout that meet."""
    resets = [strike for strike in schedule.strikes if strike.fault == "reset"]
    return sum(strike.meets(reset) for strike in schedule.strikes if strike.fault == "timeout" for reset in resets)


@settings(deadline=None, database=None)
@given(SCHEDULES)
def test_nothing_can_be_taken_away(schedule):
    """Whatever is shrunk, the result breaks the promise, is no heavier, and breaks it no more with any strike left out."""
    if not count_pairs(schedule):
        return
    shrunk = shrink(schedule, lambda each: count_pairs(each) > 0)
    smallest = shrunk.schedule
    assert shrunk.done
    assert count_pairs(smallest)
    assert smallest.weight <= schedule.weight
    assert smallest == build_schedule([Strike(1, "reset", 1, 1, 1), Strike(1, "timeout", 1, 1, 1)], slots=1)
    for place in range(len(smallest)):
        assert not count_pairs(build_schedule(smallest.strikes[:place] + smallest.strikes[place + 1 :], slots=1))


def test_what_is_needed_stays():
    """What only breaks late, long, or on every order keeps that, and nothing else."""
    needed = Strike(3, "reset", EVERY, 2)

    def breaks(schedule):
        return any(strike.covers(needed) for strike in schedule.strikes)

    whole = build_schedule([Strike(1, "reset", EVERY, 5), Strike(2, "error", 4), Strike(5, "timeout")], slots=5)
    assert shrink(whole, breaks).schedule == build_schedule([needed], slots=4)


def test_few_trials():
    """One strike among sixteen is found in a few dozen trials, not in as many as there are subsets."""
    strikes = [Strike(1, f"fault-{number}", 1) for number in range(16)]
    shrunk = shrink(
        build_schedule(strikes, slots=1), lambda each: any(x.fault == "fault-7" for x in each.strikes), asks=1
    )
    assert [strike.fault for strike in shrunk.schedule.strikes] == ["fault-7"]
    assert shrunk.trials < 25


def test_a_no_is_asked_again():
    """What shows only every other time is shrunk all the same, where a no is asked twice, and not where it is asked once."""
    whole = build_schedule([Strike(1, "reset", 1), Strike(1, "error", 1)], slots=1)

    def breaks_every_other_time():
        asked = iter(range(1000))
        return lambda schedule: any(x.fault == "reset" for x in schedule.strikes) and next(asked) % 2 == 1

    assert len(shrink(whole, breaks_every_other_time(), asks=2).schedule) == 1
    assert len(shrink(whole, breaks_every_other_time(), asks=1).schedule) == 2


def test_the_budget_ends_it():
    """When no more may be tried, the smallest so far is returned, and that it is not done."""
    strikes = [Strike(1, f"fault-{number}", 1) for number in range(16)]
    answers = iter([True, True])
    shrunk = shrink(build_schedule(strikes, slots=1), lambda _schedule: next(answers, None))
    assert (len(shrunk.schedule), shrunk.trials, shrunk.done) == (4, 2, False)
