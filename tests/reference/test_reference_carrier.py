"""Labels and contacts: one label a parcel whatever becomes of the answers, and a CRM that holds nothing up."""

from dataclasses import replace

import httpx2
import pytest
from reference_chain import await_that
from reference_mapped import refuse_contact, refuse_label
from reference_service import CALM_CHAIN
from reference_vendors import Reply

from reference.policies import ORDER_TO_CRM, SHIPMENT_TO_CARRIER

LOST = Reply(201, commit=True, hang=True)
GARBLED = Reply(200, ["<html>"], commit=True)
LATER = "2099-01-01T00:00:00+00:00"
LIMITED = refuse_label("rate_limited", 429)


@pytest.fixture
def shipped(chain):
    """Place an order and have its parcel leave the warehouse."""

    def ship_it():
        order = chain.reserve()
        chain.place(order)
        await_that(lambda: chain.is_at_the_warehouse(order), "the order to be at the warehouse")
        chain.wms.act("ship", entity=order.name)
        return order

    return ship_it


def read_order(chain, order):
    """Read an order as the shop's own API shows it."""
    url = f"{chain.storefront.url}/admin/api/2026-10/orders/{order.id}.json"
    return httpx2.get(url, headers={"X-Shopify-Access-Token": "shop-token"}, trust_env=False).json()["order"]


def decide(service, case, decision):
    """Decide a case."""
    assert service.http.post(f"/ops/queues/{case['id']}/decide", json={"decision": decision}).status_code == 202


def test_a_parcel_gets_one_label(chain, handed_on, mapped, shipped):
    """What is bought names the order and the parcel, goes to where the order says, and is asked for once."""
    order = shipped()
    (label,) = await_that(lambda: list(mapped.labels.values()))
    (shipment,) = chain.wms.state("shipments", reference=order.number)
    (purchase,) = mapped.purchases

    assert label["reference"] == f"{order.name}-{shipment['id']}"
    assert label["order"] == order.name
    assert label["service"] == "standard"
    assert label["to"]["name"] == read_order(chain, order)["shipping_address"]["name"]
    assert label["parcels"] == [{"weight_g": 1000}]
    assert purchase.key == f"label:{shipment['id']}"
    assert handed_on.ops("exceptions") == []


@pytest.mark.parametrize("trouble", [LIMITED, refuse_label("internal_error", 503), GARBLED], ids=str)
def test_every_attempt_has_the_same_key(handed_on, mapped, shipped, trouble):
    """However the first attempts fail, the label is bought under the key they had, and there is one."""
    mapped.label_replies += [trouble, trouble]
    shipped()
    await_that(lambda: len(mapped.purchases) == 3)

    assert len({purchase.key for purchase in mapped.purchases}) == 1
    assert len({repr(purchase.label) for purchase in mapped.purchases}) == 1
    assert len(mapped.labels) == 1
    assert handed_on.letters() == []


def test_a_lost_answer_is_asked_for_again_under_its_key(carry, mapped, shipped):
    """A label whose answer never came is not bought a second time."""
    mapped.label_replies.append(LOST)
    parts = replace(CALM_CHAIN, shipment_to_carrier=replace(SHIPMENT_TO_CARRIER, timeout_s=50.0))
    service = carry(parts, **mapped.environment())
    shipped()
    await_that(lambda: [purchase.status for purchase in mapped.purchases] == [201, 201])

    assert len(mapped.labels) == 1
    assert service.letters() == []


def test_a_replayed_parcel_keeps_its_key(handed_on, mapped, shipped):
    """A dead letter that is replayed asks for the label it may have bought already."""
    mapped.label_replies += [GARBLED] * 3
    shipped()
    (letter,) = await_that(handed_on.letters)
    handed_on.http.post(f"/ops/dead-letters/{letter['id']}/replay")
    await_that(lambda: len(mapped.purchases) == 4)

    assert (letter["handoff"], letter["attempts"]) == ("shipment-to-carrier", 3)
    assert len(mapped.labels) == 1


def test_where_nobody_can_deliver_customer_service_is_asked(chain, handed_on, mapped, shipped):
    """An address that cannot be delivered to is tried once; while it waits, books and shop hear of the parcel."""
    mapped.label_replies.append(refuse_label("address_undeliverable"))
    order = shipped()
    (case,) = await_that(lambda: handed_on.ops("queues"))
    (ticket,) = await_that(lambda: chain.opsdesk.state("tickets"))
    await_that(lambda: chain.is_shipped_everywhere(order))

    assert (case["role"], case["entity"], case["code"]) == ("customer-service", order.name, "address_undeliverable")
    assert case["decisions"] == ["corrected", "pickup"]
    assert case["sla_s"] == 14_400
    assert ticket["external_id"] == f"shipment-to-carrier:{order.name}"
    assert len(mapped.purchases) == 1


