"""Conditions: when each is met, and not a moment before."""

import pytest
from histories import HANDOFF, alert, call, letter, met, record, sent, shown, told

from harness.core.conditions import (
    Alerted,
    AllOf,
    AnyOf,
    Attempted,
    CalledSince,
    DeadLettered,
    Delivered,
    Failed,
    PayloadDeadLettered,
    Queued,
    Received,
    Replayed,
    Resolved,
)
from harness.core.ends import EndState
from harness.core.history import Observation

OPERATIONS = ("sales_order.upsert",)
READ = shown(letter(1), letter(2))
CASES = [
    (
        Resolved(EndState("erp", "sales_order"), (1, 2)),
        [record(1), record(1, order=2, record_id="8")],
        "orders 1, 2 in sales_orders",
    ),
    (Resolved(EndState("erp", "sales_order"), (1,)), [record(1)], "order 1 in sales_orders"),
    (Attempted(OPERATIONS, 2), [call(0), call(1, order=2)], "2 attempts"),
    (Attempted(OPERATIONS, 2, 1), [call(0), call(1, 503)], "2 attempts of order 1"),
    (Failed(OPERATIONS, 2), [call(0, 503), call(1, 429)], "2 failures"),
    (CalledSince(OPERATIONS), [call(5)], "a call of sales_order.upsert"),
    (DeadLettered(HANDOFF, (1, 2)), [READ], "orders 1, 2 in the dead letters of order-to-erp"),
    (
        Queued(HANDOFF, (1, 2)),
        [Observation(1.0, "queues", tuple({"id": f"{n}", "handoff": HANDOFF, "entity": f"#100{n}"} for n in (1, 2)))],
        "orders 1, 2 in a role queue of order-to-erp",
    ),
    (
        Delivered(1, 2, topics=("order.shipped",)),
        [sent(0, topic="order.shipped"), sent(1, topic="order.shipped")],
        "2 deliveries of order 1",
    ),
    (
        PayloadDeadLettered(HANDOFF, 1),
        [sent(0), shown(letter(None, payload_sha256="webhook 1"))],
        "the webhook of order 1 in the dead letters of order-to-erp",
    ),
    (Alerted(HANDOFF, 2), [alert(1), alert(2)], "2 alerts about order-to-erp"),
    (Delivered(1, 2), [sent(0), sent(1, 201)], "2 deliveries of order 1"),
    (Delivered(1, 2, acked=False), [sent(0, 500), sent(1, None)], "2 deliveries of order 1"),
    (Received("f1", 2), [met(), met()], "2 receipts of f1"),
]


@pytest.mark.parametrize(
    ("condition", "things", "words"), CASES, ids=[f"{type(case[0]).__name__}: {case[2]}" for case in CASES]
)
def test_met_by_all_of_it(condition, things, words):
    """Each condition is met by exactly what it waits for, not by one thing less, and completes `wait until …`."""
    assert condition.is_met(told(*things), since=4.0)
    for missing in range(len(things)):
        assert not condition.is_met(told(*things[:missing], *things[missing + 1 :]), since=4.0)
    assert str(condition) == words


@pytest.mark.parametrize(
    ("condition", "things"),
    [
        (Resolved(EndState("erp", "invoice"), (1,)), [record(1)]),
        (Resolved(EndState("erp", "sales_order"), (1,)), [record(1), record(2, action="deleted")]),
        (Attempted(OPERATIONS, 1, 1), [call(0, order=2), call(0, operation="token.create")]),
        (Failed(OPERATIONS, 1), [call(0), call(1, 400)]),
        (CalledSince(OPERATIONS), [call(3.9)]),
        (DeadLettered(HANDOFF, (1,)), [shown(letter(1, handoff="order-capture")), shown(letter(2))]),
        (PayloadDeadLettered(HANDOFF, 1), [sent(0), sent(0, order=2), shown(letter(1, payload_sha256="webhook 2"))]),
        (Alerted(HANDOFF), [alert(handoff="order-capture"), alert(handoff=None)]),
        (Queued(HANDOFF, (1,)), [shown(letter(1))]),
        (Delivered(1, topics=("order.shipped",)), [sent(0)]),
        (Delivered(1), [sent(0, 500), sent(0, None), sent(0, 302), sent(0, order=2)]),
        (Received("f1"), [met("f2")]),
        (Replayed(HANDOFF, 1), [shown(letter(1))]),
        (DeadLettered(HANDOFF, (1, 2)), [shown(letter(1))]),
        (DeadLettered(HANDOFF, (1, 2)), [shown(letter(2))]),
        (Queued(HANDOFF, (1, 2)), [Observation(1.0, "queues", ({"id": "1", "handoff": HANDOFF, "entity": "#1001"},))]),
    ],
)
def test_not_met_by_something_else(condition, things):
    """What looks alike does not meet a condition."""
    assert not condition.is_met(told(*things), since=4.0)


def test_replayed():
    """A dead letter is replayed once it waits no more, shown or not; other orders may wait."""
    condition = Replayed(HANDOFF, 1)
    assert condition.is_met(told(shown(letter(1, state="replayed"), letter(2))), 0)
    assert condition.is_met(told(shown(letter(1), t=1), shown()), 0)
    assert str(condition) == "the dead letter of order 1 replayed"


@pytest.mark.parametrize(("met_ones", "any_of", "all_of"), [(0, False, False), (1, True, False), (2, True, True)])
def test_joined(met_ones, any_of, all_of):
    """Conditions are joined by `or` and `and`."""
    both = (Received("f0"), Received("f1"))
    history = told(*(met(f"f{n}") for n in range(met_ones)))
    assert AnyOf(both).is_met(history, 0) is any_of
    assert AllOf(both).is_met(history, 0) is all_of
    assert (str(AnyOf(both)), str(AllOf(both))) == (
        "1 receipts of f0 or 1 receipts of f1",
        "1 receipts of f0 and 1 receipts of f1",
    )


def test_joined_of_nothing():
    """Any of nothing never comes, all of nothing is there already."""
    assert not AnyOf(()).is_met(told(), 0)
    assert AllOf(()).is_met(told(), 0)
