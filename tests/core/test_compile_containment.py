"""Containment: who is a neighbour, who must go on, who may starve, and how long the backlog may take to drain."""

from dataclasses import replace

import pytest
from compiled_stacks import Shape, steps_of
from histories import ORDERS, did, told

from harness.core.backoff import HANDLING_S
from harness.core.compile import compile_stack
from harness.core.compile.frame import HORIZON
from harness.core.conditions import AllOf, Failed
from harness.core.experiments import Arm, Await, Lift, Place, Watch
from harness.core.history import Alert, Observation
from harness.core.verdict import Outcome


def contained(experiments, handoff):
    """Find the experiment on an outage of a handoff while others go on."""
    return experiments[f"{handoff}/outage:contain/others-go-on"]


def judge_alert(experiment, handoff):
    """Tell what an alert about a handoff means for the containment of an experiment's."""
    check = next(each for each in experiment.checks if each.name == "contained")
    return check.judge(told(Alert(1.0, "oncall", handoff, None, None), orders=ORDERS))


@pytest.mark.parametrize(
    ("handoff", "going_on"),
    [
        ("order-to-erp", {"payment_intents as succeeded", "transactions as capture", "contacts"}),
        ("payment-capture", {"sales_orders", "contacts"}),
        ("payment-writeback", {"sales_orders", "payment_intents as succeeded", "orders", "contacts"}),
        ("erp-to-wms", {"sales_orders", "payment_intents as succeeded", "transactions as capture", "contacts"}),
        (
            "shipment-to-erp",
            {
                "sales_orders",
                "payment_intents as succeeded",
                "transactions as capture",
                "orders",
                "fulfillments",
                "labels",
                "contacts",
            },
        ),
        (
            "refund-to-erp",
            {"sales_orders", "payment_intents as succeeded", "transactions as capture", "orders", "contacts"},
        ),
        ("order-to-crm", {"sales_orders", "payment_intents as succeeded", "transactions as capture", "orders"}),
    ],
)
def test_who_goes_on(experiments, handoff, going_on):
    """What does not come after the handoff in trouble, and begins as it does or before it, must go on."""
    experiment = contained(experiments, handoff)
    for prefix in ("goes_on ", "unhindered "):
        names = {check.name.removeprefix(prefix) for check in experiment.checks if check.name.startswith(prefix)}
        assert names == going_on


@pytest.mark.parametrize(
    ("handoff", "neighbour", "how"),
    [
        ("order-to-erp", "payment-capture", "it reached payment-capture"),
        ("order-to-erp", "order-capture", "it reached order-capture"),
        ("order-to-erp", "erp-to-wms", "it cascaded to erp-to-wms"),
        ("order-to-erp", "shipment-to-erp", "it cascaded to shipment-to-erp"),
        ("order-to-erp", "refund-to-erp", "it cascaded to refund-to-erp"),
        ("payment-capture", "order-to-erp", "it reached order-to-erp"),
        ("payment-capture", "payment-writeback", "it cascaded to payment-writeback"),
        ("erp-to-wms", "order-to-erp", "it reached order-to-erp"),
    ],
)
def test_neighbours(experiments, handoff, neighbour, how):
    """An exception is told to have cascaded where the neighbour comes after the one in trouble."""
    result = judge_alert(contained(experiments, handoff), neighbour)
    assert (result.outcome, result.observed.startswith(how)) == (Outcome.VIOLATED, True)


def test_who_is_no_neighbour(experiments):
    """Neither the handoff itself nor one that items pass is a neighbour of one that orders pass."""
    for about in ("order-to-erp", "inventory-sync", "nowhere"):
        assert judge_alert(contained(experiments, "order-to-erp"), about).outcome is not Outcome.VIOLATED


def test_an_outage_without_neighbours(experiments):
    """The only handoff of its kind has nobody to spare, but a backlog to drain."""
    assert "inventory-sync/outage:contain/others-go-on" not in experiments
    assert "inventory-sync/outage:contain/drained" in experiments


def test_an_outage_lasts(experiments):
    """The vendor fails every call; orders that come once its breaker is open find the others as they were."""
    experiment = contained(experiments, "order-to-erp")
    (fault,) = experiment.faults
    assert (fault.kind, fault.params, fault.attempts, fault.orders) == ("status", {"status": 503}, None, ())
    assert not steps_of(experiment, Lift)
    assert [step.orders for step in steps_of(experiment, Place)] == [(1, 2, 3), (4, 5)]
    failed = next(step.condition for step in steps_of(experiment, Await) if isinstance(step.condition, Failed))
    assert failed.count == 5
    assert isinstance(experiment.steps[-1], Watch)


def test_draining(experiments):
    """The outage is lifted after a failure of each order; then a whole run of retries and the breaker's pauses may pass."""
    experiment = experiments["order-to-erp/outage:contain/drained"]
    kinds = [type(step) for step in experiment.steps]
    assert kinds == [Arm, Place, Await, Lift, Await]
    before, after = steps_of(experiment, Await)
    assert before.condition == Failed(("sales_order.create", "sales_order.upsert"), 3)
    assert isinstance(after.condition, AllOf)
    declared_s = ((4 + 8 + 16) / 20 + 2 * 40 / 20) * HORIZON + 3 * HANDLING_S
    assert after.declared_s == pytest.approx(declared_s)
    assert experiment.needs == {"dead_letters", "breakers"}


def test_draining_without_a_breaker(experiments, stack):
    """Without a breaker, or one that is shown, no pause is waited for or none asked about."""
    plain = experiments["payment-writeback/outage:contain/drained"]
    assert plain.needs == {"dead_letters"}
    assert steps_of(plain, Await)[-1].declared_s == pytest.approx((2 + 4 + 8) / 20 * HORIZON + 3 * HANDLING_S)
    observe = replace(stack.integration.observe, breakers=None)
    hidden = replace(stack, integration=replace(stack.integration, observe=observe))
    plan = {each.id: each for each in compile_stack(hidden).experiments}
    assert plan["order-to-erp/outage:contain/drained"].needs == {"dead_letters"}


def test_what_lies_before_a_role_is_put_aside(experiments):
    """Where an outage may lead to a role, an order that waits for its decision is waited for no longer, and counts as put aside."""
    asking = Shape(any_path="retry: {attempts: 2, initial: 2s}, then: {queue: {role: oncall}}").experiments
    experiment = asking["post/outage:contain/drained"]
    (*_, last) = steps_of(experiment, Await)
    drained = next(check for check in experiment.checks if check.name == "drained")
    case = {"handoff": "post", "role": "oncall"}
    queues = Observation(9.0, "queues", tuple({**case, "id": f"c{n}", "entity": f"#100{n}"} for n in (1, 2, 3)))
    letters = Observation(9.0, "dead_letters")

    assert "queues" in experiment.needs
    assert "queues" not in experiments["payment-capture/outage:contain/drained"].needs
    assert last.condition.is_met(told(queues, orders=ORDERS), 0.0)
    assert drained.judge(told(did("lift", 1.0), queues, letters, orders=ORDERS)).outcome is Outcome.HELD
    assert drained.judge(told(did("lift", 1.0), letters, orders=ORDERS)).outcome is Outcome.UNKNOWN
