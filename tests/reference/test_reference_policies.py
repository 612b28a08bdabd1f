"""What each handoff of the chain does about failures, held against the real fakes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from reference_chain import CHAIN_SCALE, await_that
from reference_service import CALM_CHAIN

# handoff, system, operation, what brings it about
API = {
    "order-to-erp": ("erp", "sales_order.upsert"),
    "payment-capture": ("gateway", "payment_intent.capture"),
    "payment-writeback": ("storefront", "transaction.create"),
    "erp-to-wms": ("wms", "wms_order.create"),
    "shipment-to-erp": ("erp", "item_fulfillment.transform"),
    "fulfilment-writeback": ("storefront", "fulfillment.create"),
    "refund-to-erp": ("erp", "credit_memo.upsert"),
}
# How each finds out what became of a call whose answer was lost; the gateway may tell by itself.
SECOND_LOOK = {
    "order-to-erp": ("sales_order.upsert", 2),
    "payment-writeback": ("transaction.list", 1),
    "erp-to-wms": ("wms_order.create", 2),
    "shipment-to-erp": ("item_fulfillment.transform", 2),
    "fulfilment-writeback": ("fulfillment.list", 1),
    "refund-to-erp": ("credit_memo.upsert", 2),
}
AFTER_SHIPPING = {"shipment-to-erp", "fulfilment-writeback"}
ROLES = {
    "order-to-erp": "integration-oncall",
    "payment-capture": "payments-ops",
    "payment-writeback": "ecommerce-ops",
    "erp-to-wms": "warehouse-ops",
    "shipment-to-erp": "integration-oncall",
    "fulfilment-writeback": "ecommerce-ops",
    "refund-to-erp": "finance-ops",
}


def bring(chain, handoff, order):
    """Place an order and bring it to a handoff."""
    chain.place(order)
    if handoff in AFTER_SHIPPING:
        await_that(lambda: chain.is_at_the_warehouse(order))
        chain.wms.act("ship", entity=order.name)
    if handoff == "refund-to-erp":
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
        chain.storefront.act("refund", id=order.id, amount="1.00")


def gaps(calls):
    """Return the seconds between the answer to each call and the arrival of the next."""
    return [
        later["received_mono"] - (earlier["answered_mono"] or earlier["received_mono"])
        for earlier, later in pairwise(calls)
    ]


@pytest.mark.parametrize("handoff", API)
def test_an_error_is_retried_then_parked_and_replayed(chain, carrier, handoff):
    """Three attempts with growing gaps, then a dead letter; a replay hands it on once, and nothing else has failed."""
    system, operation = API[handoff]
    control, order = chain.controls[system], chain.reserve()
    with control.fault("status", operation, params={"status": 503}, entities=[order.name]):
        bring(chain, handoff, order)
        (letter,) = await_that(lambda: carrier.letters(handoff=handoff))
    calls = control.calls(operation, entity=order.name)
    assert len(calls) == 3 == letter["attempts"]
    assert letter["payload_sha256"] == calls[-1]["request_sha256"]
    assert letter["entity"] == order.name
    first, second = gaps(calls)
    assert first >= 4 / CHAIN_SCALE
    assert second >= 8 / CHAIN_SCALE
    assert {row["handoff"] for row in carrier.ops("exceptions")} == {handoff}

    assert carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    await_that(lambda: len(control.calls(operation, entity=order.name)) == 4)
    await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    if handoff in AFTER_SHIPPING:
        await_that(lambda: chain.is_shipped_everywhere(order))
    chain.ensure_whole(order, shipments=int(handoff in AFTER_SHIPPING))
    if handoff == "refund-to-erp":
        assert len(await_that(lambda: chain.erp.state("credit_memos", entity=order.name))) == 1


@pytest.mark.parametrize("handoff", API)
def test_three_dead_letters_reach_their_role(chain, carrier, handoff):
    """The third unresolved dead letter of a handoff raises one alert, to the role that owns it."""
    system, operation = API[handoff]
    orders = [chain.reserve() for _ in range(3)]
    names = [order.name for order in orders]
    # A refusal, so that the breaker has no part in it.
    with chain.controls[system].fault("status", operation, params={"status": 400}, entities=names):
        for order in orders:
            bring(chain, handoff, order)
        await_that(lambda: len(carrier.letters(handoff=handoff)) == 3)
        await_that(lambda: all(row["escalated_at"] for row in carrier.letters(handoff=handoff)))
    (alert,) = chain.opsdesk.state("alerts")

    assert (alert["role"], alert["handoff"]) == (ROLES[handoff], handoff)


@pytest.mark.parametrize("how", ["reset", "hang"])
@pytest.mark.parametrize("handoff", API)
def test_an_answer_that_was_lost_doubles_nothing(chain, carry, handoff, how):
    """What was carried out although its answer was lost is not carried out again."""
    name = handoff.replace("-", "_")
    policy = replace(getattr(CALM_CHAIN, name), timeout_s=0.6 * CHAIN_SCALE)
    carrier = carry(replace(CALM_CHAIN, **{name: policy}))
    system, operation = API[handoff]
    order = chain.reserve()
    fault = {"params": {"how": how}, "entities": [order.name], "attempts": [1]}
    with chain.controls[system].fault("lost_response", operation, **fault):
        bring(chain, handoff, order)
        await_that(lambda: [row for row in carrier.ops("exceptions") if row["handoff"] == handoff])
        await_that(lambda: chain.is_at_the_warehouse(order))
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
        if handoff in AFTER_SHIPPING:
            await_that(lambda: chain.is_shipped_everywhere(order))
    if handoff in SECOND_LOOK:
        looked, count = SECOND_LOOK[handoff]
        await_that(lambda: len(chain.controls[system].calls(looked)) == count, "the second look")

    chain.ensure_whole(order, shipments=int(handoff in AFTER_SHIPPING))
    assert carrier.letters() == []
    assert len(chain.erp.state("credit_memos")) == int(handoff == "refund-to-erp")
    keys = {call["key"] for call in chain.gateway.calls("payment_intent.capture")}
    assert keys == {f"payment-capture:{order.number}"}


@pytest.mark.parametrize("handoff", ["payment-writeback", "fulfilment-writeback"])
def test_the_storefront_is_given_the_time_it_asks_for(chain, carrier, handoff):
    """A throttled call waits as long as the vendor asked, in production seconds, and is made four times at most."""
    _, operation = API[handoff]
    order = chain.reserve()
    with chain.storefront.fault("rate_limited", operation, params={"retry_after_s": 30}, entities=[order.name]):
        bring(chain, handoff, order)
        (letter,) = await_that(lambda: carrier.letters(handoff=handoff))
    calls = chain.storefront.calls(operation, entity=order.name)

    assert len(calls) == 4 == letter["attempts"]
    assert min(gaps(calls)) >= 30 / CHAIN_SCALE


@pytest.mark.parametrize("handoff", ["shipment-to-erp", "refund-to-erp"])
def test_an_expired_session_is_renewed_for_all_that_share_it(chain, carrier, handoff):
    """A session that expires at one ERP handoff is renewed once, and the item sent a second time."""
    _, operation = API[handoff]
    order = chain.reserve()
    with chain.erp.fault("session_expired", operation, entities=[order.name], attempts=[1]):
        bring(chain, handoff, order)
        await_that(lambda: len(chain.erp.calls(operation, entity=order.name, status=204)) == 1)

    assert len(chain.erp.calls(operation, entity=order.name)) == 2
    assert len(chain.erp.state("sessions")) == 2
    assert carrier.letters() == []


def test_a_write_that_wrote_nothing_is_made_again(chain, carrier):
    """A success of the ERP is believed once the sales order can be read; until then it is a failed attempt."""
    order = chain.reserve()
    fault = {"entities": [order.name], "attempts": [1, 2]}
    with chain.erp.fault("not_persisted", "sales_order.upsert", **fault):
        chain.place(order)
        await_that(lambda: chain.erp.state("sales_orders", entity=order.name))
    await_that(lambda: chain.is_at_the_warehouse(order))

    assert len(chain.erp.calls("sales_order.upsert", entity=order.name)) == 3
    assert [row["code"] for row in carrier.ops("exceptions")] == ["NOT_PERSISTED"] * 2


def test_a_write_that_never_wrote_is_a_dead_letter(chain, carrier):
    """After three successes that wrote nothing the order is parked, and its payment went on."""
    order = chain.reserve()
    with chain.erp.fault("not_persisted", "sales_order.upsert", entities=[order.name]):
        chain.place(order)
        (letter,) = await_that(lambda: carrier.letters(handoff="order-to-erp"))
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))

    assert (letter["code"], letter["attempts"]) == ("NOT_PERSISTED", 3)
    assert chain.wms.state("orders") == []


def test_a_missing_permission_is_a_persons_to_give(chain, carrier):
    """One attempt, a dead letter, and the on-call role hears of it at once."""
    order = chain.reserve()
    with chain.erp.fault("permission_denied", "sales_order.upsert", entities=[order.name]):
        chain.place(order)
        (letter,) = await_that(lambda: [row for row in carrier.letters() if row["escalated_at"]])

    assert (letter["attempts"], letter["code"]) == (1, "INSUFFICIENT_PERMISSION")
    (alert,) = chain.opsdesk.state("alerts")
    assert (alert["role"], alert["code"]) == ("integration-oncall", "INSUFFICIENT_PERMISSION")


@pytest.fixture
def item(chain):
    """Stock a new item at both ends."""
    (made,) = chain.wms.act("reserve-items", count=1)["items"]
    chain.storefront.act("stock-items", items=[{"sku": made["sku"], "levels": {"MAIN": 100, "EAST": 50}}])
    return made["sku"]


@pytest.mark.parametrize(
    ("kind", "params", "attempts"),
    [("rate_limited", {"retry_after_s": 10}, 4), ("status", {"status": 503}, 3)],
    ids=["rate limited", "unavailable"],
)
def test_a_stock_level_that_cannot_be_set_is_parked_and_replayed(chain, carrier, item, kind, params, attempts):
    """A level is retried as declared and becomes a dead letter; a newer value goes out with the replay, and only that."""
    with chain.storefront.fault(kind, "inventory_level.set", params=params, entities=[item]):
        chain.wms.act("adjust-stock", sku=item, location="MAIN", delta=-3)
        (letter,) = await_that(lambda: carrier.letters(handoff="inventory-sync"))
        chain.wms.act("adjust-stock", sku=item, location="MAIN", delta=-4)
        runs = len(carrier.ops("jobs"))
        await_that(lambda: len([job for job in carrier.ops("jobs") if job["name"] == "sync-inventory"]) > runs + 1)
    assert (letter["entity"], letter["attempts"]) == (item, attempts)
    assert carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    await_that(
        lambda: tuple(row["available"] for row in chain.storefront.state("inventory_levels", sku=item)) == (93, 50)
    )

    assert len(chain.storefront.calls("inventory_level.set", entity=item)) == attempts + 1


def test_the_gateways_own_word_settles_an_unknown_outcome(chain, carrier):
    """While a capture's answer hangs, the webhook that the payment succeeded lets the order go on."""
    order = chain.reserve()
    with chain.gateway.fault("lost_response", "payment_intent.capture", params={"how": "hang"}, entities=[order.name]):
        chain.place(order)
        await_that(lambda: chain.is_at_the_warehouse(order))
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
        assert len(chain.gateway.calls("payment_intent.capture")) == 1
    assert carrier.letters() == []


