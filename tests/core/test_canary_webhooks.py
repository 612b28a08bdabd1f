"""Which order shows that the way is free again, where webhooks were made to fail."""

from dataclasses import replace

import pytest
from canaries import HANDOFF, RETRIED, find, read

from harness.core.canary import find_canary


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("0.30 webhook 1 503 topic=orders/updated", None),
        ("0.30 webhook 1 none topic=orders/updated", None),
        ("0.30 webhook - 503 topic=orders/updated", None),
        ("0.30 webhook 1 200 topic=orders/updated", 1),
        ("0.30 webhook 1 suppressed topic=orders/updated", 1),
    ],
)
def test_a_webhook_is_still_to_come(line, order):
    """A webhook that was not taken comes again; one that was never sent does not."""
    assert find(*RETRIED, line) == order


def test_a_webhook_was_taken_at_the_second_try():
    """A webhook that was refused and then taken comes no more."""
    assert find(*RETRIED[:3], "0.01 webhook 1 503", "0.02 webhook 1 200", *RETRIED[4:]) == 1


DOUBLED = (
    "0.00 breaker closed handoff=order-to-erp",
    "0.00 arm f1",
    "0.00 place 1",
    "0.05 sales_order.upsert 1 204 record=7",
)


@pytest.mark.parametrize(("copies", "order"), [(1, None), (2, None), (3, 1), (4, 1)])
def test_copies_are_still_to_come(copies, order):
    """Where a webhook is sent three times, all three must have been taken."""
    lines = [f"0.0{n} webhook 1 200 f1" for n in range(1, copies + 1)]
    assert find(*DOUBLED, *lines, handoff="order-capture", experiment="duplicate:deduplicate/together") == order


LATE = (
    "0.00 breaker closed handoff=order-to-erp",
    "0.00 arm f1",
    "0.00 place 1 2",
    "0.01 webhook 1 200",
    "0.05 sales_order.upsert 1 204 record=7",
    "0.10 webhook 1 200 topic=orders/updated",
    "0.10 webhook 2 200 topic=orders/updated",
    "0.12 sales_order.upsert 2 204 record=8",
    "0.20 webhook 2 200 f1",
)


def test_a_webhook_is_held_back():
    """Where the creation is held back behind the update, both must have come, of the order that is held back."""
    where = {"handoff": "order-capture", "experiment": "out_of_order:reorder/update-first"}
    assert find(*LATE, **where) == 2
    assert find(*LATE[:-1], **where) is None
    assert find(*(line for line in LATE if "2 200 topic" not in line), **where) is None


def test_webhooks_of_all_orders_are_held_back():
    """Where a fault names no order, those of all orders must have come."""
    where = {"handoff": "order-capture", "experiment": "out_of_order:reorder/update-first"}
    for lines, order in ((LATE, 2), ([line for line in LATE if "1 200 topic" not in line], None)):
        trace = read(lines, **where)
        (fault,) = trace.experiment.faults
        every = replace(trace.experiment, faults=(replace(fault, orders=()),))
        assert find_canary(trace.history, every, breakers=frozenset({HANDOFF})) == order
        assert find_canary(trace.history, trace.experiment, breakers=frozenset({HANDOFF})) == 2


def test_the_receiver_is_up_again():
    """Where deliveries were refused, the one that was taken shows it."""
    refused = (*RETRIED[:3], "0.01 webhook 1 none f1", "0.90 sales_order.upsert 1 204 record=7")
    where = {"handoff": "order-capture", "experiment": "receiver_down:recover/once"}
    assert find(*refused, "0.80 webhook 1 200", **where) == 1
    assert find(*refused, **where) is None


def test_a_webhook_that_was_never_sent_shows_nothing():
    """What reconciliation found says nothing of the webhooks."""
    lines = (*RETRIED[:3], "0.01 webhook 1 suppressed f1", "0.80 sales_order.upsert 1 204 record=7")
    assert find(*lines, handoff="order-capture", experiment="dropped:reconcile/one") is None
