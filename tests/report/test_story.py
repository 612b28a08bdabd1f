"""Behaviour of the timeline that is made of an experiment's history."""

import pytest

from harness.core.ends import EndState
from harness.core.experiments import Experiment, LedgerRule, Station
from harness.core.faults import Fault, Layer
from harness.core.history import Action, Delivery, Exchange, History, Order, Receipt
from harness.report import build_view
from harness.report.story import build_timeline

_FAULT = Fault("f1", "status", Layer.VENDOR, "erp", params={"status": 429})


def _build(history, *faults):
    experiment = Experiment(
        id="order-to-erp/429:retry/once",
        handoff="order-to-erp",
        clause="order-to-erp/429:retry",
        shape="once",
        declared="4 attempts",
        location="stack.yaml:1:1",
        orders=1,
        steps=(),
        checks=(),
        ledger=LedgerRule((Station("order-to-erp", end=EndState("erp", "sales_order")),)),
        faults=faults,
        operations=("sales_order.upsert",),
    )
    return build_timeline(experiment, history)


def _call(started, status, **changes):
    fields = {"operation": "sales_order.upsert", "order": 1, "method": "PUT", "path": "/x"} | changes
    return Exchange(id=f"t{started}", system="erp", started=started, ended=started + 0.1, status=status, **fields)


def _kinds(timeline):
    return [(event["kind"], event["t"]) for event in timeline["events"]]


def test_call_of_the_handoff_is_attempt_and_answer():
    """Every send of the handoff is an attempt, the successful one too, followed by its answer."""
    history = History(now=2.0, orders=(Order(1, "#411001"),), exchanges=(_call(0.5, 429), _call(1.0, 204)))
    timeline = _build(history)

    assert _kinds(timeline) == [("attempt", 0.5), ("answer_error", 0.6), ("attempt", 1.0), ("answer_ok", 1.1)]
    assert [event["label"] for event in timeline["events"]] == ["PUT /x", "429", "PUT /x", "204"]
    assert {"#411001"} == {event["entity"] for event in timeline["events"]}


def test_other_calls_are_context():
    """Logins are sessions, other calls of the system are answers only."""
    history = History(
        now=2.0,
        exchanges=(
            _call(0.1, 200, operation="token.create", order=None),
            _call(0.5, 200, operation="sales_order.read"),
            _call(0.8, 404, operation=None),
        ),
    )

    assert _kinds(_build(history)) == [("session", 0.1), ("answer_ok", 0.6), ("answer_error", 0.9)]


@pytest.mark.parametrize(
    ("status", "outcome", "kinds"),
    [
        (200, "delivered", ["webhook", "ack"]),
        (401, "failed", ["webhook", "answer_error"]),
        (None, "failed", ["webhook", "answer_error"]),
        (None, "suppressed", ["webhook"]),
    ],
)
def test_webhook_is_sent_and_answered(status, outcome, kinds):
    """A webhook stands with its answer; one that was never sent has none."""
    sent = Delivery("orders/create", "w1", 1, 1, 0.1, 0.2, status, outcome)

    assert kinds == [event["kind"] for event in _build(History(now=1.0, deliveries=(sent,)))["events"]]


@pytest.mark.parametrize(("lifted", "hits", "until"), [((1.5,), (0.5,), 1.5), ((), (0.5, 0.9), 0.9), ((), (), 2.0)])
def test_fault_is_shown_while_it_was_armed(lifted, hits, until):
    """A fault reaches from arming to lifting, else to its last hit, else, having never bitten, to the end."""
    actions = [Action(0.1, 0.1, "arm f1", "arm"), *(Action(t, t, "lift f1", "lift") for t in lifted)]
    receipts = tuple(Receipt("f1", t, "t1", "429", "429", 1) for t in hits)
    timeline = _build(History(now=2.0, actions=tuple(actions), receipts=receipts), _FAULT)

    assert timeline["events"] == [
        {
            "t": 0.1,
            "lane": "integration → erp",
            "kind": "fault",
            "label": "f1: 429",
            "until_t": until,
            "fault": "f1",
        }
    ]


def test_fault_never_armed_is_not_shown():
    """A fault that was planned and never armed leaves no band."""
    assert _build(History(now=2.0), _FAULT)["events"] == []


def test_report_can_draw_it():
    """What the story tells is read back by the view, event by event."""
    history = History(now=2.0, orders=(Order(1, "#411001"),), exchanges=(_call(0.5, 429), _call(1.0, 204)))
    run = {"experiments": [{"id": "order-to-erp/429:retry/once", "timeline": _build(history)}]}

    timeline = build_view(run).experiments[0].timeline

    assert (
        timeline.duration_s,
        [event.kind for event in timeline.events],
    ) == (2.0, ["attempt", "answer_error", "attempt", "answer_ok"])
