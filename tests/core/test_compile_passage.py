"""Passage: which handoffs can be driven, what lies before one, and how an order is brought to it."""

from dataclasses import replace

import pytest

from harness.core.compile import compile_stack
from harness.core.compile.frame import Frame, build_ledger_rule
from harness.core.compile.passage import ARRIVED_WITHIN_S, build_start, explain_undriven, is_driven, list_before
from harness.core.ends import EndState
from harness.core.experiments import Act, Await, Place
from harness.core.outcomes import Branch, ResolvedWhen
from harness.core.stack import System
from harness.core.starts import Start

PLACED = {
    "sales_orders": EndState("erp", "sales_order"),
    "payment_intents as succeeded": EndState("gateway", "payment_intent", "succeeded"),
    "transactions as capture": EndState("storefront", "transaction", "capture"),
    "orders": EndState("wms", "order"),
    "contacts": EndState("crm", "contact"),
}


def without(stack, *gone):
    """Leave systems out of a stack, with the handoffs that name them."""
    handoffs = tuple(each for each in stack.handoffs if not {each.source, each.target} & set(gone))
    return replace(
        stack, handoffs=handoffs, systems={name: each for name, each in stack.systems.items() if name not in gone}
    )


def describe(steps):
    """Say what the steps do: orders placed, ends awaited, acts."""
    told = []
    for step in steps:
        match step:
            case Place(orders):
                told.append(f"place {orders}")
            case Await(condition, within_s):
                assert within_s == ARRIVED_WITHIN_S
                told.append([(str(each.end), each.orders) for each in condition.conditions])
            case Act(system, verb, params):
                told.append(f"{system} {verb} {params['order']}")
    return told


@pytest.mark.parametrize(
    ("handoff", "before"),
    [
        ("order-capture", ()),
        ("inventory-sync", ()),
        ("order-to-erp", ("order-capture",)),
        ("payment-writeback", ("order-capture", "payment-capture")),
        ("erp-to-wms", ("order-capture", "order-to-erp", "payment-capture")),
        (
            "shipment-to-erp",
            ("order-capture", "order-to-erp", "payment-capture", "erp-to-wms", "wms-shipment"),
        ),
    ],
)
def test_before(stack, handoff, before):
    """What lies before a handoff is told over any number of steps, in the order of the stack."""
    assert list_before(stack, stack.handoff(handoff)) == before


def test_before_where_handoffs_go_round(stack):
    """Handoffs that come after each other in a circle, or after one that is not there, end the search all the same."""
    first, second = stack.handoffs[:2]
    round_ = replace(stack, handoffs=(replace(first, after=(second.id, "nowhere")), second))
    assert list_before(round_, round_.handoffs[0]) == (first.id, second.id)


@pytest.mark.parametrize("handoff", ["order-capture", "payment-capture", "erp-to-wms", "inventory-sync"])
def test_placing_is_enough(stack, handoff):
    """What begins with an order, or an item that is counted anew, needs nothing else."""
    assert describe(build_start(stack, stack.handoff(handoff), (1, 2))) == ["place (1, 2)"]


def test_before_shipping(stack):
    """Before orders are shipped all that placing sets off is through, save what runs beside it in the same system."""
    both = (1, 2)
    everything = [(name, both) for name in PLACED]
    assert describe(build_start(stack, stack.handoff("shipment-to-erp"), both)) == [
        "place (1, 2)",
        everything,
        "wms ship 1",
        "wms ship 2",
    ]
    (_, awaited, *_) = describe(build_start(stack, stack.handoff("fulfilment-writeback"), both))
    assert awaited == [each for each in everything if each[0] != "transactions as capture"]


def test_before_refunding(stack):
    """Money is given back by the gateway and told by the storefront, each order by each."""
    steps = describe(build_start(stack, stack.handoff("refund-to-erp"), (3,)))
    assert steps == ["place (3,)", [(name, (3,)) for name in PLACED], "gateway refund 3", "storefront refund 3"]


def test_before_refunding_without_a_gateway(stack):
    """The shop's own payment provider gives back where there is no other."""
    small = without(stack, "gateway", "wms")
    steps = describe(build_start(small, small.handoff("refund-to-erp"), (1,)))
    assert steps == ["place (1,)", [("sales_orders", (1,)), ("contacts", (1,))], "storefront refund 1"]


