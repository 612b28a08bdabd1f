"""Role queues: one case for the right role, told once, decided, and where a decision leads."""

import pytest
from histories import HANDOFF, alert, call, did, record, told

from harness.core.checks.queue import check_case, check_decided, check_not_resolved, check_resumed_once, check_told
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import Sent
from harness.core.ends import EndState
from harness.core.history import Observation
from harness.core.verdict import Outcome, UnknownKind

SEEN = frozenset({"dead_letters", "queues"})
HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN


def case(order=1, **more):
    """Make an open case for compliance."""
    fields = {"id": f"case {order}", "handoff": HANDOFF, "role": "compliance", "sla_s": 3600, "state": "open"}
    return {**fields, "entity": f"#100{order}", "code": "RESTRICTED", **more}


def queues(*cases, t=9.0, error=None):
    """Make a reading of the role queues."""
    return Observation(t, "queues", cases, error)


def judge_case(*things, sla_s=3600.0, observable=SEEN):
    """Judge the case of order 1."""
    history = told(*things, observable=observable)
    return check_case(history, handoff=HANDOFF, order=1, role="compliance", sla_s=sla_s, horizon_s=5.0)


@pytest.mark.parametrize(
    ("cases", "outcome", "said"),
    [
        ([case()], HELD, "one, open"),
        ([case(state="done")], HELD, "one, done"),
        ([case(sla_s="3600.0")], HELD, "one"),
        ([case(sla_s=None)], HELD, "one"),
        ([{k: v for k, v in case().items() if k not in {"sla_s", "state", "code"}}], HELD, "one, open"),
        ([case(), case(2), case(id="other", handoff="another")], HELD, "one"),
        ([], VIOLATED, "none within 5.00 s"),
        ([case(2)], VIOLATED, "none within 5.00 s"),
        ([case(handoff="another")], VIOLATED, "none within 5.00 s"),
        ([case(), case(id="second")], VIOLATED, "2 cases for one exception"),
        ([case(role="oncall")], VIOLATED, "it is in the queue of oncall"),
        ([case(role=None)], VIOLATED, "it is in the queue of None"),
        ([case(sla_s=180)], VIOLATED, "it is to be decided within 180 s"),
        ([case(sla_s="1h")], HELD, "one, open"),
        ([case(sla_s="4h")], VIOLATED, "it is to be decided within 14400 s"),
        ([case(sla_s="soon")], UNKNOWN, "its SLA cannot be read: 'soon'"),
        ([case(sla_s=[3600])], UNKNOWN, "its SLA cannot be read: [3600]"),
    ],
)
def test_case(cases, outcome, said):
    """There is one case about the order, in the declared queue, with the declared SLA where it says one."""
    result = judge_case(queues(*cases))
    assert (result.outcome, result.observed.startswith(said)) == (outcome, True)


def test_case_of_a_role_without_sla():
    """Where no SLA is declared, whatever the case says is right."""
    assert judge_case(queues(case(sla_s=5)), sla_s=None).outcome is HELD


def test_a_case_that_went_and_came():
    """A second case after the first was closed is a second case."""
    assert judge_case(queues(case(), t=1), queues(case(id="second"), t=2)).outcome is VIOLATED
    assert judge_case(queues(case(), t=1), queues(t=2)).outcome is HELD


@pytest.mark.parametrize(
    ("things", "observable"),
    [([], SEEN), ([queues(error="down")], SEEN), ([queues(case())], frozenset({"dead_letters"}))],
)
def test_case_nobody_can_see(things, observable):
    """Without a reading of the queues nothing is said of cases."""
    result = judge_case(*things, observable=observable)
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)


@pytest.mark.parametrize(
    ("alerts", "outcome", "said"),
    [
        ([alert(role="compliance", entity="#1001")], HELD, "once, by pagerduty"),
        ([alert(role="compliance", entity="#1001", channel="zendesk")], HELD, "once, by zendesk"),
        ([alert(role="compliance", entity="order 51001")], HELD, "once"),
        ([alert(role="compliance", entity="#1001"), alert(role="compliance", entity="#1002")], HELD, "once"),
        ([alert(role="compliance", entity="#1001"), alert(role="oncall", entity=None)], HELD, "once"),
        ([], VIOLATED, "nobody within 5.00 s"),
        ([alert(role="compliance", entity="#1002")], VIOLATED, "nobody"),
        ([alert(role="compliance", entity="#1001", handoff="another")], VIOLATED, "nobody"),
        ([alert(role="oncall", entity="#1001")], VIOLATED, "oncall was told"),
        ([alert(role=None, entity="#1001")], VIOLATED, "None was told"),
        ([alert(role="compliance", entity="#1001"), alert(role="oncall", entity="#1001")], HELD, "once, by pagerduty"),
        (
            [alert(role="compliance", entity="#1001", channel=channel) for channel in ("zendesk", "slack")],
            HELD,
            "once, by slack and zendesk",
        ),
        ([alert(1, "compliance", entity="#1001"), alert(2, "compliance", entity="#1001")], VIOLATED, "2 times"),
    ],
)
def test_told(alerts, outcome, said):
    """The role is told once, on whatever channel, by something that names handoff and order."""
    result = check_told(told(*alerts), handoff=HANDOFF, order=1, role="compliance", horizon_s=5.0)
    assert (result.outcome, result.observed.startswith(said)) == (outcome, True)