def test_an_answer_that_is_lost_every_time_is_a_dead_letter(chain, carry):
    """Three times a capture is sent under one key, and then a person's; the replay is one more, and finds it done."""
    policy = replace(CALM_CHAIN.payment_capture, timeout_s=0.6 * CHAIN_SCALE)
    carrier = carry(replace(CALM_CHAIN, payment_capture=policy), "storefront")
    order = chain.reserve()
    with chain.gateway.fault("lost_response", "payment_intent.capture", params={"how": "reset"}, entities=[order.name]):
        chain.place(order)
        (letter,) = await_that(lambda: carrier.letters(handoff="payment-capture"))
    assert carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    await_that(lambda: chain.is_at_the_warehouse(order))

    assert letter["attempts"] == 3
    assert [call["key"] for call in chain.gateway.calls("payment_intent.capture")] == [
        f"payment-capture:{order.number}"
    ] * 4
    (payment,) = chain.gateway.state("payment_intents", id=order.payment)
    assert payment["captures"] == [payment["amount"]]


CLAIMS = {
    "order-to-erp": {"code": "USER_ERROR", "text": "Refused: already exists."},
    "shipment-to-erp": {"code": "USER_ERROR", "text": "Refused: already exists."},
    "refund-to-erp": {"code": "USER_ERROR", "text": "Refused: already exists."},
    "erp-to-wms": {"code": "duplicate_reference"},
    "payment-capture": {"code": "payment_intent_unexpected_state", "text": "Refused: already been captured."},
}


