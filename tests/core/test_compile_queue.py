"""Role queues: what brings a case about, on which side of a threshold, and one experiment a decision."""

import pytest
from compiled_stacks import compile_text, expected_attempts, steps_of
from histories import told

from harness.core.conditions import AnyOf, DeadLettered, Queued, Resolved
from harness.core.experiments import Arm, Await, Decide, Lift, Place
from harness.core.history import Observation
from harness.core.verdict import Outcome

QUEUE = "queue: {role: oncall, decisions: {approve: {to: continue}, reject: {to: cancel}}}"
TEXT = """\
version: 1
name: some
time: {{scale: 20}}
systems: {{storefront: {{fake: shopify}}, erp: {{fake: netsuite}}}}
integration:
  command: [./run]
  webhooks: {{storefront: /hooks}}
  observe: {{dead_letters: /dlq, queues: /queues}}
roles: {{oncall: {{sla: 15m}}}}
handoffs:
  - id: post
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    operation: [{operation}]
    within: 10m
    resolved_when: {{system: erp, record: {record}, state: exists_once}}
    paths:
      - {{on: {on}, {queue}}}
      - {{on: any, retry: {{attempts: 2, initial: 1s}}, then: dead_letter}}
"""


def compile_queue(on, *, queue=QUEUE, record="sales_order", operation="sales_order.upsert", fake="netsuite"):
    """Compile one path to a role queue; return its experiments by shape, and its row of the matrix."""
    text = TEXT.format(on=on, queue=queue, record=record, operation=operation)
    plan = compile_text(text.replace("fake: netsuite", f"fake: {fake}"))
    row = next(each for each in plan.coverage if each.clause.endswith(":queue"))
    return {each.shape: each for each in plan.experiments if each.clause == row.clause}, row


def above(comparison, **more):
    """Compile a threshold; return what the order adds up to on either side."""
    found, row = compile_queue(f'{{when: "{comparison}"}}', **more)
    return {shape: each.totals for shape, each in found.items()}, row


def test_a_code():
    """A declared answer to one call opens a case; each decision has an experiment of its own."""
    found, _ = compile_queue("{code: RESTRICTED}")
    assert list(found) == ["opened", "decided-approve", "decided-reject", "resumed-once"]
    for each in found.values():
        (fault,) = each.faults
        assert (fault.kind, fault.params["code"], fault.orders) == ("error", "RESTRICTED", (1,))
        assert each.needs == {"dead_letters", "queues"}
        assert not each.totals
    assert [expected_attempts(found["opened"], calls) for calls in (0, 1, 2)] == [
        Outcome.VIOLATED,
        Outcome.HELD,
        Outcome.VIOLATED,
    ]


def test_steps_to_a_decision():
    """The cause is gone before a role decides, so what follows is the decision's; what is turned down awaits nothing."""
    found, _ = compile_queue("{code: RESTRICTED}")
    approve, reject = found["decided-approve"], found["decided-reject"]
    assert [type(step) for step in approve.steps[:5]] == [Arm, Place, Await, Lift, Decide]
    assert [step.decision for each in (approve, reject) for step in steps_of(each, Decide)] == ["approve", "reject"]
    (somewhere, resolved) = (step.condition for step in steps_of(approve, Await))
    assert isinstance(somewhere, AnyOf)
    assert {type(each) for each in somewhere.conditions} == {Queued, DeadLettered, Resolved}
    assert isinstance(resolved, Resolved)
    assert len(steps_of(reject, Await)) == 1
    assert [check.name for check in approve.checks] == ["decided", "resolved_once"]
    assert [check.name for check in reject.checks] == ["decided", "not_resolved"]


def test_a_decision_with_an_end_of_its_own():
    """A decision that says where it ends is held to that, whatever it is called."""
    decisions = "{reject: {to: cancel, resolved_when: {system: storefront, record: refund, state: exists_once}}}"
    found, _ = compile_queue("{code: RESTRICTED}", queue=f"queue: {{role: oncall, decisions: {decisions}}}")
    reject = found["decided-reject"]
    assert str(steps_of(reject, Await)[-1].condition) == "order 1 in refunds"
    assert [check.name for check in reject.checks] == ["decided", "resolved_once"]


def test_no_decision():
    """A queue without decisions has its case opened, and that is all that can be asked."""
    found, _ = compile_queue("{code: RESTRICTED}", queue="queue: {role: oncall}")
    assert list(found) == ["opened"]


