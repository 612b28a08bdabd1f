"""The kit's faults in the vendor's shapes, as the vendor's client sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import stripe

from fakes.gateway.catalogue import CATALOGUE
from tests.fakes.gateway.conftest import AUTH, INTENTS, authorise, build_client

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

CAPTURE = "payment_intent.capture"


def capture(fake: RunningFake, intent: str, key: str | None = None) -> httpx2.Response:
    """Capture a payment."""
    headers = AUTH if key is None else {**AUTH, "Idempotency-Key": key}
    return fake.client.post(f"{INTENTS}/{intent}/capture", headers=headers)


def captures(fake: RunningFake) -> list[int]:
    """Return what was captured of the first payment."""
    return fake.state("payment_intents")[0]["captures"]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, stripe.InvalidRequestError),
        (401, stripe.AuthenticationError),
        (402, stripe.CardError),
        (403, stripe.PermissionError),
        (404, stripe.InvalidRequestError),
        (409, stripe.APIError),
        (429, stripe.RateLimitError),
        (500, stripe.APIError),
        (502, stripe.APIError),
        (503, stripe.APIError),
        (504, stripe.APIError),
    ],
)
def test_a_status_is_the_clients_error(gateway: RunningFake, status: int, raised: type[stripe.StripeError]) -> None:
    """Any status comes in the vendor's error object, and the client knows it; nothing is captured."""
    intent = authorise(gateway)
    gateway.arm("status", operation=CAPTURE, entity="#411001", params={"status": status, "retry_after_s": 1.5})
    with pytest.raises(raised) as refused:
        build_client(gateway).v1.payment_intents.capture(intent)
    assert refused.value.http_status == status
    assert refused.value.error.type
    assert refused.value.headers["Retry-After"] == "1.5"
    assert captures(gateway) == []


@pytest.mark.parametrize("code", [code.code for code in CATALOGUE.codes])
def test_every_code_can_be_given(gateway: RunningFake, code: str) -> None:
    """Every code of the catalogue comes with its status, in the journal and, where the vendor names it, in the body."""
    intent = authorise(gateway)
    gateway.arm("error", operation=CAPTURE, params={"code": code, "text": "said so"})
    answer = capture(gateway, intent)
    error = answer.json()["error"]
    known = CATALOGUE.code(code)
    assert known is not None
    assert (answer.status_code, error["message"]) == (known.status, "said so")
    assert error.get("code", code) == code
    assert error["type"] in {"api_error", "card_error", "idempotency_error", "invalid_request_error"}
    [exchange] = gateway.journal("exchange")
    assert (exchange["code"], exchange["faults"]) == (code, ["f1"])


def test_an_injected_decline_names_the_payment(gateway: RunningFake) -> None:
    """A decline by fault looks like the vendor's own, with the payment as it is."""
    intent = authorise(gateway)
    gateway.arm("error", operation=CAPTURE, params={"code": "card_declined"})
    with pytest.raises(stripe.CardError) as refused:
        build_client(gateway).v1.payment_intents.capture(intent)
    error = refused.value.error
    assert (error.decline_code, error.payment_intent.id) == ("generic_decline", intent)
    assert error.payment_intent.status == "requires_capture"


