"""The whole chain driven: orders paid at a gateway and shipped from a warehouse, items counted, cases decided."""

from dataclasses import replace
from pathlib import Path as File

import httpx2
import pytest

from harness.core.compile import compile_stack
from harness.core.experiments import Act, Await, Decide, Place
from harness.core.loading import load_stack
from harness.core.outcomes import Decision, Queue
from harness.core.stack import Path
from harness.core.triggers import Trigger
from harness.core.verdict import Outcome, UnknownKind
from harness.engine import rest
from harness.engine.bystanders import list_known
from harness.engine.cases import list_decisions
from harness.engine.conduct import conduct
from harness.engine.driver import Driver
from harness.engine.orders import draw_basket
from harness.lab.errors import ControlError
from harness.lab.goods import ITEM_LEVELS

pytestmark = pytest.mark.anyio
shares_a_lab = pytest.mark.xdist_group("chain")

FOLDER = File(__file__).parent
COURIER = f"python {FOLDER / 'courier.py'}"
APPROVED = "payment-capture/amount>500.00EUR:queue/decided-approve"
SHIPPED = "shipment/clean:resolve/one"
COUNTED = "stock/clean:resolve/one"
TRIES = 3


@pytest.fixture(scope="module")
def chain():
    """Read the stack of the courier: shop, gateway and warehouse."""
    path = FOLDER / "courier.yaml"
    return load_stack(path.read_text(), file=str(path))


@pytest.fixture(scope="module")
def find_chained(chain):
    """Find an experiment of the courier's stack by its id."""
    return {experiment.id: experiment for experiment in compile_stack(chain).experiments}.__getitem__


@pytest.fixture(scope="module")
async def bench(chain, open_lab, anyio_backend):
    """Give a bench with the courier, which the tests share: each must leave it usable."""
    async with open_lab(chain, integration_command=COURIER) as shared:
        assert shared.unsettled == ""
        yield shared


async def run(bench, experiment):
    """Conduct an experiment, again where a busy machine got in between; it is to be held and to leave the lab settled."""
    for _ in range(TRIES):
        result = (await conduct(bench, experiment)).result
        if result.verdict.kind is not UnknownKind.INTERFERENCE:
            break
    assert (result.verdict.outcome, bench.unsettled) == (Outcome.HELD, ""), result.verdict.reason
    return result


async def reserve(bench, experiment, count):
    """Begin an experiment and reserve what it is about; return the driver and the orders or items."""
    driver = Driver(bench, experiment, bench.recorder.begin())
    await driver.reserve(count, draw_basket(0, experiment.id))
    return driver, [driver.orders[ordinal] for ordinal in range(1, count + 1)]


async def index_by(key, control, collection):
    """Read a collection, indexed by a field."""
    return {record[key]: record for record in await control.state(collection)}


@shares_a_lab
@pytest.mark.parametrize(
    "experiment",
    [
        "payment-capture/clean:resolve/several",
        "payment-capture/lost_answer:exactly_once/answer-lost",
        "payment-capture/amount>500.00EUR:queue/decided-reject",
        "payment-capture/amount>500.00EUR:queue/within-limit",
        APPROVED,
        "order-to-depot/clean:resolve/one",
        "shipment/clean:resolve/several",
        "shipment/lost_answer:exactly_once/answer-lost",
        "stock/clean:resolve/several",
        "stock/outage:contain/drained",
    ],
)
async def test_a_promise_of_the_chain_that_is_kept_is_held(bench, find_chained, experiment):
    """Faults hit, acts happen at the right vendor, every call is attributed, and the canary comes all the way through."""
    await run(bench, find_chained(experiment))