@pytest.mark.parametrize(("sla", "expected"), [("", 900.0), (", sla: 1h", 3600.0)])
def test_the_sla(sla, expected):
    """A case is held to the SLA of the path, else to its role's, in production seconds."""
    found, _ = compile_queue("{code: RESTRICTED}", queue=f"queue: {{role: oncall{sla}}}")
    check = next(each for each in found["opened"].checks if each.name == "case")
    case = {"id": "1", "handoff": "post", "entity": "#1001", "role": "oncall", "sla_s": expected}
    seen = frozenset({"queues"})
    assert check.judge(told(Observation(1, "queues", (case,)), observable=seen)).outcome is Outcome.HELD
    wrong = {**case, "sla_s": expected / 20}
    assert check.judge(told(Observation(1, "queues", (wrong,)), observable=seen)).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("comparison", "beyond", "within"),
    [
        ("amount > 500.00 EUR", "500.01", "500.00"),
        ("amount >= 500.00 EUR", "500.00", "499.99"),
        ("amount < 500.00 EUR", "499.99", "500.00"),
        ("amount <= 500.00 EUR", "500.00", "500.01"),
        ("amount == 500.00 EUR", "500.00", "500.01"),
        ("amount != 500.00 EUR", "500.01", "500.00"),
        ("amount > 500", "500.01", "500.00"),
        ("order.total > 99.5 EUR", "99.51", "99.50"),
        ("total > 1 EUR", "1.01", "1.00"),
        ("total_price > 1 EUR", "1.01", "1.00"),
    ],
)
def test_both_sides_of_a_threshold(comparison, beyond, within):
    """The values are those nearest to the limit, a cent apart, whatever the comparison."""
    totals, _ = above(comparison)
    assert totals == {
        "opened": {1: beyond},
        "decided-approve": {1: beyond},
        "decided-reject": {1: beyond},
        "resumed-once": {1: beyond},
        "within-limit": {1: within},
    }


def test_nothing_is_sent_beyond_a_threshold():
    """Beyond the limit no call may go out before somebody decided; within it one must."""
    found, _ = compile_queue('{when: "amount > 500.00 EUR"}')
    assert found["opened"].faults == ()
    assert [expected_attempts(found["opened"], calls) for calls in (0, 1)] == [Outcome.HELD, Outcome.VIOLATED]
    assert not steps_of(found["decided-approve"], Lift)


@pytest.mark.parametrize(
    ("comparison", "why"),
    [
        ("amount > 500.00 USD", "orders are in EUR"),
        ("weight > 30 kg", "weight of an order"),
        ("amount > 0.001 EUR", "no order has"),
        ("amount < 0.01 EUR", "no order has"),
        ("amount >= 0 EUR", "no order has"),
    ],
)
def test_what_cannot_be_brought_about(comparison, why):
    """Another currency, another quantity, or a limit with nothing on one side stays in the matrix, with its reason."""
    totals, row = above(comparison)
    assert totals == {}
    assert why in row.not_exercised


def test_items_have_no_amount():
    """A handoff that moves items has no values of orders."""
    totals, row = above("amount > 5 EUR", record="inventory_level", operation="inventory_level.set", fake="shopify")
    assert totals == {}
    assert row.not_exercised == "items have no amount"


def test_a_limit_after_another():
    """Where a handoff before holds up orders of that value, nobody sees what this one does about them."""
    limit = 'on: {when: "amount > 100 EUR"}, queue: {role: oncall}'
    text = TEXT.format(on="{code: X}", queue=QUEUE, record="sales_order", operation="sales_order.upsert")
    later = (
        text[text.index("  - id: post") :].replace("id: post", "id: later").replace("from:", "after: [post]\n    from:")
    )
    both = compile_text(
        text.replace("on: {code: X}, queue: {role: oncall", limit.rstrip("}"))
        + later.replace(f"on: {{code: X}}, {QUEUE}", limit.replace("100", "500"))
    )
    rows = {row.clause: row for row in both.coverage}
    assert rows["post/amount>100EUR:queue"].experiments
    assert "post holds up" in rows["later/amount>500EUR:queue"].not_exercised


def test_a_decision_that_arrives_twice():
    """The decision that lets the order go on is taken twice, once the cause is gone."""
    found, _ = compile_queue("{code: RESTRICTED}")
    (decide,) = steps_of(found["resumed-once"], Decide)
    assert (decide.decision, decide.times) == ("approve", 2)
    assert [check.name for check in found["resumed-once"].checks] == ["decided", "resumed_once", "resolved_once"]


CAPTURE = """\
  - id: capture
    from: storefront
    to: integration
    protocol: webhook
    owner: oncall
    operation: [orders/create]
    within: 5m
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    paths: [{on: duplicate, deduplicate: true}]
"""


def test_a_burst_of_the_same_trouble():
    """Three orders meet the trouble, and the webhook of each comes three times; without known duplicates there is no burst."""
    stack = TEXT.format(on="{code: RESTRICTED}", queue=QUEUE, record="sales_order", operation="sales_order.upsert")
    after = (stack + CAPTURE).replace("    protocol: api\n", "    protocol: api\n    after: [capture]\n")
    burst = next(each for each in compile_text(after).experiments if each.shape == "burst")
    assert [(fault.kind, fault.orders) for fault in burst.faults] == [
        ("error", (1, 2, 3)),
        ("webhook_duplicate", (1, 2, 3)),
    ]
    assert [check.name for check in burst.checks][:6] == [
        f"{name} {n}" for name in ("attempts", "case") for n in (1, 2, 3)
    ]
    _, row = compile_queue("{code: RESTRICTED}")
    assert "a burst of the same trouble" in {gap.what for gap in row.gaps}
