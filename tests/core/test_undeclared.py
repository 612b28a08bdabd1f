"""What is declared nowhere: what is told of it, what is not, and what a stack makes of it that forbids it."""

from dataclasses import replace

import pytest
from histories import alert, call, did, letter, sent, shown, told

from harness.core.compile import compile_stack
from harness.core.history import Observation
from harness.core.loading import load_stack
from harness.core.triggers import Trigger
from harness.core.undeclared import check_declared, list_undeclared, takes
from harness.core.verdict import Outcome

STACK = """\
version: 1
name: small
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
integration: {command: [serve], observe: {dead_letters: /letters, queues: /cases}}
roles: {oncall: {}, compliance: {}, sales: {}}
handoffs:
  - id: order-capture
    from: storefront
    to: integration
    protocol: webhook
    owner: sales
    operation: [orders/create]
    within: 5m
    paths:
      - on: bad_signature
        reject: {status: 401}
  - id: order-to-erp
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    operation: [sales_order.create, sales_order.upsert]
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 5m
    paths:
      - on: {status: 503}
        retry: {attempts: 3, initial: 4s}
      - on: {code: RESTRICTED}
        queue: {role: compliance, decisions: {approve: {to: continue}, reject: {to: cancel}}}
"""
BRANCHING = """\
      - on: {code: SHORT}
        branch: {to: other-warehouse}
"""
RETRYING = """\
      - on: {status: 409}
        retry: {attempts: 2, initial: 4s}
"""


def load(extra=""):
    """Load the stack, with more paths or keys below it."""
    return load_stack(STACK + extra, file="stack.yaml")


def find(*things, extra="", **more):
    """Return what is told of a history, as kind and words."""
    return [f"{each.kind} at {each.where}: {each.what}" for each in list_undeclared(told(*things, **more), load(extra))]


def case(role, order=1):
    """Make a reading of one open case."""
    item = {"id": "c1", "handoff": "order-to-erp", "role": role, "entity": f"#100{order}", "code": "X", "state": "open"}
    return Observation(5.0, "queues", (item,))


@pytest.mark.parametrize(
    "harmless",
    [
        call(0),
        call(0, 503),
        call(0, 400, code="RESTRICTED"),
        call(0, 422, order=None),
        call(0, 404, operation="sales_order.read", method="GET"),
        call(0, operation="token.create", method="POST", shared=True),
        call(0, operation="customer.create", method="POST", order=None),
        call(0, operation="alert.enqueue", method="POST", system="opsdesk"),
        call(0, operation="sales_order.delete", method="DELETE", fake=False),
        call(0, 404, operation="sales_order.read", method="HEAD"),
        call(0, operation="sales_order.read", method="OPTIONS"),
        sent(0, 401),
        sent(0),
        sent(0, 299),
        sent(0, None),
        sent(0, 500, order=None),
        sent(0, 500, topic="orders/updated"),
        case("compliance"),
        alert(role="oncall"),
        alert(role="compliance"),
        alert(role="nobody", handoff=None),
    ],
)
def test_what_is_declared_is_not_told(harmless):
    """Answers that a path takes, reads, sessions, and the roles of a handoff are as declared."""
    assert find(harmless) == []


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (call(0, 422, code="X"), "answer at order-to-erp: 422 X to sales_order.upsert, which no path takes"),
        (call(0, None), "answer at order-to-erp: no answer (reset) to sales_order.upsert, which no path takes"),
        (
            call(0, 204, garbled=True),
            "answer at order-to-erp: 204, which cannot be understood, to sales_order.upsert, which no path takes",
        ),
        (
            call(0, operation="sales_order.delete", method="DELETE"),
            "call at erp: sales_order.delete, which no handoff names",
        ),
        (call(0, 404, operation=None, method="POST"), "call at erp: POST of an unknown route, which no handoff names"),
        (shown(letter(code="X")), "dead_letter at order-to-erp: a dead letter: X"),
        (case("sales"), "case at order-to-erp: a case for sales: X"),
        (alert(role="sales", code="X"), "alert at order-to-erp: an alert to sales: X"),
        (
            alert(role="oncall", handoff="order-to-erq"),
            "alert at order-to-erq: an alert to oncall about a handoff that the stack does not have",
        ),
        (sent(0, 500), "reply at order-capture: 500 to orders/create, which no path says"),
        (sent(0, 300), "reply at order-capture: 300 to orders/create, which no path says"),
        (
            call(0, 200, end="reset"),
            "answer at order-to-erp: no answer (reset) to sales_order.upsert, which no path takes",
        ),
    ],
)
def test_what_is_declared_nowhere_is_told(thing, words):
    """Everything else is told, with its kind and place."""
    assert find(thing) == [words]