@shares_a_lab
async def test_an_order_has_its_payment_and_all_its_names_before_it_is_placed(bench, find_chained):
    """Each order's total is authorised, the shop says where, and a call with any of its names is attributed to it."""
    experiment = replace(find_chained(APPROVED), totals={2: "600.00", 3: "600.00"})
    driver, orders = await reserve(bench, experiment, 4)
    shop, pay, depot = (bench.lab.controls[name] for name in ("shop", "pay", "depot"))
    payments = await index_by("entity", pay, "payment_intents")
    intents = [payments[order.name] for order in orders]

    assert [intent["amount"] for intent in intents[1:3]] == [60000, 60000]
    assert all(0 < intents[n]["amount"] < 50000 for n in (0, 3))
    assert {intent["status"] for intent in intents} == {"requires_capture"}
    tokens = [intent["id"].removeprefix("pi_") for intent in intents]
    assert all(token in order.further for token, order in zip(tokens, orders, strict=True))
    assert [set(order.aliases) for order in driver.history().orders] == [set(order.aliases) for order in orders]
    assert bench.known.issuperset(orders[0].aliases)

    await driver.perform(Place((1,)))
    placed = (await index_by("entity", shop, "orders"))[orders[0].name]
    assert placed["financial_status"] in {"authorized", "paid"}
    assert {each["authorization"] for each in await shop.state("transactions") if each["entity"] == orders[0].name} == {
        intents[0]["id"]
    }
    headers = {"Authorization": f"Bearer {bench.lab.environment['WMS_TOKEN']}"}
    async with httpx2.AsyncClient(
        base_url=bench.lab.environment["WMS_URL"], headers=headers, trust_env=False
    ) as client:
        lines = [{"sku": "CAP-NAVY", "quantity": 1}]
        for alias in orders[3].aliases:
            await client.post("/orders", json={"reference": f"X-{alias}", "ship_to": {}, "lines": lines})
    references = await index_by("reference", depot, "orders")
    assert {references[f"X-{alias}"]["entity"] for alias in orders[3].aliases} == {orders[3].name}


@shares_a_lab
async def test_a_call_past_the_names_of_placing_is_attributed(bench, find_chained):
    """A fulfilment order and a payment are known to be about their order by the id that only later calls carry."""
    result = await run(bench, find_chained(SHIPPED))
    operations = ("payment_intent.capture", "wms_order.create", "fulfillment.create")
    (shipped,) = [action for action in result.history.actions if action.kind == "act"]
    assert [len(result.history.attempts([operation], 1)) for operation in operations] == [1, 1, 1]
    assert (shipped.what, shipped.orders) == ("depot: ship", (1,))


@shares_a_lab
async def test_items_begin_equal_and_are_counted_at_the_warehouse(bench, find_chained):
    """New items lie at both places in the same numbers; setting one in motion finds three fewer at the warehouse alone."""
    driver, items = await reserve(bench, find_chained(COUNTED), 2)
    shop, depot = bench.lab.controls["shop"], bench.lab.controls["depot"]
    at_shop = await index_by("id", shop, "inventory_levels")
    at_depot = await index_by("id", depot, "stock")
    for item in items:
        assert {place: at_shop[f"{item.id}@{place}"]["available"] for place in ITEM_LEVELS} == ITEM_LEVELS
        assert {place: at_depot[f"{item.name}@{place}"]["available"] for place in ITEM_LEVELS} == ITEM_LEVELS
        assert item.aliases == {item.name, item.id}
        assert at_shop[f"{item.id}@MAIN"]["entity"] == item.name

    await driver.perform(Place((2,)))
    counted = await index_by("id", depot, "stock")
    assert [counted[f"{item.name}@MAIN"]["on_hand"] for item in items] == [100, 97]


@shares_a_lab
async def test_what_is_about_items_leaves_the_ledger_of_orders_alone(bench, find_chained):
    """Nothing of an item experiment is an order; stock is judged all the same."""
    result = await run(bench, find_chained(COUNTED))
    assert result.ledger == ()
    assert "ledger" not in {check.name for check in result.verdict.checks}
    assert "stock" in {check.name for check in result.verdict.checks}


@shares_a_lab
async def test_a_decision_nobody_may_take_is_an_observation_that_failed(bench, find_chained):
    """The case stays open, the refusal is told, and at rest the case is decided for the order to go on."""
    steps = [step for step in find_chained(APPROVED).steps if not isinstance(step, Decide)][:2]
    shrug = Decide("payment-capture", 1, "shrug")
    result = (await conduct(bench, replace(find_chained(APPROVED), steps=(*steps, shrug), checks=()))).result
    refusals = [seen.error for seen in result.history.observations if seen.what == "queues" and seen.error]
    (case,) = [each for each in await bench.observer.read("queues") if each["entity"] == result.history.order(1).name]

    assert bench.unsettled == ""
    assert any("decide" in error and "422" in error for error in refusals)
    assert len(result.history.open_cases("payment-capture", 1)) == 1
    assert case["decision"] == "approve"
    assert [str(entry.row) for entry in result.ledger if entry.order == 1] == ["posted"]


