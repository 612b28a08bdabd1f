"""What the gateway does by itself, and which order each call is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.gateway.conftest import AUTH, INTENTS, ORDER, authorise

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake


def post(fake: RunningFake, path: str, **data: Any) -> dict[str, Any]:
    """Post a form and return the answer."""
    return fake.client.post(path, data=data, headers=AUTH).json()


def entities(fake: RunningFake) -> list[str | None]:
    """Return which orders the calls were about."""
    return [entry["entity"] for entry in fake.journal("exchange")]


def test_authorise_holds_the_money_of_orders(gateway: RunningFake) -> None:
    """Each order gets a payment that can be captured, in minor units, linked to it and named in its metadata."""
    other = {"name": "#411002", "order_id": "6411002", "amount": "1200", "currency": "JPY"}
    made = gateway.act("authorise", orders=[ORDER, other])["payments"]
    assert [one["name"] for one in made] == ["#411001", "#411002"]
    assert [one["aliases"] for one in made] == [[one["id"].removeprefix("pi_")] for one in made]
    held = gateway.client.get(f"{INTENTS}/{made[0]['id']}", headers=AUTH).json()
    assert (held["status"], held["amount_capturable"], held["currency"]) == ("requires_capture", 3750, "eur")
    assert held["metadata"] == {"order_id": "6411001", "order_name": "#411001"}
    assert [(one["entity"], one["amount"]) for one in gateway.state("payment_intents")] == [
        ("#411001", 3750),
        ("#411002", 1200),
    ]


@pytest.mark.parametrize("amount", ["", "0", "-1", "lots", "NaN", "1e12", "0.001"])
def test_authorise_refuses_what_is_no_money(gateway: RunningFake, amount: str) -> None:
    """An amount that is none is a located 422, and no payment is made of any order."""
    answer = gateway.control.post("/act/authorise", json={"orders": [ORDER, {**ORDER, "amount": amount}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["at"] == "orders.1.amount"
    assert gateway.state("payment_intents") == []


def test_a_capture_by_id_names_its_order(gateway: RunningFake) -> None:
    """A capture that says nothing but the payment's id is journaled under its order, with what it changed."""
    intent = authorise(gateway)
    gateway.client.post(f"{INTENTS}/{intent}/capture", headers=AUTH)
    [exchange] = gateway.journal("exchange")
    assert (exchange["operation"], exchange["entity"], exchange["shared"]) == (
        "payment_intent.capture",
        "#411001",
        False,
    )
    changes = [entry for entry in gateway.journal("change") if entry["exchange"] == exchange["id"]]
    assert {entry["entity"] for entry in changes} == {"#411001"}
    assert [entry["collection"] for entry in changes] == ["charges", "payment_intents", "events", "events"]


def test_calls_are_about_the_order_of_what_they_name(gateway: RunningFake) -> None:
    """Refunds, charges and events are about their payment's order; lists and searches about none."""
    intent = authorise(gateway)
    charge = post(gateway, f"{INTENTS}/{intent}/capture")["latest_charge"]
    refund = post(gateway, "/v1/refunds", charge=charge, amount=100)["id"]
    event = gateway.state("events")[0]["id"]
    for path in (f"/v1/refunds/{refund}", f"/v1/charges/{charge}", f"/v1/events/{event}"):
        assert gateway.client.get(path, headers=AUTH).status_code == 200
    gateway.client.get("/v1/refunds", params={"payment_intent": intent}, headers=AUTH)
    assert entities(gateway) == [*["#411001"] * 5, None]


def test_a_payment_of_the_integrations_own_is_found_by_its_metadata(gateway: RunningFake) -> None:
    """A payment is about the registered order its metadata names, else about what it names itself."""
    gateway.seed(entities=[{"name": "#7", "aliases": ["6411007", "7"]}])
    data = {"amount": 5000, "currency": "eur"}
    known = post(gateway, INTENTS, **data, **{"metadata[order_id]": "6411007"})["id"]
    post(gateway, f"{INTENTS}/{known}", description="x")
    unknown = post(gateway, INTENTS, **data, **{"metadata[order_id]": "6411008"})["id"]
    post(gateway, f"{INTENTS}/{unknown}/cancel")
    post(gateway, INTENTS, **data)
    assert entities(gateway) == ["#7", "#7", "6411008", "6411008", None]


