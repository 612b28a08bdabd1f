"""`kill -9` at any point of the chain loses nothing and doubles nothing."""

import random
import threading

import pytest
from reference_chain import await_that
from reference_service import ProcessService
from test_reference_policies import AFTER_SHIPPING, API, bring


@pytest.fixture
def process(chain, tmp_path):
    """Run the reference as a process of its own between all systems."""
    # Its timeouts cannot be taken off as those of a composed one can, so they are scaled less.
    environment = chain.environment(tmp_path / "data", HANDOFF_TIME_SCALE="10")
    with ProcessService(environment) as running:
        chain.subscribe(running.port)
        yield running


@pytest.mark.parametrize("handoff", API)
def test_what_was_carried_out_unheard_is_not_carried_out_again(chain, process, handoff):
    """Killed after a vendor has carried a call out and before its answer came, the service ends with one of everything."""
    system, operation = API[handoff]
    order = chain.reserve()
    fault = {"params": {"how": "hang"}, "entities": [order.name], "attempts": [1]}
    with chain.controls[system].fault("lost_response", operation, **fault):
        bring(chain, handoff, order)
        await_that(lambda: chain.controls[system].calls(operation, entity=order.name), "the call")
        process.kill()
    process.start()
    await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    if handoff not in AFTER_SHIPPING:
        chain.wms.act("ship", entity=order.name)
    await_that(lambda: chain.is_shipped_everywhere(order))
    if handoff == "refund-to-erp":
        await_that(lambda: len(chain.erp.calls(operation, entity=order.name)) == 2)
        assert len(chain.erp.state("credit_memos")) == 1

    chain.ensure_whole(order, shipments=1)
    assert process.letters() == []


def test_a_decision_outlives_a_crash(chain, process):
    """Killed in the middle of undoing an order, the service undoes the rest after the restart."""
    order = chain.reserve(price="250.01")
    chain.place(order)
    (case,) = await_that(lambda: process.ops("queues"))
    await_that(lambda: chain.erp.state("sales_orders", entity=order.name))
    hang = {"params": {"how": "hang"}, "attempts": [1]}
    with chain.erp.fault("lost_response", "sales_order.update", entities=[order.name], **hang):
        process.http.post(f"/ops/queues/{case['id']}/decide", json={"decision": "reject"})
        await_that(lambda: chain.erp.calls("sales_order.update"))
        process.kill()
    process.start()
    await_that(lambda: process.ops("queues")[0]["state"] == "done")

    assert chain.storefront.state("orders", id=order.id)[0]["cancelled_at"]
    assert chain.gateway.state("payment_intents", id=order.payment)[0]["status"] == "canceled"
    assert chain.erp.state("sales_orders")[0]["status"] == "Cancelled"


def test_a_flood_with_kills_at_random_comes_out_whole(chain, process):
    """Whatever moments the kills fall on, every order is one of everything, its parcels and its stock included."""
    moments = random.Random(11)  # noqa: S311 -- moments, not secrets
    orders = [chain.reserve() for _ in range(12)]
    chain.place(*orders)
    stop = threading.Event()

    def ship():
        shipped = set()
        while not stop.is_set() and len(shipped) < len(orders):
            for order in orders:
                if order.name not in shipped and chain.is_at_the_warehouse(order):
                    chain.wms.act("ship", entity=order.name)
                    shipped.add(order.name)

    shipper = threading.Thread(target=ship, daemon=True)
    shipper.start()
    try:
        for _ in range(4):
            threading.Event().wait(
                moments.uniform(0.05, 0.6)
            )  # a moment of the test's own choosing, not a wait for anything
            process.kill()
            process.start()
        for order in orders:
            await_that(lambda order=order: chain.is_shipped_everywhere(order), order.name)
            await_that(lambda order=order: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    finally:
        stop.set()
        shipper.join()

    for order in orders:
        chain.ensure_whole(order, shipments=1)
    assert process.letters() == []
