"""The decision after a failure: on which path, whether again, and when."""

import pytest

from reference.outcomes import Failure, Kind
from reference.policies import ORDER_TO_ERP, PAYMENT_CAPTURE, PAYMENT_WRITEBACK
from reference.retry import Again, Hold, Park, decide


def waits(kind):
    """Return the waits a run of failures of one kind is given, until it is parked."""
    found = []
    for attempts in range(1, 20):
        step = decide(ORDER_TO_ERP, Failure(kind, "CODE", "text"), attempts)
        if isinstance(step, Park):
            return found
        found.append(step.wait_s)
    raise AssertionError("never parked")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Kind.OTHER, [4.0, 8.0]), (Kind.SESSION_EXPIRED, [2.0]), (Kind.MALFORMED, [])],
)
def test_the_waits_are_those_of_the_path(kind, expected):
    """Each path has its own number of attempts and its own growing waits, in production seconds."""
    assert waits(kind) == expected


def test_rate_limits_are_waited_out_with_full_jitter():
    """Three waits, each anywhere from nothing up to four seconds doubled each time, and not always the same."""
    runs = [waits(Kind.RATE_LIMITED) for _ in range(200)]

    assert {len(run) for run in runs} == {3}
    for index, most in enumerate((4.0, 8.0, 16.0)):
        column = [run[index] for run in runs]
        assert all(0 <= wait <= most for wait in column)
        assert max(column) > most / 2 > min(column)


def test_the_latest_failure_decides_over_all_attempts_of_the_run():
    """Two attempts spent on rate limits are two of the three that an error allows, and all of those of a session."""
    assert isinstance(decide(ORDER_TO_ERP, Failure(Kind.OTHER, "C", "t"), 2), Again)
    assert isinstance(decide(ORDER_TO_ERP, Failure(Kind.OTHER, "C", "t"), 3), Park)
    assert isinstance(decide(ORDER_TO_ERP, Failure(Kind.RATE_LIMITED, "C", "t"), 3), Again)
    assert isinstance(decide(ORDER_TO_ERP, Failure(Kind.SESSION_EXPIRED, "C", "t"), 2), Park)


def test_a_vendor_that_asks_for_time_gets_it_where_that_is_promised():
    """The wait is the longer of the two where the path honours the vendor's, and the path's own elsewhere."""
    patient = Failure(Kind.RATE_LIMITED, "C", "t", retry_after_s=30.0)
    brief = Failure(Kind.RATE_LIMITED, "C", "t", retry_after_s=0.5)

    assert decide(PAYMENT_WRITEBACK, patient, 1) == Again(30.0)
    assert decide(PAYMENT_WRITEBACK, brief, 2) == Again(4.0)
    step = decide(PAYMENT_CAPTURE, patient, 1)
    assert isinstance(step, Again)
    assert step.wait_s <= 4.0


def test_what_a_person_decides_is_not_retried():
    """A failure whose path leads to a role queue is held at the first attempt; other kinds fall back to the path of any."""
    step = decide(PAYMENT_CAPTURE, Failure(Kind.DECLINED, "card_declined", "t"), 1)

    assert isinstance(step, Hold)
    assert step.queue.role == "fraud-review"
    assert decide(PAYMENT_WRITEBACK, Failure(Kind.MALFORMED, "C", "t"), 1) == Again(4.0)
    assert isinstance(decide(PAYMENT_WRITEBACK, Failure(Kind.MALFORMED, "C", "t"), 3), Park)