@pytest.mark.parametrize(
    "named", [{"entity": "#411001"}, {"entity": "6411001"}, {"id": "6411001", "entity": "#411001"}]
)
def test_refund_gives_back_in_the_dashboard(gateway: RunningFake, named: dict[str, str]) -> None:
    """Money can be given back without the integration, in parts, by any name of the order."""
    intent = authorise(gateway)
    early = gateway.control.post("/act/refund", json=named)
    assert early.status_code == 409
    post(gateway, f"{INTENTS}/{intent}/capture")
    part = gateway.act("refund", **named, amount="10.00")["refund"]
    assert (part["amount"], part["payment_intent"], part["entity"]) == (1000, intent, "#411001")
    assert gateway.control.post("/act/refund", json={**named, "amount": "27.51"}).status_code == 409
    assert gateway.act("refund", **named)["refund"]["amount"] == 2750
    assert gateway.state("payment_intents")[0]["amount_refunded"] == 3750
    assert gateway.control.post("/act/refund", json=named).status_code == 409


def test_a_hold_runs_out(gateway: RunningFake) -> None:
    """An expired hold is a cancelled payment, which cannot be captured any more."""
    intent = authorise(gateway)
    gateway.act("expire-authorisation", entity="#411001")
    ended = gateway.client.get(f"{INTENTS}/{intent}", params={"expand[]": "latest_charge"}, headers=AUTH).json()
    assert (ended["status"], ended["cancellation_reason"]) == ("canceled", "expired")
    assert ended["latest_charge"]["refunded"] is True
    late = post(gateway, f"{INTENTS}/{intent}/capture")["error"]
    assert late["code"] == "payment_intent_unexpected_state"
    assert [one["type"] for one in gateway.state("events")][-2:] == ["charge.expired", "payment_intent.canceled"]
    assert gateway.control.post("/act/expire-authorisation", json={"entity": "#411001"}).status_code == 409


def test_acts_on_nobody_are_refused(gateway: RunningFake) -> None:
    """An order without a payment is a 404, no order a 422; sessions there are none."""
    assert gateway.control.post("/act/refund", json={"entity": "#nobody"}).status_code == 404
    assert gateway.control.post("/act/refund", json={}).status_code == 422
    assert gateway.act("expire-sessions") == {"expired": 0}


def test_reset_forgets_payments_keys_and_settings(gateway: RunningFake) -> None:
    """After a reset nothing is left but the ids that were used."""
    headers = {**AUTH, "Idempotency-Key": "k"}
    first = gateway.client.post(INTENTS, data={"amount": 5000, "currency": "eur"}, headers=headers).json()["id"]
    gateway.seed(settings={"api_key": "sk_other"})
    gateway.reset()
    again = gateway.client.post(INTENTS, data={"amount": 6000, "currency": "eur"}, headers=headers).json()["id"]
    assert again != first
    assert [one["id"] for one in gateway.state("payment_intents")] == [again]


def test_the_catalogue_lists_it_all(gateway: RunningFake) -> None:
    """The catalogue names every operation, collection and verb the other parts build on."""
    shown = gateway.control.get("/catalogue").json()
    assert shown["system"] == "gateway"
    assert {"payment_intent.capture", "refund.create", "charge.list", "event.read", "webhook_endpoint.delete"} <= {
        operation["name"] for operation in shown["operations"]
    }
    assert shown["collections"] == ["payment_intents", "charges", "refunds", "events", "webhook_endpoints"]
    assert {"authorise", "refund", "expire-authorisation", "forge", "deliver", "redeliver"} <= set(shown["acts"])
    assert {"card_declined", "payment_intent_unexpected_state", "idempotency_error", "idempotency_key_in_use"} <= {
        code["code"] for code in shown["codes"]
    }
