"""The carrier, which WireMock plays, and a client of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.conftest import ROOT, RunningFake, start_mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"Authorization": "Bearer carrier_handoff"}


@dataclass
class Carrier:
    """The running carrier, as an integration sees it and as the harness does."""

    fake: RunningFake
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.Client(base_url=self.fake.url, headers=HEADERS, timeout=30)

    def post(self, reference: str = "#411001-1", key: str | None = "k1", **more: Any) -> httpx2.Response:
        """Ask for a label; the order is the part of the reference before its last dash."""
        body = {
            "reference": reference,
            "order": reference.rpartition("-")[0],
            "service": "standard",
            "to": {"name": "Ada", "country": "DE", "zip": "10115"},
            "parcels": [{"weight_g": 500}, {"weight_g": 700}],
            **more,
        }
        return self.client.post("/v1/labels", json=body, headers={"Idempotency-Key": key} if key else {})

    def buy(self, reference: str = "#411001-1", key: str | None = "k1") -> dict[str, Any]:
        """Buy a label."""
        answer = self.post(reference, key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def void(self, label: dict[str, Any]) -> httpx2.Response:
        """Void a label."""
        return self.client.post(f"/v1/labels/{label['id']}/void")

    def know(self, *orders: str) -> None:
        """Make orders known by name and number."""
        self.fake.seed(entities=[{"name": order, "aliases": [order.lstrip("#")]} for order in orders])


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Return a refusal's status and code."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture(scope="session")
def carrier_process(wiremock_url: str) -> Iterator[Carrier]:
    """Start the carrier once."""
    with start_mapped("carrier", ROOT / "fakes" / "carrier", wiremock_url) as fake:
        carrier = Carrier(fake)
        yield carrier
        carrier.client.close()


@pytest.fixture
def carrier(carrier_process: Carrier) -> Carrier:
    """Give a carrier as at the start."""
    carrier_process.fake.reset()
    return carrier_process
