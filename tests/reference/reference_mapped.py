"""Stand-ins for the carrier and the CRM, scripted by the tests, below an address in the server of the scripted vendors."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reference_vendors import Reply
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def refuse_label(code: str, status: int = 422) -> Reply:
    """Build the carrier's error answer."""
    return Reply(status, {"error": {"code": code, "message": "no"}})


def refuse_contact(category: str, status: int) -> Reply:
    """Build the CRM's error answer."""
    return Reply(status, {"status": "error", "message": "no", "category": category, "correlationId": "c-1"})


@dataclass(frozen=True, slots=True)
class Purchase:
    """One call for a label: its key, what was asked for, and the answer's status."""

    key: str
    label: dict[str, Any]
    status: int


@dataclass
class Mapped:
    """
    A carrier that keeps one label a key, and a CRM that keeps one contact an external id.

    The next calls are answered by `label_replies` and `contact_replies`, then as they should be; of those that `commit` the vendor
    keeps the record all the same.
    """

    url: str
    label_replies: list[Reply] = field(default_factory=list)
    contact_replies: list[Reply] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    upserts: list[str] = field(default_factory=list)

    def routes(self) -> Iterable[Route]:
        """Return the routes of both."""
        yield Route("/carrier/v1/labels", self._buy, methods=["POST"])
        yield Route("/crm/v1/contacts/{external_id}", self._upsert, methods=["PUT"])

    def environment(self) -> dict[str, str]:
        """Build the variables of an integration at both."""
        return {
            "CARRIER_URL": f"{self.url}/carrier",
            "CARRIER_TOKEN": "carrier-token",
            "CRM_URL": f"{self.url}/crm",
            "CRM_TOKEN": "crm-token",
        }

    async def _buy(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer carrier-token"
        key, asked = request.headers["idempotency-key"], json.loads(await request.body())
        reply = self.label_replies.pop(0) if self.label_replies else Reply(201, commit=True)
        if reply.commit:
            self.labels.setdefault(key, {"id": f"lbl_{len(self.labels) + 1}", "status": "purchased", **asked})
        self.purchases.append(Purchase(key, asked, reply.status))
        return await _answer(request, reply, self.labels.get(key))

    async def _upsert(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer crm-token"
        external_id, contact = request.path_params["external_id"], json.loads(await request.body())
        reply = self.contact_replies.pop(0) if self.contact_replies else Reply(200, commit=True)
        if reply.commit:
            self.contacts[external_id] = {"id": f"c-{external_id[-4:]}", **contact}
        self.upserts.append(external_id)
        return await _answer(request, reply, self.contacts.get(external_id))


async def _answer(request: Request, reply: Reply, record: dict[str, Any] | None) -> Response:
    if reply.hang:
        while not await request.is_disconnected():  # noqa: ASYNC110 -- the server offers no event for it
            await asyncio.sleep(0.005)
    return JSONResponse(reply.body or record, reply.status)
