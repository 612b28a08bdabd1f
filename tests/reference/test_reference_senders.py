"""Webhooks of the gateway and the WMS: what is believed, what is kept, and what brings a lost one back."""

import base64
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from reference_chain import ACCOUNT, CHAIN_SCALE, await_that
from reference_service import CALM_CHAIN

from reference.senders import GatewaySender, WmsSender

NOW = 1_800_000_000
GATEWAY_SECRET = "whsec_x"
WMS_KEY = base64.b64decode(ACCOUNT["WMS_WEBHOOK_SECRET"].removeprefix("whsec_"))


def sign_gateway(body, *, at=NOW, secret=GATEWAY_SECRET):
    """Sign as the gateway does."""
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return {"stripe-signature": f"t={at},v1={'0' * 64},v1={signature},v0=abc"}


def sign_wms(body, *, at=NOW, key=WMS_KEY, webhook_id="msg_1"):
    """Sign as the WMS does."""
    signature = base64.b64encode(hmac.digest(key, f"{webhook_id}.{at}.".encode() + body, "sha256")).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{'A' * 43}= v1,{signature}",
    }


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        (sign_gateway(b"{}"), True),
        (sign_gateway(b"{}", at=NOW - 300), True),
        (sign_gateway(b"{}", at=NOW - 301), False),
        (sign_gateway(b"{}", at=NOW + 4000), True),
        (sign_gateway(b"{}", secret="other"), False),
        (sign_gateway(b"{ }"), False),
        ({}, False),
        ({"stripe-signature": "t=now,v1=1"}, False),
        ({"stripe-signature": "t=²,v1=1"}, False),
        ({"stripe-signature": ",,="}, False),
    ],
)
def test_the_gateways_signature_is_checked(headers, good):
    """Time and body are signed by the secret as it is written; what is older than five minutes is refused."""
    assert GatewaySender(GATEWAY_SECRET, clock=lambda: NOW).verify(headers, b"{}") is good


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        (sign_wms(b"{}"), True),
        (sign_wms(b"{}", at=NOW - 300), True),
        (sign_wms(b"{}", at=NOW - 301), False),
        (sign_wms(b"{}", at=NOW + 301), False),
        (sign_wms(b"{}", key=b"other"), False),
        (sign_wms(b"{ }"), False),
        (sign_wms(b"{}") | {"webhook-id": "msg_2"}, False),
        ({}, False),
    ],
)
def test_the_wms_signature_is_checked(headers, good):
    """Id, time and body are signed by the decoded secret; what is off by more than five minutes is refused."""
    assert WmsSender(ACCOUNT["WMS_WEBHOOK_SECRET"], clock=lambda: NOW).verify(headers, b"{}") is good


def deliver(carrier, body, *, webhook_id="msg_1"):
    """Post a webhook as the WMS would."""
    headers = sign_wms(body, at=int(time.time()), webhook_id=webhook_id)
    return carrier.http.post("/webhooks/wms", content=body, headers=headers)


def shipped(number, *, shipment="shp1", **changes):
    """Build the webhook of a shipment."""
    parcel = {
        "id": shipment,
        "tracking": f"T-{shipment}",
        "carrier": "DHL",
        "lines": [{"sku": "MUG-WHITE", "quantity": 2}],
    }
    data = {"order_id": "wo1", "reference": number, "shipment": parcel | changes, "status": "shipped"}
    return json.dumps({"type": "order.shipped", "timestamp": "2026-11-20T10:00:00Z", "data": data}).encode()


@pytest.fixture
def order(chain, carrier):
    """Bring an order to the warehouse."""
    placed = chain.reserve()
    chain.place(placed)
    await_that(lambda: chain.is_at_the_warehouse(placed))
    return placed


def test_a_parcel_told_of_many_times_is_one(chain, carrier, order):
    """The same delivery again, at once or later, and the same parcel under a new delivery id, are one parcel everywhere."""
    body = shipped(order.number)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: deliver(carrier, body).json()["outcome"], range(4)))
    await_that(lambda: chain.is_shipped_everywhere(order))
    answers.append(deliver(carrier, body, webhook_id="msg_2").json()["outcome"])

    assert sorted(answers) == ["duplicate"] * 3 + ["new", "unchanged"]
    chain.ensure_whole(order, shipments=1)
    assert len(chain.storefront.calls("fulfillment.create")) == 1


def test_a_parcel_before_its_order_waits_for_it(chain, carrier):
    """A shipment told of before the order is known follows once it is."""
    order = chain.reserve(paid_here=False)
    assert deliver(carrier, shipped(order.number)).json() == {"outcome": "new"}
    chain.place(order)
    await_that(lambda: chain.storefront.state("fulfillments", entity=order.name))
    await_that(lambda: chain.erp.calls("item_fulfillment.transform"))

    assert len(chain.storefront.state("fulfillments", entity=order.name)) == 1


