"""The real stripe client, unchanged, against the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stripe

from tests.fakes.conftest import start_fake
from tests.fakes.gateway.conftest import build_client, hold

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake


def test_it_holds_and_captures(client: stripe.StripeClient, gateway: RunningFake) -> None:
    """Money that is held can be captured in full, and the charge says so."""
    held = hold(client, 5_000, expand=["latest_charge"])
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 5_000, 0)
    assert held.latest_charge.captured is False
    assert held.latest_charge.payment_method_details.card.capture_before == held.latest_charge.created + 7 * 86_400
    done = client.v1.payment_intents.capture(held.id)
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 5_000)
    charge = client.v1.charges.retrieve(done.latest_charge)
    assert (charge.captured, charge.amount_captured, charge.refunded) == (True, 5_000, False)
    [record] = gateway.state("payment_intents")
    assert (record["id"], record["status"], record["captures"]) == (held.id, "succeeded", [5_000])


def test_it_captures_a_part(client: stripe.StripeClient) -> None:
    """A partial capture takes its part and lets the rest go; there is no second one."""
    held = hold(client, 5_000)
    done = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2_000, "metadata": {"batch": "7"}})
    assert (done.status, done.amount, done.amount_capturable, done.amount_received) == ("succeeded", 5_000, 0, 2_000)
    assert done.metadata["batch"] == "7"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(held.id)
    assert (refused.value.http_status, refused.value.code) == (400, "payment_intent_unexpected_state")
    assert "already been captured" in str(refused.value)
    assert refused.value.error.payment_intent.id == held.id


def test_it_cannot_capture_more_than_is_held(client: stripe.StripeClient) -> None:
    """Capturing too much takes nothing."""
    held = hold(client, 5_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 5_001})
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")
    assert client.v1.payment_intents.retrieve(held.id).status == "requires_capture"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
def test_a_declined_card_is_a_card_error(client: stripe.StripeClient, card: str, code: str, decline_code: str) -> None:
    """A decline is a 402 that names its reason; the payment waits for another card, and takes it."""
    with pytest.raises(stripe.CardError) as refused:
        hold(client, payment_method=card)
    error = refused.value.error
    assert (refused.value.http_status, refused.value.code, error.decline_code) == (402, code, decline_code)
    payment = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert (payment.status, payment.last_payment_error.decline_code) == ("requires_payment_method", decline_code)
    assert client.v1.charges.retrieve(error.charge).status == "failed"
    again = client.v1.payment_intents.confirm(payment.id, {"payment_method": "pm_card_mastercard"})
    assert (again.status, again.last_payment_error) == ("requires_capture", None)


def test_a_card_may_ask_for_authentication(client: stripe.StripeClient) -> None:
    """A payment that needs the cardholder stops there, and can be cancelled."""
    asking = hold(client, payment_method="pm_card_authenticationRequired")
    assert asking.status == "requires_action"
    assert client.v1.payment_intents.cancel(asking.id).status == "canceled"


def test_it_takes_money_at_once(client: stripe.StripeClient) -> None:
    """Without a manual capture confirming is taking."""
    made = client.v1.payment_intents.create({"amount": 1_250, "currency": "eur"})
    assert made.status == "requires_payment_method"
    updated = client.v1.payment_intents.update(made.id, {"amount": 1_300, "payment_method": "pm_card_visa"})
    assert (updated.status, updated.amount) == ("requires_confirmation", 1_300)
    done = client.v1.payment_intents.confirm(made.id)
    assert (done.status, done.amount_received, done.amount_capturable) == ("succeeded", 1_300, 0)


def test_a_repeated_key_is_replayed(client: stripe.StripeClient, gateway: RunningFake) -> None:
    """The same call under the same key is answered the same, and done once."""
    held = hold(client)
    first = client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "capture-1"})
    again = client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "capture-1"})
    assert again.to_dict() == first.to_dict()
    assert "idempotent-replayed" not in {name.lower() for name in first.last_response.headers}
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.request_id
    assert [len(record["captures"]) for record in gateway.state("payment_intents")] == [1]


def test_a_key_is_good_for_one_request(client: stripe.StripeClient) -> None:
    """A key that was used with other parameters, or elsewhere, is an idempotency error."""
    held = hold(client)
    options: stripe.RequestOptions = {"idempotency_key": "k1"}
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 100}, options)
    for params in ({"amount_to_capture": 200}, {}):
        with pytest.raises(stripe.IdempotencyError) as refused:
            client.v1.payment_intents.capture(held.id, params, options)
        assert (refused.value.http_status, refused.value.error.type) == (400, "idempotency_error")
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.cancel(held.id, {}, options)


def test_it_refunds_in_parts(client: stripe.StripeClient, gateway: RunningFake) -> None:
    """Money can be given back until none is left."""
    held = hold(client, 5_000)
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 3_000})
    part = client.v1.refunds.create({"payment_intent": held.id, "amount": 1_000, "reason": "duplicate"})
    assert (part.status, part.amount, part.reason) == ("succeeded", 1_000, "duplicate")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": held.id, "amount": 2_001})
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount")
    rest = client.v1.refunds.create({"charge": part.charge, "expand": ["charge"]})
    assert (rest.amount, rest.charge.refunded) == (2_000, True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": held.id})
    assert refused.value.code == "charge_already_refunded"
    assert client.v1.refunds.update(rest.id, {"metadata": {"memo": "7"}}).metadata["memo"] == "7"
    assert [one.id for one in client.v1.refunds.list({"payment_intent": held.id}).data] == [rest.id, part.id]
    [record] = gateway.state("payment_intents")
    assert (record["amount_received"], record["amount_refunded"]) == (3_000, 3_000)


def test_it_cancels_what_is_held(client: stripe.StripeClient) -> None:
    """Cancelling lets the money go, once; what was captured cannot be cancelled, what is cancelled not captured."""
    held = hold(client)
    ended = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (ended.status, ended.amount_capturable) == ("canceled", 0)
    assert ended.cancellation_reason == "requested_by_customer"
    assert client.v1.charges.retrieve(held.latest_charge).refunded is True
    done = client.v1.payment_intents.capture(hold(client).id)
    refused = [
        lambda: client.v1.payment_intents.cancel(held.id),
        lambda: client.v1.payment_intents.capture(held.id),
        lambda: client.v1.payment_intents.cancel(done.id),
        lambda: client.v1.payment_intents.confirm(done.id),
        lambda: client.v1.payment_intents.update(done.id, {"amount": 100}),
        lambda: client.v1.refunds.create({"payment_intent": held.id}),
    ]
    for call in refused:
        with pytest.raises(stripe.InvalidRequestError) as error:
            call()
        assert (error.value.http_status, error.value.code) == (400, "payment_intent_unexpected_state")


def test_lists_page_by_themselves(client: stripe.StripeClient) -> None:
    """Auto-paging sees everything once, the newest first; backwards it ends at the newest."""
    made = [hold(client, 1_000 + i).id for i in range(23)]
    listed = [one.id for one in client.v1.payment_intents.list({"limit": 5}).auto_paging_iter()]
    assert listed == made[::-1]
    before = client.v1.payment_intents.list({"limit": 4, "ending_before": made[10]})
    assert [one.id for one in before.data] == made[14:10:-1]
    assert before.has_more is True
    old = client.v1.payment_intents.list({"created": {"lt": 1_000_000_000}})
    assert (old.data, old.has_more) == ([], False)
    charges = client.v1.charges.list({"payment_intent": made[3], "expand": ["data.payment_intent"]})
    assert [one.payment_intent.amount for one in charges.data] == [1_003]


def test_payments_are_found_by_metadata(client: stripe.StripeClient, gateway: RunningFake) -> None:
    """Search finds what the index has taken in."""
    gateway.seed(settings={"search_lag_s": 0.0})
    wanted = hold(client, metadata={"order_id": "6411001"})
    hold(client, metadata={"order_id": "6411002"})
    found = client.v1.payment_intents.search({"query": "metadata['order_id']:'6411001' AND status:'requires_capture'"})
    assert [one.id for one in found.data] == [wanted.id]
    pages = client.v1.payment_intents.search({"query": "amount>1", "limit": 1}).auto_paging_iter()
    assert len({one.id for one in pages}) == 2
    gateway.seed(settings={"search_lag_s": 3_600_000.0})
    assert client.v1.payment_intents.search({"query": "amount>1"}).data == []


def test_events_tell_what_happened(client: stripe.StripeClient) -> None:
    """Each step leaves its events, with the object as it was then and the request that caused it."""
    held = hold(client)
    done = client.v1.payment_intents.capture(held.id, {}, {"idempotency_key": "k-7"})
    events = client.v1.events.list({"type": "payment_intent.succeeded"}).data
    assert [event.data.object["id"] for event in events] == [held.id]
    assert events[0].request.idempotency_key == "k-7"
    assert events[0].request.id == done.last_response.request_id
    created = client.v1.events.list({"types": ["payment_intent.created", "charge.captured"]}).data
    assert [event.type for event in created] == ["charge.captured", "payment_intent.created"]
    assert client.v1.events.retrieve(events[0].id).data.object["status"] == "succeeded"


def test_wrong_keys_and_ids_are_refused(client: stripe.StripeClient, gateway: RunningFake) -> None:
    """A wrong key is an authentication error, an unknown id a missing resource."""
    with pytest.raises(stripe.AuthenticationError) as unknown:
        hold(build_client(gateway, "sk_test_somebody_else"))
    assert unknown.value.http_status == 401
    assert "somebody_else" not in str(unknown.value)
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as method:
        hold(client, payment_method="pm_of_ours")
    assert method.value.param == "payment_method"
    with pytest.raises(stripe.InvalidRequestError) as surplus:
        hold(client, colour="red")
    assert surplus.value.code == "parameter_unknown"


def test_metadata_is_merged(client: stripe.StripeClient) -> None:
    """Metadata keys are added and changed one by one, an empty value takes one away, an empty whole all."""
    held = hold(client, metadata={"a": "1", "b": "2"})
    merged = client.v1.payment_intents.update(held.id, {"metadata": {"b": "", "c": "3"}})
    assert merged.metadata.to_dict() == {"a": "1", "c": "3"}
    assert client.v1.payment_intents.update(held.id, {"metadata": ""}).metadata.to_dict() == {}


def test_the_account_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway started with a key and a secret uses them, and writes neither down."""
    monkeypatch.setenv("GATEWAY_API_KEY", "sk_test_of_ours")
    monkeypatch.setenv("GATEWAY_WEBHOOK_SECRET", "whsec_of_ours")
    with start_fake("fakes.gateway") as fake:
        assert hold(build_client(fake, "sk_test_of_ours")).status == "requires_capture"
        written = fake.control.get("/journal").text + fake.control.get("/catalogue").text
        assert "of_ours" not in written
        assert "_secret_" not in written
