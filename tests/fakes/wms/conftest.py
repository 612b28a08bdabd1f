"""The warehouse on loopback, with a client every answer of which is held to the served document."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.conftest import RunningFake, start_fake
from tests.fakes.wms.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"Authorization": "Bearer wms_handoff"}


@dataclass
class Wms:
    """The running fake, as an integration sees it and as the harness does."""

    fake: RunningFake
    document: Document
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.open_client()

    def open_client(self) -> httpx2.Client:
        """Return another checked client."""
        return httpx2.Client(
            base_url=self.fake.url,
            headers=HEADERS,
            timeout=60,
            event_hooks={"response": [self.document.check_answer]},
        )

    def post(self, reference: str = "411001", quantity: int = 2, *, sku: str = "TEE", **more: Any) -> httpx2.Response:
        """Send an order of one line."""
        body = {"reference": reference, "lines": [{"sku": sku, "quantity": quantity}], **more}
        return self.client.post("/orders", json=body)

    def create(self, reference: str = "411001", quantity: int = 2, **more: Any) -> dict[str, Any]:
        """Send an order of one line that is expected to be taken in."""
        answer = self.post(reference, quantity, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def read(self, order: dict[str, Any]) -> dict[str, Any]:
        """Read an order."""
        return self.client.get(f"/orders/{order['id']}").json()

    def allocate(self, order: dict[str, Any], location: str) -> httpx2.Response:
        """Allocate an order at a location."""
        return self.client.post(f"/orders/{order['id']}/allocations", json={"location": location})

    def stock(self, sku: str = "TEE", location: str = "MAIN") -> dict[str, Any]:
        """Return an item's stock at a location, as the control plane shows it."""
        [record] = [one for one in self.fake.state("stock") if one["id"] == f"{sku}@{location}"]
        return record

    def fill(self, main: int, east: int, *, sku: str = "TEE") -> None:
        """Seed an item's stock."""
        levels = {"MAIN": main, "EAST": east}
        self.fake.seed(records={"stock": [{"sku": sku, "location": at, "on_hand": n} for at, n in levels.items()]})

    def check_sums(self) -> None:
        """Fail when stock does not add up, by itself or with the orders and shipments."""
        orders, shipments = self.fake.state("orders"), self.fake.state("shipments")
        reserved: Counter[str] = Counter()
        shipped: Counter[str] = Counter()
        for order in orders:
            for one in order["allocations"]:
                reserved[f"{one['sku']}@{one['location']}"] += one["quantity"]
            for line in order["lines"]:
                assert line["quantity"] >= line["allocated"] >= line["picked"] >= line["packed"] >= line["shipped"] >= 0
            held = sum(line["allocated"] - line["shipped"] for line in order["lines"])
            assert held == sum(one["quantity"] for one in order["allocations"])
        for shipment in shipments:
            for line in shipment["lines"]:
                shipped[f"{line['sku']}@{shipment['location']}"] += line["quantity"]
        for one in self.fake.state("stock"):
            assert one["on_hand"] == one["opening"] + one["received"] + one["adjusted"] - one["shipped"]
            assert one["available"] == one["on_hand"] - one["allocated"]
            assert min(one["on_hand"], one["allocated"], one["available"]) >= 0
            assert (one["allocated"], one["shipped"]) == (reserved[one["id"]], shipped[one["id"]])


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Return a refusal's status and code."""
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="session")
def wms_process() -> Iterator[Wms]:
    """Start the warehouse once, with waits a thousand times shorter."""
    with start_fake("fakes.wms", "--time-scale", "1000", "--nonce", "tests") as fake:
        wms = Wms(fake, Document(fake.client.get("/openapi.json").json()))
        yield wms
        wms.client.close()


@pytest.fixture
def wms(wms_process: Wms) -> Wms:
    """Give a warehouse as at the start."""
    wms_process.fake.reset()
    return wms_process