def test_an_injected_outcome_is_kept_under_its_key(gateway: RunningFake) -> None:
    """A decline by fault is an outcome like any: its key gets it again when the fault is gone, a new key does not."""
    intent = authorise(gateway)
    gateway.arm("error", operation=CAPTURE, params={"code": "card_declined"}, count=1)
    assert capture(gateway, intent, "k1").status_code == 402
    again = capture(gateway, intent, "k1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (402, "true")
    assert capture(gateway, intent, "k2").status_code == 200


@pytest.mark.parametrize(
    "code", ["api_error", "rate_limit", "lock_timeout", "idempotency_key_in_use", "resource_missing"]
)
def test_what_came_before_execution_is_not_kept(gateway: RunningFake, code: str) -> None:
    """An error from before the call was executed leaves its key free."""
    intent = authorise(gateway)
    gateway.arm("error", operation=CAPTURE, params={"code": code}, count=1)
    assert capture(gateway, intent, "k").status_code == CATALOGUE.code(code).status  # type: ignore[union-attr]  # it is known
    done = capture(gateway, intent, "k")
    assert (done.status_code, "Idempotent-Replayed" in done.headers) == (200, False)


@pytest.mark.parametrize("code", ["api_error", "payment_intent_unexpected_state"])
def test_an_error_may_hide_a_success(gateway: RunningFake, code: str) -> None:
    """With commit the money is taken although the answer is an error; the key then tells the truth."""
    intent = authorise(gateway)
    gateway.arm("error", operation=CAPTURE, params={"code": code, "commit": True}, count=1)
    assert capture(gateway, intent, "k").json()["error"]["type"]
    assert captures(gateway) == [3750]
    again = capture(gateway, intent, "k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


@pytest.mark.parametrize("how", ["reset", "hang"])
def test_a_lost_answer_is_repeated_without_a_second_capture(gateway: RunningFake, how: str) -> None:
    """The money is taken, the answer never leaves; the same key learns what happened, another that it has."""
    intent = authorise(gateway)
    gateway.arm("lost_response", operation=CAPTURE, params={"how": how}, count=1)
    headers = {**AUTH, "Idempotency-Key": "k"}
    with pytest.raises(httpx2.TransportError):
        gateway.client.post(f"{INTENTS}/{intent}/capture", headers=headers, timeout=0.5)
    again = capture(gateway, intent, "k")
    assert (again.json()["status"], again.headers["Idempotent-Replayed"]) == ("succeeded", "true")
    assert capture(gateway, intent, "k2").json()["error"]["code"] == "payment_intent_unexpected_state"
    assert captures(gateway) == [3750]
    [lost] = [entry for entry in gateway.journal("exchange") if entry["status"] is None]
    assert (lost["withheld_status"], lost["entity"]) == (200, "#411001")


def test_the_client_survives_a_lost_answer(gateway: RunningFake) -> None:
    """The vendor's client tries again by itself, under the same key, and takes the money once."""
    intent = authorise(gateway)
    gateway.arm("lost_response", operation=CAPTURE, params={"how": "reset"}, count=1)
    done = build_client(gateway, max_network_retries=2).v1.payment_intents.capture(intent)
    assert (done.status, done.last_response.headers["Idempotent-Replayed"]) == ("succeeded", "true")
    assert captures(gateway) == [3750]


def test_what_was_not_persisted_leaves_no_key(gateway: RunningFake) -> None:
    """A success that was only pretended is not replayed: the same key then really captures."""
    intent = authorise(gateway)
    gateway.arm("not_persisted", operation=CAPTURE, count=1)
    assert capture(gateway, intent, "k").json()["status"] == "succeeded"
    assert captures(gateway) == []
    done = capture(gateway, intent, "k")
    assert (done.json()["status"], "Idempotent-Replayed" in done.headers) == ("succeeded", False)
    assert captures(gateway) == [3750]


def test_a_pretended_write_writes_nothing_anywhere(gateway: RunningFake) -> None:
    """No write of the API leaves a trace when it is only pretended."""
    intent = authorise(gateway)
    capture(gateway, intent)
    gateway.arm("not_persisted")
    before = gateway.journal("change")
    calls: list[tuple[str, dict[str, Any]]] = [
        (INTENTS, {"amount": 5000, "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa"}),
        (f"{INTENTS}/{intent}", {"metadata[a]": "b"}),
        ("/v1/refunds", {"payment_intent": intent}),
        ("/v1/webhook_endpoints", {"url": "http://127.0.0.1:9/x", "enabled_events[]": "*"}),
    ]
    for path, data in calls:
        assert gateway.client.post(path, data=data, headers=AUTH).status_code == 200
    assert gateway.journal("change") == before
    assert gateway.journal("subscription") == []


@pytest.mark.parametrize("mutation", ["html", "truncated", "not_json", "empty"])
@pytest.mark.parametrize("commit", [True, False])
def test_a_malformed_success_is_an_api_error(gateway: RunningFake, mutation: str, commit: bool) -> None:
    """A 200 that cannot be read is the client's APIError, whether the money was taken or not."""
    intent = authorise(gateway)
    gateway.arm("malformed", operation=CAPTURE, params={"mutation": mutation, "commit": commit})
    with pytest.raises(stripe.APIError) as refused:
        build_client(gateway).v1.payment_intents.capture(intent)
    assert refused.value.http_status == 200
    assert captures(gateway) == ([3750] if commit else [])


def test_limits_sessions_and_permissions(gateway: RunningFake) -> None:
    """The limiter's 429, an expired key and a key without the permission are the vendor's own; the key stays good."""
    intent, client = authorise(gateway), build_client(gateway)
    gateway.arm("rate_limited", operation=CAPTURE, params={"retry_after_s": 2}, count=1)
    with pytest.raises(stripe.RateLimitError) as limited:
        client.v1.payment_intents.capture(intent)
    assert limited.value.error.code == "rate_limit"
    assert limited.value.headers["Retry-After"] == "2"
    assert limited.value.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    gateway.arm("session_expired", "f2", operation=CAPTURE, count=1)
    with pytest.raises(stripe.AuthenticationError) as expired:
        client.v1.payment_intents.capture(intent)
    assert expired.value.error.code == "api_key_expired"
    gateway.arm("permission_denied", "f3", operation=CAPTURE, count=1)
    with pytest.raises(stripe.PermissionError) as denied:
        client.v1.payment_intents.capture(intent)
    assert denied.value.error.code == "more_permissions_required"
    assert client.v1.payment_intents.capture(intent).status == "succeeded"


def test_a_delayed_answer_comes(gateway: RunningFake) -> None:
    """A late answer is the answer."""
    intent = authorise(gateway)
    gateway.arm("delay", operation=CAPTURE, params={"seconds": 0.2})
    assert capture(gateway, intent).json()["status"] == "succeeded"


def test_faults_tell_orders_apart(gateway: RunningFake) -> None:
    """A fault about one order does not touch another's capture, though neither call says more than an id."""
    first, second = authorise(gateway), authorise(gateway, name="#411002", order_id="6411002")
    gateway.arm("status", operation=CAPTURE, entities=["#411002"], attempts=[1], params={"status": 503})
    assert [capture(gateway, intent).status_code for intent in (first, second, second)] == [200, 503, 200]
