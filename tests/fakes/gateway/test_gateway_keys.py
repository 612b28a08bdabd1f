"""Idempotency keys as they are on the wire: what is kept, what is not, and what happens while a key is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.gateway.conftest import AUTH, INTENTS, authorise, run_together

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.conftest import RunningFake

MANUAL = {"amount": "5000", "currency": "eur", "capture_method": "manual", "confirm": "true"}


def post(fake: RunningFake, path: str, key: str, **data: Any) -> httpx2.Response:
    """Post a form under an idempotency key."""
    return fake.client.post(path, data=data, headers={**AUTH, "Idempotency-Key": key})


def test_headers_keep_the_vendors_case(gateway: RunningFake) -> None:
    """Header names go out in the vendor's spelling."""
    intent = authorise(gateway)
    post(gateway, f"{INTENTS}/{intent}/capture", "k")
    replayed = post(gateway, f"{INTENTS}/{intent}/capture", "k")
    names = {name.decode() for name, _ in replayed.headers.raw}
    assert names >= {"Request-Id", "Stripe-Version", "Idempotency-Key", "Idempotent-Replayed", "Original-Request"}
    assert replayed.headers["Idempotency-Key"] == "k"


def test_a_decline_is_kept(gateway: RunningFake) -> None:
    """A decline is an outcome: the same key gets it again, a new one another try."""
    first = post(gateway, INTENTS, "k", **MANUAL, payment_method="pm_card_chargeDeclined")
    again = post(gateway, INTENTS, "k", **MANUAL, payment_method="pm_card_chargeDeclined")
    assert (first.status_code, again.status_code) == (402, 402)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(gateway.state("payment_intents")) == 1
    post(gateway, INTENTS, "k2", **MANUAL, payment_method="pm_card_chargeDeclined")
    assert len(gateway.state("payment_intents")) == 2


def test_a_wrong_state_is_kept(gateway: RunningFake) -> None:
    """What execution refuses because of the state is replayed even when the state is another by then."""
    made = post(gateway, INTENTS, "create", amount="5000", currency="eur", capture_method="manual").json()["id"]
    early = post(gateway, f"{INTENTS}/{made}/capture", "k")
    assert early.json()["error"]["code"] == "payment_intent_unexpected_state"
    post(gateway, f"{INTENTS}/{made}/confirm", "confirm", payment_method="pm_card_visa")
    again = post(gateway, f"{INTENTS}/{made}/capture", "k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (400, "true")
    assert post(gateway, f"{INTENTS}/{made}/capture", "k2").json()["status"] == "succeeded"


def test_what_is_never_executed_is_not_kept(gateway: RunningFake) -> None:
    """Bad parameters, a bad login, an unknown id and the limiter leave the key free for another request."""
    intent = authorise(gateway)
    path = f"{INTENTS}/{intent}/capture"
    assert post(gateway, path, "k", amount_to_capture="lots").status_code == 400
    assert gateway.client.post(path, headers={"Idempotency-Key": "k"}).status_code == 401
    assert post(gateway, f"{INTENTS}/pi_nobody/capture", "k").status_code == 404
    gateway.arm("rate_limited", operation="payment_intent.capture", count=1)
    assert post(gateway, path, "k").status_code == 429
    gateway.arm("status", params={"status": 500}, count=1)
    assert post(gateway, path, "k").status_code == 500
    done = post(gateway, path, "k", amount_to_capture="100")
    assert (done.status_code, "Idempotent-Replayed" in done.headers) == (200, False)


def test_the_order_of_parameters_does_not_matter(gateway: RunningFake) -> None:
    """The same parameters are the same request however they are written."""
    headers = {**AUTH, "Idempotency-Key": "k", "Content-Type": "application/x-www-form-urlencoded"}
    first = gateway.client.post(INTENTS, content=b"amount=5000&currency=eur&metadata[a]=1", headers=headers)
    again = gateway.client.post(INTENTS, content=b"metadata%5Ba%5D=1&currency=eur&amount=5000", headers=headers)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_in_use_is_a_conflict(gateway: RunningFake) -> None:
    """While a call is being executed its key is refused to others; afterwards it is replayed, and all is done once."""
    intent = authorise(gateway)
    gateway.seed(settings={"work_s": 1.5})
    answers = run_together(8, lambda _: post(gateway, f"{INTENTS}/{intent}/capture", "k"))
    codes = [(one.status_code, one.json().get("error", {}).get("code")) for one in answers]
    assert set(codes) == {(200, None), (409, "idempotency_key_in_use")}
    gateway.seed(settings={"work_s": 0.0})
    late = post(gateway, f"{INTENTS}/{intent}/capture", "k")
    assert (late.status_code, late.headers["Idempotent-Replayed"]) == (200, "true")
    assert gateway.state("payment_intents")[0]["captures"] == [3750]


def test_a_locked_object_times_out(gateway: RunningFake) -> None:
    """A call that cannot get hold of its object in time is a 429 of its own kind, and its key stays free."""
    intent = authorise(gateway)
    gateway.seed(settings={"work_s": 1.5, "lock_wait_s": 0.0})
    answers = run_together(8, lambda i: post(gateway, f"{INTENTS}/{intent}/capture", f"k{i}"))
    refused = [i for i, one in enumerate(answers) if one.status_code == 429]
    assert refused
    assert {answers[i].json()["error"]["code"] for i in refused} == {"lock_timeout"}
    assert "Stripe-Rate-Limited-Reason" not in answers[refused[0]].headers
    gateway.seed(settings={"work_s": 0.0})
    late = post(gateway, f"{INTENTS}/{intent}/capture", f"k{refused[0]}")
    assert late.json()["error"]["code"] == "payment_intent_unexpected_state"
    assert "Idempotent-Replayed" not in late.headers
    assert gateway.state("payment_intents")[0]["captures"] == [3750]


def test_keys_are_forgotten_after_a_day(gateway: RunningFake) -> None:
    """Once its time is over a key is as good as new."""
    gateway.seed(settings={"idempotency_s": 0.000001})
    first = post(gateway, INTENTS, "k", amount="5000", currency="eur")
    again = post(gateway, INTENTS, "k", amount="6000", currency="eur")
    assert (first.json()["amount"], again.json()["amount"]) == (5000, 6000)


def test_reading_ignores_keys(gateway: RunningFake) -> None:
    """A GET has nothing to repeat."""
    intent = authorise(gateway)
    headers = {**AUTH, "Idempotency-Key": "k"}
    assert gateway.client.get(f"{INTENTS}/{intent}", headers=headers).json()["status"] == "requires_capture"
    assert post(gateway, f"{INTENTS}/{intent}/capture", "k").status_code == 200
    assert gateway.client.get(f"{INTENTS}/{intent}", headers=headers).json()["status"] == "succeeded"


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_keys_have_a_length(gateway: RunningFake, length: int, status: int) -> None:
    """A key may have 255 characters."""
    assert post(gateway, INTENTS, "k" * length, amount="5000", currency="eur").status_code == status


def test_the_journal_names_the_key(gateway: RunningFake) -> None:
    """The journal has the key of each call, and the code it was refused with."""
    post(gateway, f"{INTENTS}/{authorise(gateway)}/capture", "capture-6411001")
    post(gateway, f"{INTENTS}/pi_nobody/capture", "capture-0")
    found = [(entry["key"], entry["status"], entry["code"]) for entry in gateway.journal("exchange")]
    assert found == [("capture-6411001", 200, None), ("capture-0", 404, "resource_missing")]