def test_a_corrected_address_is_where_the_parcel_goes(chain, handed_on, mapped, shipped):
    """What the shop says by the time customer service decides is on the label, under the key of before."""
    mapped.label_replies.append(refuse_label("address_undeliverable"))
    order = shipped()
    (case,) = await_that(lambda: handed_on.ops("queues"))
    shown = read_order(chain, order)
    address = {**shown["shipping_address"], "address1": "New Street 1", "city": "Newtown", "zip": "99999"}
    handed_on.deliver({**shown, "updated_at": LATER, "shipping_address": address}, topic="orders/updated")
    decide(handed_on, case, "corrected")
    (label,) = await_that(lambda: list(mapped.labels.values()))

    assert label["to"]["city"] == "Newtown"
    assert mapped.purchases[0].label["to"].get("city") != "Newtown"
    assert len({purchase.key for purchase in mapped.purchases}) == 1


def test_a_parcel_may_go_to_a_pickup_point(handed_on, mapped, shipped):
    """Decided so, the same parcel is bought a label to a pickup point."""
    mapped.label_replies.append(refuse_label("address_undeliverable"))
    shipped()
    (case,) = await_that(lambda: handed_on.ops("queues"))
    decide(handed_on, case, "pickup")
    (label,) = await_that(lambda: list(mapped.labels.values()))

    assert label["service"] == "pickup_point"
    assert [purchase.label["service"] for purchase in mapped.purchases] == ["standard", "pickup_point"]
    await_that(lambda: handed_on.ops("queues")[0]["state"] == "done")


def test_a_parcel_no_service_takes_is_put_aside_at_once(chain, handed_on, mapped, shipped):
    """What another attempt cannot change is not tried again; the warehouse hears of it."""
    mapped.label_replies.append(refuse_label("service_unavailable_for_parcel"))
    shipped()
    (letter,) = await_that(handed_on.letters)
    (alert,) = await_that(lambda: chain.opsdesk.state("alerts"))

    assert letter["attempts"] == 1
    assert (alert["role"], alert["code"]) == ("warehouse-ops", "service_unavailable_for_parcel")


def test_a_customer_is_a_contact(chain, handed_on, mapped):
    """The contact is found by an id that does not show the address, and names the order that was placed last."""
    order = chain.reserve()
    chain.place(order)
    ((external_id, contact),) = await_that(lambda: list(mapped.contacts.items()))

    assert contact["properties"] == {"last_order": order.name, "last_order_total": "25.00 EUR"}
    assert contact["email"]
    assert "@" not in external_id
    assert contact["email"].split("@")[0] not in external_id


def test_a_failing_crm_holds_nothing_up(chain, handed_on, mapped):
    """While the CRM refuses everything, orders are paid and come to the warehouse; what failed is put aside at its own handoff."""
    mapped.contact_replies += [refuse_contact("INTERNAL_ERROR", 503)] * 3
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))
    (letter,) = await_that(handed_on.letters)

    chain.ensure_whole(order)
    assert (letter["handoff"], letter["code"]) == ("order-to-crm", "INTERNAL_ERROR")


def test_a_hanging_crm_holds_nothing_up(carry, chain, mapped):
    """While the CRM does not answer, orders are paid and come to the warehouse."""
    mapped.contact_replies.append(Reply(200, commit=True, hang=True))
    carry(replace(CALM_CHAIN, order_to_crm=replace(ORDER_TO_CRM, timeout_s=1000.0)), **mapped.environment())
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))

    assert len(mapped.upserts) == 1
    chain.ensure_whole(order)


def test_without_carrier_and_crm_their_handoffs_are_left_out(chain, carrier, shipped):
    """An integration that knows neither hands nothing on to them, and everything else as ever."""
    order = shipped()
    await_that(lambda: chain.is_shipped_everywhere(order))

    chain.ensure_whole(order, shipments=1)
    assert carrier.letters() == []
    assert {row["system"] for row in carrier.ops("sessions")} == {"storefront", "erp", "gateway", "wms"}
