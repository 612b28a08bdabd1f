"""Experiments: their steps in words, and their faults by id."""

import pytest

from harness.core.conditions import Received
from harness.core.experiments import Act, Arm, Await, Lift, Place, Replay, Restart, Watch


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Arm("f1"), "arm f1"),
        (Lift("f1"), "lift f1"),
        (Place((1, 2)), "place 1, 2"),
        (Await(Received("f1"), 5.0), "wait until 1 receipts of f1"),
        (Watch(1.0, "an alert"), "watch 1.00 s for an alert"),
        (Act("storefront", "update-order"), "storefront: update-order"),
        (Replay("order-to-erp", 1), "replay the dead letter of order 1"),
        (Restart(), "restart the integration"),
    ],
)
def test_steps_in_words(step, words):
    """Each step says what it does, as plans show it."""
    assert str(step) == words


def test_faults_by_id(experiments):
    """A fault is found by its id, and no other is."""
    experiment = experiments["order-to-erp/429:retry/once"]
    assert experiment.fault("f1") is experiment.faults[0]
    with pytest.raises(StopIteration):
        experiment.fault("f2")
