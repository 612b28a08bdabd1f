"""Crowds: however many calls come at once, money moves once, and nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import stripe

from tests.fakes.conftest import start_fake
from tests.fakes.gateway.conftest import AUTH, INTENTS, authorise, build_client, hold, run_together

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake


def capture(client: stripe.StripeClient, intent: str, key: str) -> tuple[str, str | None]:
    """Capture under a key; return how it ended and, if well, whether it was replayed."""
    try:
        done = client.v1.payment_intents.capture(intent, {}, {"idempotency_key": key})
    except stripe.StripeError as error:
        return str(error.error.code), None
    return done.status, done.last_response.headers.get("Idempotent-Replayed")


def test_thirty_captures_with_one_key_are_one_charge(gateway: RunningFake) -> None:
    """All of thirty captures under one key succeed, and one of them was the capture."""
    intent = authorise(gateway)
    clients = [build_client(gateway, max_network_retries=5) for _ in range(30)]
    ended = run_together(30, lambda i: capture(clients[i], intent, "capture-6411001"))
    assert Counter(ended) == {("succeeded", None): 1, ("succeeded", "true"): 29}
    assert [charge["amount_captured"] for charge in gateway.state("charges")] == [3750]
    assert [entry["type"] for entry in gateway.state("events")].count("charge.captured") == 1


def test_one_key_in_a_slow_account_is_one_charge(gateway: RunningFake) -> None:
    """Also while executing takes its time: who came too early is told so, tries again and gets the same answer."""
    intent = authorise(gateway)
    gateway.seed(settings={"work_s": 0.3})
    clients = [build_client(gateway, max_network_retries=5) for _ in range(30)]
    ended = run_together(30, lambda i: capture(clients[i], intent, "capture-6411001"))
    assert Counter(ended) == {("succeeded", None): 1, ("succeeded", "true"): 29}
    assert [charge["amount_captured"] for charge in gateway.state("charges")] == [3750]


@pytest.mark.parametrize("keyed", [True, False])
def test_thirty_captures_with_keys_of_their_own_are_one_capture(gateway: RunningFake, keyed: bool) -> None:
    """Of thirty captures that do not say they are the same one takes the money, the others find it taken."""
    intent = authorise(gateway)

    def work(i: int) -> tuple[int, Any]:
        headers = {**AUTH, "Idempotency-Key": f"k{i}"} if keyed else AUTH
        with httpx2.Client(base_url=gateway.url, timeout=60) as client:
            answer = client.post(f"{INTENTS}/{intent}/capture", headers=headers)
        return answer.status_code, answer.json().get("error", {}).get("code")

    assert Counter(run_together(30, work)) == {(200, None): 1, (400, "payment_intent_unexpected_state"): 29}
    assert gateway.state("payment_intents")[0]["captures"] == [3750]


def test_refunds_at_once_give_back_no_more_than_was_taken(gateway: RunningFake) -> None:
    """Twenty refunds of 10 out of 75 at once give back seven times 10."""
    client = build_client(gateway)
    intent = client.v1.payment_intents.capture(hold(client, 7_500).id).id

    def work(i: int) -> int:
        with httpx2.Client(base_url=gateway.url, timeout=60, headers=AUTH) as one:
            return one.post("/v1/refunds", data={"payment_intent": intent, "amount": "1000"}).status_code

    assert Counter(run_together(20, work)) == {200: 7, 400: 13}
    assert sum(refund["amount"] for refund in gateway.state("refunds")) == 7_000
    assert gateway.state("payment_intents")[0]["amount_refunded"] == 7_000


def test_a_crowd_loses_and_doubles_nothing(gateway: RunningFake) -> None:
    """Of 500 mixed calls at once none fails, each has its effect exactly once, and each is in the journal once."""
    expected: list[tuple[str, int, int]] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def work(worker: int) -> None:
        with httpx2.Client(base_url=gateway.url, headers=AUTH, timeout=60) as client:
            for i in range(10):
                amount = 10_000 + 100 * worker + i
                data = {
                    "amount": str(amount),
                    "currency": "eur",
                    "capture_method": "manual",
                    "payment_method": "pm_card_visa",
                    "confirm": "true",
                    "metadata[order_id]": f"{worker}x{i}",
                }
                made = client.post(INTENTS, data=data, headers={"Idempotency-Key": f"make-{worker}-{i}"})
                intent = made.json()["id"]
                part = str(amount // 2)
                taken = client.post(f"{INTENTS}/{intent}/capture", data={"amount_to_capture": part})
                back = client.post("/v1/refunds", data={"payment_intent": intent, "amount": str(100 + i)})
                read = client.get(f"{INTENTS}/{intent}")
                listed = client.get(INTENTS, params={"limit": 3})
                with lock:
                    statuses.update(one.status_code for one in (made, taken, back, read, listed))
                    expected.append((intent, amount // 2, 100 + i))

    run_together(10, work)
    assert statuses == {200: 500}
    held = {(one["id"], one["amount_received"], one["amount_refunded"]) for one in gateway.state("payment_intents")}
    assert held == set(expected)
    assert len(expected) == 100
    taken, back = sum(one[1] for one in expected), sum(one[2] for one in expected)
    assert sum(charge["amount_captured"] for charge in gateway.state("charges")) == taken
    assert sum(refund["amount"] for refund in gateway.state("refunds")) == back
    assert len(gateway.state("events")) == 100 * 7
    exchanges = gateway.journal("exchange")
    assert len(exchanges) == len({entry["id"] for entry in exchanges}) == 500


@pytest.mark.parametrize(("limit", "reason"), [("rate_per_s", "global-rate"), ("endpoint_rate_per_s", "endpoint-rate")])
def test_the_limiter_refuses_a_burst(limit: str, reason: str) -> None:
    """More calls than may be made are 429 with the reason; other operations still pass a limit of one."""
    with start_fake("fakes.gateway") as fake:
        intent = authorise(fake)
        fake.seed(settings={limit: 1})
        calls = (fake.client.post(f"{INTENTS}/{intent}/capture", headers=AUTH) for _ in range(200))
        refused = next(answer for answer in calls if answer.status_code == 429)
        assert refused.json()["error"]["code"] == "rate_limit"
        assert refused.headers["Stripe-Rate-Limited-Reason"] == reason
        assert "Retry-After" not in refused.headers
        if reason == "endpoint-rate":
            assert fake.client.get(f"{INTENTS}/{intent}", headers=AUTH).status_code == 200