@pytest.mark.parametrize(
    ("handoff", "commit"),
    # The gateway keeps a refusal under its key, so what it says wrongly it says for good.
    [(handoff, commit) for handoff in CLAIMS for commit in (True, False) if commit or handoff != "payment-capture"],
)
def test_what_is_said_to_be_there_is_believed_once_it_was_found(chain, carrier, handoff, commit):
    """A record the vendor refuses as there already is done at once if it is, and sent again if it is not."""
    system, operation = API[handoff]
    control, order = chain.controls[system], chain.reserve()
    fault = {"params": {**CLAIMS[handoff], "commit": commit}, "entities": [order.name], "attempts": [1]}
    with control.fault("error", operation, **fault):
        bring(chain, handoff, order)
        await_that(lambda: chain.is_at_the_warehouse(order))
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
        if handoff == "shipment-to-erp":
            await_that(lambda: chain.is_shipped_everywhere(order))
        if handoff == "refund-to-erp":
            await_that(lambda: chain.erp.state("credit_memos", entity=order.name))

    chain.ensure_whole(order, shipments=int(handoff == "shipment-to-erp"))
    assert len(control.calls(operation, entity=order.name)) == (1 if commit else 2)
    assert len(carrier.ops("exceptions")) == (0 if commit else 1)