def test_driven(stack):
    """A handoff is driven where vendors stand at its ends, its calls are named, and it says its end; mappings send no webhooks."""
    order = stack.handoff("order-to-erp")
    mapped = {
        name: replace(stack, systems={**stack.systems, name: System(name, wiremock="x")})
        for name in ("erp", "storefront")
    }
    assert all(is_driven(stack, each) for each in stack.handoffs)
    assert not is_driven(stack, replace(order, operations=()))
    assert not is_driven(stack, replace(order, resolved_when=None))
    assert not is_driven(stack, replace(order, protocol="edi_batch"))
    assert not is_driven(stack, replace(order, target="integration"))
    assert is_driven(mapped["erp"], order)
    assert is_driven(mapped["storefront"], order)
    assert not is_driven(mapped["storefront"], stack.handoff("order-capture"))
    assert is_driven(stack, replace(stack.handoff("order-capture"), operations=()))


def test_undriven_webhooks(stack):
    """Webhooks are driven from a fake that sends some to the integration; any others say why they are not."""
    capture = stack.handoff("order-capture")
    elsewhere = {("storefront", "erp"), ("integration", "integration"), ("erp", "integration")}
    reasons = {ends: explain_undriven(stack, replace(capture, source=ends[0], target=ends[1])) for ends in elsewhere}
    assert reasons == {
        ("storefront", "erp"): "it cannot be driven: a webhook to erp does not come by the integration",
        ("integration", "integration"): "it cannot be driven: the integration would be its own sender",
        ("erp", "integration"): "it cannot be driven: erp (netsuite) sends no webhooks",
    }


def test_unseen_ends(stack):
    """What ends in the integration itself is not exercised: no journal shows it, so it would be found broken."""
    inside = ResolvedWhen("integration", "sales_order", "exists_once")
    order = stack.handoff("order-to-erp")
    assert explain_undriven(stack, replace(order, resolved_when=inside)) is not None
    path = next(path for path in order.paths if isinstance(path.outcome, Branch))
    changed = replace(path, outcome=replace(path.outcome, resolved_when=inside))
    paths = tuple(changed if each is path else each for each in order.paths)
    handoffs = tuple(replace(each, paths=paths) if each is order else each for each in stack.handoffs)
    rows = {row.clause: row for row in compile_stack(replace(stack, handoffs=handoffs)).coverage}
    row = rows[f"order-to-erp/{path.slug}"]
    assert (row.experiments, row.not_exercised) == ((), "nobody but the integration shows where it ends")
    assert rows["order-to-erp/clean:resolve"].experiments


def test_usual_topics(stack):
    """A webhook handoff that names no topic takes its sender's usual ones, and no other vendor's."""
    capture = replace(stack.handoff("order-capture"), operations=())
    frames = [Frame(stack, replace(capture, source=name), "c", "d", capture.location) for name in ("gateway", "wms")]
    assert [frame.topics for frame in frames] == [("payment_intent.succeeded",), ("order.shipped",)]


def test_stations(stack):
    """The ledger's stations are the handoffs of the stack: what begins them, what lies before, where they end, who asks a role."""
    stations = {each.handoff: each for each in build_ledger_rule(stack).stations}
    assert list(stations) == [handoff.id for handoff in stack.handoffs]
    assert [name for name, each in stations.items() if each.queues] == [
        "order-to-erp",
        "payment-capture",
        "shipment-to-carrier",
    ]
    assert {name: each.start for name, each in stations.items() if each.start is not Start.PLACED} == {
        "wms-shipment": Start.SHIPPED,
        "shipment-to-erp": Start.SHIPPED,
        "fulfilment-writeback": Start.SHIPPED,
        "shipment-to-carrier": Start.SHIPPED,
        "inventory-sync": Start.ADJUSTED,
        "refund-to-erp": Start.REFUNDED,
    }
    assert stations["erp-to-wms"].after == ("order-capture", "order-to-erp", "payment-capture")
    assert stations["payment-capture"].end == PLACED["payment_intents as succeeded"]
    undriven = replace(stack, handoffs=(replace(stack.handoff("order-to-erp"), operations=()),))
    assert build_ledger_rule(undriven).stations[0].end is None
