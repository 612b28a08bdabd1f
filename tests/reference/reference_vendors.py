"""Small stand-ins for the storefront, the ERP and the on-call tool, in one server on loopback, scripted by the tests."""

import asyncio
import json
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

RECORDS = "/erp/services/rest/record/v1/salesOrder"
PATIENCE_S = 20.0


class Routed(Protocol):
    """Whatever answers below an address."""

    def routes(self) -> Iterable[Route]:
        """Return what it answers."""


Scripted = TypeVar("Scripted", bound=Routed)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the ERP answers once: `commit` keeps the record whatever the answer, `hang` never answers."""

    status: int = 204
    body: Any = b""
    commit: bool = False
    hang: bool = False


def refusal(status: int, code: str, text: str = "no", **more: Any) -> Reply:
    """Build the ERP's error answer."""
    return Reply(status, {"status": status, "o:errorDetails": [{"o:errorCode": code, "detail": text}]}, **more)


TOO_MANY = refusal(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked.")
UNAVAILABLE = refusal(503, "UNEXPECTED_ERROR")
EXPIRED = refusal(401, "INVALID_LOGIN", "Invalid login attempt.")
HTML = Reply(200, b"<html>502 Bad Gateway</html>")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the ERP saw it, with the answer it was given."""

    method: str
    external_id: str
    body: bytes
    status: int
    began: float
    ended: float


@dataclass
class Vendors:
    """The scripted vendors of one test and everything they saw, below an address of their own."""

    url: str
    plan: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    outage: Reply | None = None
    records: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    calls: list[Call] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    assertions: list[str] = field(default_factory=list)
    token_replies: list[Reply] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_replies: list[int] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    listings: list[dict[str, str]] = field(default_factory=list)
    listing_replies: list[Response] = field(default_factory=list)
    page_size: int = 250
    on_arrival: Callable[[str], None] = lambda _what: None
    open_gate: threading.Event = field(default_factory=threading.Event)
    read_gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self.open_gate.set()
        self.read_gate.set()

    def puts(self, external_id: str) -> list[Call]:
        """Return the upserts of one external id, in order."""
        return [call for call in self.calls if call.method == "PUT" and call.external_id == external_id]

    def triggers(self, role_key: str) -> list[dict[str, Any]]:
        """Return the alert events sent with one routing key."""
        return [event for event in self.events if event["routing_key"] == role_key]

    def wait(self, predicate: Callable[[], object], what: str = "it") -> None:
        """Wait until something the vendors saw makes the predicate true."""
        with self._changed:
            assert self._changed.wait_for(predicate, PATIENCE_S), f"waited in vain for {what}"

    def _note(self, what: str) -> None:
        self.on_arrival(what)
        with self._changed:
            self._changed.notify_all()

    def routes(self) -> list[Route]:
        """Return the routes of the three vendors."""
        return [
            Route(f"{RECORDS}/eid:{{eid}}", self._write, methods=["PUT"]),
            Route(f"{RECORDS}/eid:{{eid}}", self._read, methods=["GET"]),
            Route("/erp/services/rest/auth/oauth2/v1/token", self._issue, methods=["POST"]),
            Route("/shop/admin/api/2026-10/orders.json", self._list),
            Route("/ops/v2/enqueue", self._alert, methods=["POST"]),
        ]

    async def _write(self, request: Request) -> Response:
        eid, body, began = request.path_params["eid"], await request.body(), time.monotonic()
        self.arrived.append(eid)
        self._note(f"put {eid}")
        await asyncio.to_thread(self.open_gate.wait)
        reply = self._choose(eid, request)
        if reply.status == 204 or reply.commit:
            self.records[eid].append(body)
        self.calls.append(Call("PUT", eid, body, reply.status, began, time.monotonic()))
        self._note(f"answered {eid}")
        if reply.hang:
            while not await request.is_disconnected():  # noqa: ASYNC110 -- the server offers no event for it
                await asyncio.sleep(0.005)
        return _answer(reply)

    def _choose(self, eid: str, request: Request) -> Reply:
        if request.headers["authorization"].removeprefix("Bearer ") not in self.tokens:
            return EXPIRED
        if self.plan[eid]:
            reply = self.plan[eid].pop(0)
            if reply is EXPIRED:
                self.tokens.clear()
            return reply
        return self.outage or Reply()

    async def _read(self, request: Request) -> Response:
        eid, now = request.path_params["eid"], time.monotonic()
        status = 200 if self.records[eid] else 404
        self.calls.append(Call("GET", eid, b"", status, now, now))
        self._note(f"get {eid}")
        await asyncio.to_thread(self.read_gate.wait)
        return JSONResponse({"externalId": eid}, status)

    async def _issue(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        self.assertions.append(form["client_assertion"][0])
        self._note("token")
        await asyncio.to_thread(self.open_gate.wait)
        if self.token_replies:
            return _answer(self.token_replies.pop(0))
        token = f"token-{len(self.assertions)}"
        self.tokens.add(token)
        return JSONResponse({"access_token": token, "expires_in": "3600", "token_type": "bearer"})

    async def _list(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.listings.append(query)
        self._note("listing")
        if self.listing_replies:
            return self.listing_replies.pop(0)
        start = int(query.get("page_info", "0"))
        page = self.orders[start : start + self.page_size]
        headers = {}
        if start + self.page_size < len(self.orders):
            headers["Link"] = f'<https://elsewhere.invalid/orders.json?page_info={start + self.page_size}>; rel="next"'
        return JSONResponse({"orders": page}, headers=headers)

    async def _alert(self, request: Request) -> Response:
        event = await request.json()
        status = self.event_replies.pop(0) if self.event_replies else 202
        if status == 202:
            self.events.append(event)
        self._note("alert")
        return JSONResponse({"status": "success"}, status)


class VendorServer:
    """One server for all tests of a run; each test opens its own vendors in it. Use as a context manager."""

    def __enter__(self) -> Self:
        self._app = Starlette()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_config=None, access_log=False, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._listener.close()

    def open(self) -> Vendors:
        """Return new vendors that have seen nothing yet."""
        return self.mount(Vendors)

    def mount(self, kind: Callable[[str], Scripted]) -> Scripted:
        """Return others that were made with an address of their own."""
        path = f"/{uuid.uuid4().hex}"
        made = kind(f"{self._address}{path}")
        self._app.router.routes.append(Mount(path, routes=list(made.routes())))
        return made


def _answer(reply: Reply) -> Response:
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status)
    return Response(json.dumps(reply.body), reply.status, media_type="application/json")
