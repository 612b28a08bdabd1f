"""The gateway fake on loopback, with the vendor's own client pointed at it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from tests.fakes.conftest import RunningFake, start_fake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk_test_handoff"
SECRET = "whsec_handoff"
AUTH = {"Authorization": f"Bearer {KEY}"}
INTENTS = "/v1/payment_intents"
ORDER = {"name": "#411001", "order_id": "6411001", "amount": "37.50", "currency": "EUR"}


@pytest.fixture(scope="session")
def gateway_process() -> Iterator[RunningFake]:
    """Start the gateway once, with waits a thousand times shorter."""
    with start_fake("fakes.gateway", "--time-scale", "1000", "--nonce", "tests") as fake:
        yield fake


@pytest.fixture
def gateway(gateway_process: RunningFake) -> RunningFake:
    """Give a gateway as at the start, whose limiter no test meets by chance."""
    gateway_process.reset()
    gateway_process.seed(settings={"rate_per_s": 100_000, "endpoint_rate_per_s": 100_000})
    return gateway_process


@pytest.fixture
def client(gateway: RunningFake) -> stripe.StripeClient:
    """Give the vendor's client."""
    return build_client(gateway)


def build_client(fake: RunningFake, key: str = KEY, **more: Any) -> stripe.StripeClient:
    """Build the vendor's client, pointed at the fake as its manual says."""
    return stripe.StripeClient(key, base_addresses={"api": fake.url}, **more)


def hold(client: stripe.StripeClient, amount: int = 5_000, **more: Any) -> stripe.PaymentIntent:
    """Hold an amount of money."""
    params: dict[str, Any] = {
        "amount": amount,
        "currency": "eur",
        "capture_method": "manual",
        "payment_method": "pm_card_visa",
        "confirm": True,
        **more,
    }
    return client.v1.payment_intents.create(params)  # type: ignore[arg-type]  # the client types each parameter


def authorise(fake: RunningFake, **order: Any) -> str:
    """Hold the money for an order by the control plane, and return the payment's id."""
    return fake.act("authorise", orders=[{**ORDER, **order}])["payments"][0]["id"]


def run_together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the work so many times at once, each in a thread of its own, and return what it gave."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(i: int) -> None:
        gate.wait()
        results[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