@shares_a_lab
async def test_what_a_lab_holds_is_no_stranger(bench, find_chained):
    """The catalogue, and the orders, payments and items of whoever was here before, are known when a run begins."""
    _, (order,) = await reserve(bench, find_chained(SHIPPED), 1)
    await bench.lab.controls["shop"].act("place-order", reserved=[order.id])
    _, (item,) = await reserve(bench, find_chained(COUNTED), 1)
    known = await list_known(bench)
    assert known >= order.aliases | item.aliases | {"BLACK", "POSTER", "WHITE", "NAVY", "SOCKS"}
    assert known.isdisjoint({"M", "42", "A2"})


@shares_a_lab
async def test_an_order_without_a_shop_is_trouble_of_the_environment(bench, find_chained):
    """Nothing can be placed where the stack has no shop: that is said, and nobody is blamed."""
    few = {name: system for name, system in bench.stack.systems.items() if system.fake != "shopify"}
    lonely = replace(bench, stack=replace(bench.stack, systems=few))
    result = (await conduct(lonely, find_chained(SHIPPED))).result
    assert (result.verdict.outcome, result.verdict.kind) == (Outcome.UNKNOWN, UnknownKind.ENVIRONMENT)
    assert "no system of the stack has the fake shopify" in result.verdict.reason


class Stage:
    """A driver whose steps come about as told: `True`, `False`, or an error to raise."""

    def __init__(self, outcomes):
        self.outcomes = outcomes
        self.performed = []

    async def perform(self, step):
        """Carry out a step, or not."""
        self.performed.append(step)
        outcome = self.outcomes[len(self.performed) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


STEPS = (Place((1,)), Await(None, 1.0), Act("depot", "ship", {"order": 1}))


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        ([True, True, True], 0),
        ([True, False], 2),
        ([True, True, ControlError("depot", "POST /act/ship", 404, "no such order")], 1),
        ([True, True, ControlError("depot", "POST /act/ship", 409, "nothing to ship")], 1),
    ],
)
async def test_a_canary_that_did_not_come_far_enough_goes_on_later(outcomes, left):
    """What did not come about, and all after it, is left to be done once the integration was restarted."""
    stage = Stage(outcomes)
    assert await rest._send(stage, STEPS) == STEPS[len(STEPS) - left :]
    assert len(stage.performed) == len(outcomes)


@pytest.mark.parametrize(("place", "status"), [(0, 404), (2, 503), (2, None)])
async def test_a_lab_that_refuses_the_canary_is_trouble(place, status):
    """An order that cannot be placed, or a vendor out of order, says nothing of how far the canary came."""
    outcomes = [True, True, True]
    outcomes[place] = ControlError("depot", "POST", status, "refused")
    with pytest.raises(ControlError):
        await rest._send(Stage(outcomes), STEPS)


def test_decisions_that_let_an_order_go_on_come_first(chain):
    """Of two paths to one role the one with the case's code is asked first, and another role's cases are not theirs."""
    amount = chain.handoff("payment-capture")
    decisions = (Decision("cancel", "cancel-and-refund"), Decision("retry", "continue"))
    declined = Path(Trigger(code="card_declined"), Queue("fraud-review", decisions))
    stack = replace(chain, handoffs=(replace(amount, paths=(*amount.paths, declined)),))
    case = {"handoff": "payment-capture", "role": "fraud-review"}

    assert list_decisions(stack, {**case, "code": "card_declined"}) == ("retry", "approve", "cancel", "reject")
    assert list_decisions(stack, {**case, "code": "amount"}) == ("approve", "retry", "reject", "cancel")
    assert list_decisions(stack, {**case, "role": "oncall"}) == ()
    assert list_decisions(stack, {**case, "handoff": "shipment"}) == ()