def test_a_decision_and_a_branch_lead_on():
    """What follows a decision about the order, or happens where a branch leads, is declared by that."""
    cancel = call(2.0, operation="sales_order.delete", method="DELETE")
    assert find(did("decide", 1.0, 1), cancel) == []
    assert find(did("decide", 1.0, 1), did("decide", 3.0, 1), cancel) == []
    assert len(find(did("decide", 3.0, 1), cancel)) == len(find(did("decide", 1.0, 2), cancel)) == 1
    assert find(cancel, extra=BRANCHING) == []
    assert len(find(cancel, extra=BRANCHING.replace("other-warehouse", "treat-as-done"))) == 1


@pytest.mark.parametrize(
    "extra",
    [
        "    dead_letter: {escalate_after: 3, to: sales}\n",
        "      - on: {status: 409}\n        dead_letter: {escalate_after: 3, to: sales}\n",
        f"{RETRYING}        then: {{dead_letter: {{escalate_after: 3, to: sales}}}}\n",
    ],
    ids=["of the handoff", "of a path", "at the end of a path"],
)
def test_a_declared_dead_letter_is_none_of_it(extra):
    """Wherever a handoff declares dead letters, one is no news, nor is it that their role is told."""
    assert find(shown(letter()), alert(role="sales"), extra=extra) == []


def test_a_breaker_tells_its_role():
    """Whom a breaker alerts is declared by that, and by nothing less."""
    breaker = "    breaker: {failures: 3, pause: 40s, alert: sales}\n"
    assert find(alert(role="sales"), extra=breaker) == []
    assert len(find(alert(role="compliance"), alert(role="sales"), extra=breaker.replace("sales", "oncall"))) == 1


@pytest.mark.parametrize(
    ("trigger", "call", "expected"),
    [
        (Trigger(condition="any"), call(0, 418), True),
        (Trigger(condition="rate_limited"), call(0, 429), True),
        (Trigger(condition="session_expired"), call(0, 401), True),
        (Trigger(condition="session_expired"), call(0, 403), False),
        (Trigger(condition="permission_denied"), call(0, 403), True),
        (Trigger(condition="connection"), call(0, None), True),
        (Trigger(condition="lost_response"), call(0, None), True),
        (Trigger(condition="timeout"), call(0, 200, end="reset", garbled=True), True),
        (Trigger(condition="timeout"), call(0, 200, garbled=True), False),
        (Trigger(condition="timeout"), call(0, None, end="complete"), True),
        (Trigger(condition="malformed"), call(0, 200, end="reset", garbled=True), False),
        (Trigger(condition="malformed"), call(0, None, end="complete", garbled=True), False),
        (Trigger(condition="not_persisted"), call(0, 200, garbled=True), True),
        (Trigger(condition="timeout"), call(0, None, end="client_closed"), True),
        (Trigger(condition="connection"), call(0, 503), False),
        (Trigger(condition="malformed"), call(0, 200, garbled=True), True),
        (Trigger(condition="malformed"), call(0, 400), False),
        (Trigger(code="A", text="b"), call(0, 400, code="A"), True),
        (Trigger(status=400), call(0, 404), False),
    ],
)
def test_what_a_trigger_takes(trigger, call, expected):
    """A trigger takes what its status, its code or its condition says, and nothing else."""
    assert takes(trigger, call) is expected


def test_what_is_forbidden_breaks_a_promise():
    """A stack that forbids calls no handoff names is broken by one, and by nothing else that is declared nowhere."""
    stack = replace(load(), forbid=("call",))
    stray = call(0, operation="sales_order.delete", method="DELETE")
    result = check_declared(told(stray, call(1, 422)), stack=stack)
    assert (result.outcome, len(result.evidence)) == (Outcome.VIOLATED, 1)
    assert result.observed == "met, not declared: sales_order.delete, which no handoff names at erp"
    assert check_declared(told(call(1, 422)), stack=stack).outcome is Outcome.HELD


def test_every_experiment_is_asked_where_something_is_forbidden():
    """The key of the stack becomes a check of each experiment, once; without it there is none."""
    forbidding = load("forbid: [call, alert]\n")
    assert forbidding.forbid == ("call", "alert")
    for stack, count in ((forbidding, 1), (load(), 0)):
        experiments = compile_stack(stack).experiments
        assert {sum(check.name == "declared" for check in each.checks) for each in experiments} == {count}