@pytest.mark.parametrize(
    "nameless", [alert(role="compliance", handoff=None, channel="slack"), alert(role="compliance", entity=None)]
)
def test_told_by_something_nameless(nameless):
    """An alert that names no handoff or no order may be what tells of the case, or not; beside one that does it is no matter."""
    judge = {"handoff": HANDOFF, "order": 1, "role": "compliance", "horizon_s": 5.0}
    result = check_told(told(nameless), **judge)
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    assert check_told(told(nameless, alert(role="compliance", entity="#1001")), **judge).outcome is HELD
    assert check_told(told(nameless, alert(role="oncall", entity="#1001")), **judge).outcome is VIOLATED


@pytest.mark.parametrize(
    ("readings", "outcome"),
    [
        ([queues(case(), t=1), queues(case(state="decided"), t=2)], HELD),
        ([queues(case(), t=1), queues(t=2)], HELD),
        ([queues(case(state="done"), case(2))], HELD),
        ([queues(case())], VIOLATED),
        ([queues(case(state="decided"), t=1), queues(case(), t=2)], VIOLATED),
        ([queues(case(state="done"), case(id="second"))], VIOLATED),
    ],
)
def test_decided(readings, outcome):
    """A decided case is open no more, and none is opened instead."""
    result = check_decided(told(*readings, observable=SEEN), handoff=HANDOFF, order=1, decision="approve")
    assert (result.outcome, result.declared) == (outcome, "closed by approve")


def test_a_case_that_nobody_can_decide():
    """Where the integration has no way to decide a case, as when its queues are read by a command, that it lies open proves nothing."""
    decided = did("decide", 2.0, 1, met=False)
    history = told(decided, queues(case()), observable=SEEN)
    result = check_decided(history, handoff=HANDOFF, order=1, decision="approve")
    assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    went_on = check_resolved_once(history, end=EndState("erp", "sales_order"), orders=(1,))
    assert (went_on.outcome, went_on.kind) == (UNKNOWN, UnknownKind.NOT_OBSERVABLE)
    possible = told(did("decide", 2.0, 1), queues(case()), observable=SEEN)
    assert check_decided(possible, handoff=HANDOFF, order=1, decision="approve").outcome is VIOLATED


@pytest.mark.parametrize(
    ("readings", "observable", "kind"),
    [
        ([queues(case(2))], SEEN, UnknownKind.VACUOUS),
        ([], SEEN, UnknownKind.VACUOUS),
        ([queues(case())], frozenset(), UnknownKind.NOT_OBSERVABLE),
    ],
)
def test_nothing_to_decide(readings, observable, kind):
    """Without a case there was nothing to decide; without sight of cases nobody can tell."""
    result = check_decided(told(*readings, observable=observable), handoff=HANDOFF, order=1, decision="approve")
    assert (result.outcome, result.kind) == (UNKNOWN, kind)


def test_not_resolved():
    """An order that was turned down is not in the end state; another's record is no matter."""
    end = EndState("erp", "sales_order")
    judge = {"end": end, "order": 1, "horizon_s": 1.0}
    assert check_not_resolved(told(record(1, order=2)), **judge).outcome is HELD
    assert check_not_resolved(told(record(1), record(2, action="deleted")), **judge).outcome is HELD
    result = check_not_resolved(told(record(1)), **judge)
    assert (result.outcome, result.observed) == (VIOLATED, "1 in sales_orders")
    assert result.evidence[0].what == "erp: sales_orders 7"


def judge_resumed(*things, client_retries=0):
    """Judge what was sent about order 1 after its case was decided at 2 s."""
    sent = Sent(("sales_order.upsert",), 1, client_retries)
    return check_resumed_once(told(call(1.0, 400), *things, observable=SEEN), sent, handoff=HANDOFF)


@pytest.mark.parametrize(
    ("calls", "client_retries", "outcome"), [(0, 0, VIOLATED), (1, 0, HELD), (2, 0, VIOLATED), (2, 1, HELD)]
)
def test_resumed_once(calls, client_retries, outcome):
    """After a decision that arrived twice the order is sent once, whatever a client below repeats."""
    later = [call(2.1 + n / 10) for n in range(calls)]
    result = judge_resumed(queues(case()), did("decide", 2.0, 1), *later, client_retries=client_retries)
    assert result.outcome is outcome


def test_an_expired_session_resumes_nothing():
    """A call that only showed that the session had expired is not counted."""
    calls = [call(2.1, 401), call(2.3)]
    assert judge_resumed(queues(case()), did("decide", 2.0, 1), *calls).outcome is HELD


@pytest.mark.parametrize(
    ("things", "kind"),
    [
        ([queues(case())], UnknownKind.VACUOUS),
        ([queues(), did("decide", 2.0, 1)], UnknownKind.VACUOUS),
        ([queues(case()), did("decide", 2.0, 1, met=False)], UnknownKind.NOT_OBSERVABLE),
    ],
)
def test_nothing_was_resumed(things, kind):
    """Without a case, a decision, or a way to take one, nothing can be said of what follows it."""
    assert judge_resumed(*things).kind is kind