def test_a_forged_parcel_changes_nothing(chain, carrier, order):
    """A webhook that is not signed by the WMS is answered 401, and leaves nothing anywhere."""
    body = shipped(order.number)
    for headers in ({}, sign_wms(body, at=int(time.time()), key=b"other"), sign_wms(body, at=int(time.time()) - 400)):
        assert carrier.http.post("/webhooks/wms", content=body, headers=headers).status_code == 401
    assert carrier.http.post("/webhooks/gateway", content=body, headers=sign_gateway(body)).status_code == 401

    chain.ensure_whole(order)
    assert carrier.letters() == []


@pytest.mark.parametrize(
    ("body", "entity"),
    [
        (b"nonsense", "msg_1"),
        (b"[]", "msg_1"),
        (b"{}", "msg_1"),
        (shipped("411001", lines=[]), "#411001"),
        (shipped("411001", lines=[{"sku": "A", "quantity": "2"}]), "#411001"),
        (shipped("411001", id=""), "#411001"),
        (json.dumps({"type": "order.shipped", "data": {"reference": "411001"}}).encode(), "#411001"),
        (json.dumps({"type": "order.shipped", "data": None}).encode(), "msg_1"),
        (shipped(None), "msg_1"),
    ],
)
def test_an_unusable_parcel_is_a_dead_letter_of_the_warehouse(chain, carrier, body, entity):
    """What cannot be read is acknowledged, kept, and told to the warehouse's role at once."""
    assert deliver(carrier, body).status_code == 200
    (letter,) = await_that(lambda: [row for row in carrier.letters() if row["escalated_at"]])

    assert (letter["handoff"], letter["entity"], letter["code"]) == ("wms-shipment", entity, "MALFORMED_PAYLOAD")
    assert [row["role"] for row in chain.opsdesk.state("alerts")] == ["warehouse-ops"]


def test_other_news_of_the_warehouse_and_the_gateway_are_let_pass(carrier):
    """Topics nobody asked for are acknowledged and forgotten, and so are events that are none."""
    body = json.dumps({"type": "order.allocated", "data": {}}).encode()
    assert deliver(carrier, body).json() == {"outcome": "ignored"}
    for event in (b"{", b"{}", b'{"type":"charge.refunded","data":{"object":{"id":"ch_1"}}}'):
        headers = sign_gateway(event, at=int(time.time()), secret=ACCOUNT["GATEWAY_WEBHOOK_SECRET"])
        answer = carrier.http.post("/webhooks/gateway", content=event, headers=headers)
        assert answer.json() == {"outcome": "ignored"}
    assert carrier.letters() == []


def test_a_parcel_nobody_told_of_is_found(chain, carrier, order):
    """When the WMS never sends its webhook, its listing brings the parcel within a period."""
    with chain.wms.fault("webhook_dropped", "order.shipped", entities=[order.name]):
        chain.wms.act("ship", entity=order.name)
        await_that(lambda: chain.is_shipped_everywhere(order))

    chain.ensure_whole(order, shipments=1)


@pytest.fixture
def idle(chain, carry):
    """Run an integration whose jobs run only when asked to."""
    rarely = {
        name: replace(getattr(CALM_CHAIN, name), every_s=3600.0 * CHAIN_SCALE, hold_s=0.0)
        for name in ("reconcile", "reconcile_shipments", "sync_inventory")
    }
    return carry(replace(CALM_CHAIN, **rarely))


def test_an_unreadable_parcel_is_replayed_by_asking_the_warehouse(chain, idle):
    """What the body cannot say is fetched from the WMS and handed on, and the dead letter is resolved."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))
    params = {"mutation": "truncated"}
    with chain.wms.fault("webhook_malformed", "order.shipped", params=params, entities=[order.name]):
        chain.wms.act("ship", entity=order.name)
        (letter,) = await_that(idle.letters)
    assert idle.http.post(f"/ops/dead-letters/{letter['id']}/replay").status_code == 202
    await_that(lambda: chain.is_shipped_everywhere(order))

    assert [row["state"] for row in idle.letters()] == ["replayed"]
    chain.ensure_whole(order, shipments=1)


def test_an_unreadable_parcel_yields_to_the_listing(chain, idle):
    """Once somebody heard of it, a malformed webhook about an order is discarded when the listing brought its parcel."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))
    assert deliver(idle, shipped(order.number, lines=[])).status_code == 200
    await_that(lambda: all(row["escalated_at"] for row in idle.letters()))
    with chain.wms.fault("webhook_dropped", "order.shipped", entities=[order.name]):
        chain.wms.act("ship", entity=order.name)
    assert idle.http.post("/ops/jobs/reconcile-shipments/start").status_code == 202
    await_that(lambda: [row["state"] for row in idle.letters()] == ["discarded"])

    await_that(lambda: chain.is_shipped_everywhere(order))
