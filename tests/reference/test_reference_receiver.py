"""The webhook receiver: what it refuses, what it acknowledges, and what it keeps."""

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from reference_service import ECOMMERCE, make_order


def test_an_order_becomes_one_sales_order(service, vendors):
    """A signed creation is acknowledged and posted to the ERP under the order's external id, with its lines and reference."""
    assert service.deliver(make_order(1001, note="ring twice")).status_code == 200
    vendors.wait(lambda: vendors.records["SHP-1001"])

    document = json.loads(vendors.records["SHP-1001"][0])
    assert document["otherRefNum"] == "#1001"
    assert document["memo"] == "#1001 ring twice"
    assert document["item"]["items"] == [{"item": {"externalId": "MUG"}, "quantity": 2, "rate": 19.95}]


@pytest.mark.parametrize("how", [{"secret": "wrong"}, {"drop": "X-Shopify-Hmac-Sha256"}])
def test_a_bad_signature_changes_nothing(service, vendors, how):
    """A forged or unsigned webhook is answered 401 and leaves no order, no dead letter, no alert."""
    assert service.deliver(make_order(1001), **how).status_code == 401
    assert service.deliver(make_order(1002)).status_code == 200
    vendors.wait(lambda: vendors.records["SHP-1002"])

    assert list(vendors.records) == ["SHP-1002"]
    assert service.letters() == []
    assert vendors.events == []


def test_a_signature_that_is_no_ascii_is_refused(service):
    """Rubbish in the signature header is a bad signature, not an error of the service."""
    headers = {"X-Shopify-Hmac-Sha256": "ä€".encode()}
    assert service.http.post("/webhooks/storefront", content=b"{}", headers=headers).status_code == 401


def test_redeliveries_post_once(service, vendors):
    """The same delivery again, at once or later, and the same order under a new delivery id, are one post."""
    order = make_order(1001)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.deliver(order, webhook_id="w1").json(), range(4)))
    answers.append(service.deliver(order, webhook_id="w2").json())
    service.deliver(make_order(1002))
    vendors.wait(lambda: vendors.records["SHP-1001"] and vendors.records["SHP-1002"])

    assert sorted(answer["outcome"] for answer in answers) == ["duplicate"] * 3 + ["new", "unchanged"]
    assert len(vendors.puts("SHP-1001")) == 1


def test_an_update_before_the_creation_is_one_order_with_the_newest_data(service, vendors):
    """When the update arrives first, the later creation changes nothing."""
    new = make_order(1001, note="new", updated_at="2026-11-20T10:00:05+01:00")
    assert service.deliver(new, topic="orders/updated").json() == {"outcome": "new"}
    assert service.deliver(make_order(1001, note="old")).json() == {"outcome": "stale"}
    service.deliver(make_order(1002))
    vendors.wait(lambda: vendors.records["SHP-1001"] and vendors.records["SHP-1002"])

    assert [json.loads(body)["memo"] for body in vendors.records["SHP-1001"]] == ["#1001 new"]


def test_states_of_one_second_are_told_apart_by_their_trigger(service):
    """The storefront stamps whole seconds; within one, the webhook triggered later is the newer state."""
    late = {"topic": "orders/updated", "triggered_at": "2026-11-20T09:00:00.700000000Z"}
    early = {"triggered_at": "2026-11-20T09:00:00.200000000Z"}
    assert service.deliver(make_order(1001, note="new"), **late).json() == {"outcome": "new"}
    assert service.deliver(make_order(1001, note="old"), **early).json() == {"outcome": "stale"}


def test_an_update_is_posted_after_the_creation(service, vendors):
    """An update with other data is upserted over the sales order that is there."""
    service.deliver(make_order(1001))
    vendors.wait(lambda: len(vendors.records["SHP-1001"]) == 1)
    service.deliver(make_order(1001, note="gift", updated_at="2026-11-20T11:00:00+01:00"), topic="orders/updated")
    vendors.wait(lambda: len(vendors.records["SHP-1001"]) == 2)

    assert [json.loads(body)["memo"] for body in vendors.records["SHP-1001"]] == ["#1001", "#1001 gift"]


