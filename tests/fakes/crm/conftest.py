"""The CRM, which WireMock plays, and a client of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.conftest import ROOT, RunningFake, start_mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"Authorization": "Bearer crm_handoff"}


@dataclass
class Crm:
    """The running CRM, as an integration sees it and as the harness does."""

    fake: RunningFake
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.Client(base_url=self.fake.url, headers=HEADERS, timeout=30)

    def put(self, external_id: str = "cus-1", order: str = "#411001", **more: Any) -> httpx2.Response:
        """Create or update a contact."""
        body = {"email": "ada@example.org", "properties": {"last_order": order, "last_order_total": "37.50"}, **more}
        return self.client.put(f"/v1/contacts/{external_id}", json=body)


@pytest.fixture(scope="session")
def crm_process(wiremock_url: str) -> Iterator[Crm]:
    """Start the CRM once."""
    with start_mapped("crm", ROOT / "fakes" / "crm", wiremock_url) as fake:
        crm = Crm(fake)
        yield crm
        crm.client.close()


@pytest.fixture
def crm(crm_process: Crm) -> Crm:
    """Give a CRM as at the start."""
    crm_process.fake.reset()
    return crm_process