def test_a_payment_captured_by_hand_settles_its_dead_letter(chain, carrier):
    """What waits as a dead letter is discarded when the gateway says the payment was captured, and the order goes on."""
    order = chain.reserve()
    with chain.gateway.fault("status", "payment_intent.capture", params={"status": 503}, entities=[order.name]):
        chain.place(order)
        await_that(lambda: carrier.letters(handoff="payment-capture"))
    headers = {"Authorization": "Bearer sk_test_chain"}
    chain.gateway.http.post(f"{chain.gateway.url}/v1/payment_intents/{order.payment}/capture", headers=headers)
    await_that(lambda: chain.is_at_the_warehouse(order))

    assert [row["state"] for row in carrier.letters()] == ["discarded"]


@pytest.mark.parametrize("handoff", ["payment-capture", "erp-to-wms", "fulfilment-writeback"])
def test_a_breaker_pauses_its_handoff_and_no_other(chain, carrier, handoff):
    """Five failures in a row pause one handoff and tell its role; what waits goes on after the pause, nothing lost."""
    system, operation = API[handoff]
    orders = [chain.reserve() for _ in range(6)]
    with chain.controls[system].fault("status", operation, params={"status": 503}):
        for order in orders:
            bring(chain, handoff, order)
        await_that(lambda: "open" in {row["state"] for row in carrier.ops("breakers")})
    breakers = {row["handoff"] for row in carrier.ops("breakers") if row["consecutive_failures"]}
    for letter in carrier.letters():
        carrier.http.post(f"/ops/dead-letters/{letter['id']}/replay")
    for order in orders:
        await_that(lambda order=order: chain.is_at_the_warehouse(order))
        if handoff in AFTER_SHIPPING:
            await_that(lambda order=order: chain.is_shipped_everywhere(order))
        await_that(lambda order=order: chain.storefront.state("transactions", order_id=order.id, kind="capture"))

    assert breakers <= {handoff}
    alerts = [row for row in chain.opsdesk.state("alerts") if row["code"] == "BREAKER_OPEN"]
    assert {row["role"] for row in alerts} == {ROLES[handoff]}
    for order in orders:
        chain.ensure_whole(order, shipments=int(handoff in AFTER_SHIPPING))