def test_an_update_while_sending_is_posted_next(service, vendors):
    """Data that arrive while the order is on its way to the ERP are sent right after."""
    vendors.open_gate.clear()
    service.deliver(make_order(1001))
    vendors.wait(lambda: len(vendors.assertions) == 1)
    vendors.open_gate.set()
    vendors.wait(lambda: vendors.records["SHP-1001"])
    vendors.open_gate.clear()
    service.deliver(make_order(1001, note="a", updated_at="2026-11-20T11:00:00+01:00"))
    vendors.wait(lambda: len(vendors.arrived) == 2)
    service.deliver(make_order(1001, note="b", updated_at="2026-11-20T12:00:00+01:00"))
    vendors.open_gate.set()
    vendors.wait(lambda: len(vendors.records["SHP-1001"]) == 3)

    assert [json.loads(body)["memo"] for body in vendors.records["SHP-1001"]] == ["#1001", "#1001 a", "#1001 b"]


UNUSABLE = {
    "empty": b"",
    "not json": b"<html>oops</html>",
    "truncated": json.dumps(make_order(1001)).encode()[:150],
    "not an object": b"[1, 2]",
    "deeply nested": b"[" * 100_000,
    "missing field": json.dumps({"name": "#1001", "id": 1}).encode(),
    "wrong types": json.dumps(make_order(1001, order_number="one")).encode(),
    "a bool for a number": json.dumps(make_order(1001, id=True)).encode(),
    "no lines": json.dumps(make_order(1001, line_items=[])).encode(),
    "a line without sku": json.dumps(make_order(1001, line_items=[{"quantity": 1, "price": "1"}])).encode(),
    "a time without offset": json.dumps(make_order(1001, updated_at="2026-11-20T10:00:00")).encode(),
    "an infinite price": json.dumps(make_order(1001, total_price="Infinity")).encode(),
    "half a surrogate": json.dumps(make_order(1001, note="\ud800")).encode(),
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_body_is_kept_as_a_dead_letter(service, vendors, body):
    """A signed body that is no order is acknowledged, kept by its exact bytes, and escalated at once to ecommerce-ops."""
    assert service.deliver(body, webhook_id="w1").status_code == 200
    vendors.wait(lambda: vendors.events)
    (letter,) = service.await_that(lambda: [row for row in service.letters() if row["escalated_at"]])

    assert letter["handoff"] == "order-capture"
    assert letter["code"] == "MALFORMED_PAYLOAD"
    assert letter["payload_sha256"] == sha256(body).hexdigest()
    assert letter["state"] == "waiting"
    assert letter["entity"] in {"w1", "#1001"}
    assert [event["routing_key"] for event in vendors.events] == [ECOMMERCE]
    assert vendors.records == {}


def test_an_unusable_body_is_attributed_when_it_names_its_order(service):
    """A dead letter names the order if the body parses and says it, else the delivery."""
    service.deliver(json.dumps({"name": "#1001"}).encode(), webhook_id="w1")
    service.deliver(json.dumps(make_order(1002)).encode()[:150], webhook_id="w2")

    assert [row["entity"] for row in service.letters()] == ["#1001", "w2"]


def test_a_redelivered_unusable_body_is_one_dead_letter(service):
    """The same unusable delivery twice is kept once."""
    outcomes = [service.deliver(b"nonsense", webhook_id="w1").json()["outcome"] for _ in range(2)]

    assert outcomes == ["dead_letter", "duplicate"]
    assert len(service.letters()) == 1


def test_other_topics_are_acknowledged_and_ignored(service):
    """A signed webhook of a topic that is not handled is acknowledged and leaves nothing."""
    assert service.deliver(b"{}", topic="carts/create").json() == {"outcome": "ignored"}
    assert service.letters() == []


def test_a_huge_body_is_refused(service):
    """A body beyond the limit is refused before it is held in memory."""
    assert service.deliver(b" " * (9 * 1024 * 1024)).status_code == 413
