"""A call on its way: handed to WireMock with what is remembered, its answer kept and passed on, or its fault let through."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.bodies import dump_json
from fakes.kit.connection import connection_of, wait_for_disconnect
from fakes.kit.exchange import exchange_of
from fakes.wiremock.stubs import FAULT_HEADER, KEY_HEADER, OURS, RECORD_HEADER, RECORDS_HEADER, SYSTEM_HEADER
from fakes.wiremock.upstream import HOP_BY_HOP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from starlette.types import Receive, Scope, Send

    from fakes.kit.answers import Header
    from fakes.kit.exchange import Exchange
    from fakes.wiremock.armed import ArmedStubs
    from fakes.wiremock.failures import Failures
    from fakes.wiremock.memory import Memory
    from fakes.wiremock.metadata import Mapped, Plan
    from fakes.wiremock.operations import Operations
    from fakes.wiremock.stubs import Account
    from fakes.wiremock.upstream import Heard, Server

STUB_HEADERS = frozenset(("matched-stub-id", "matched-stub-name"))
# Compressed answers could not be looked into.
NOT_PASSED_ON = HOP_BY_HOP | {"accept-encoding"}
READING = frozenset(("GET", "HEAD", "OPTIONS"))
UNREACHABLE = "wiremock_unreachable"
ADMIN = "__admin"


@dataclass(frozen=True, slots=True)
class Broken(Answer):
    """What came instead of an answer, to be passed on as it came: ``body`` on the bare connection, then its end."""

    reset: bool = False
    withheld_status: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, _: Send) -> None:
        """Send what there is and end the connection the way WireMock did."""
        exchange, connection = exchange_of(scope), connection_of(scope)
        if self.status:
            exchange.status, exchange.response_bytes = self.status, len(self.body)
        else:
            exchange.withheld(self.withheld_status)
        if self.reset:
            connection.reset()
        else:
            connection.end(self.body)
        await wait_for_disconnect(receive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(Answer):
    """An answer that is asked of WireMock when it is sent."""

    ask: Callable[[Exchange], Awaitable[Answer]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for it and send it."""
        try:
            answer = await self.ask(exchange_of(scope))
        except RefusedError as refused:
            answer = refused.answer
        await answer(scope, receive, send)


class Relay:
    """Between the vendor port and WireMock."""

    def __init__(
        self,
        server: Server,
        account: Account,
        operations: Operations,
        memory: Memory,
        failures: Failures,
        armed: ArmedStubs,
        give_up: Callable[[str], None],
    ) -> None:
        self._server = server
        self._account = account
        self._operations = operations
        self._memory = memory
        self._failures = failures
        self._armed = armed
        self._give_up = give_up
        self._lanes: dict[tuple[str | None, ...], _Lane] = {}
        self.mapped: Mapping[str, Mapped] = {}

    async def handle(self, exchange: Exchange) -> Answer:
        """Answer a call: as its mapping has it, or, where a fault of the connection hit it, by that fault."""
        if exchange.quirk is None:
            return await self.serve(exchange)
        real = await self.serve(exchange) if exchange.quirk["commit"] else None
        return await self.fail(exchange, withheld_status=real.status if real else None)

    async def serve(self, exchange: Exchange) -> Answer:
        """Let WireMock answer by its mappings, and keep what the answer says."""
        plan = self._operations.plan(exchange.operation)
        async with self._alone(exchange, plan):
            found = self._memory.find(exchange, plan)
            remembered = [(KEY_HEADER, self._memory.name_key(exchange, plan))]
            if plan.collection is not None:
                remembered += [(RECORD_HEADER, dump_json(record).decode()) for record in found[:1]]
                remembered.append((RECORDS_HEADER, dump_json(found).decode()))
            heard = await self._ask(exchange, remembered)
            mapped = self.mapped.get(heard.header("matched-stub-id") or "")
            if mapped is not None and heard.whole and 200 <= (heard.status or 0) < 300:
                self._memory.take_in(exchange, plan, mapped, heard.body)
        return self._pass_on(heard)

    async def fail(self, exchange: Exchange, *, withheld_status: int | None = None) -> Answer:
        """Let WireMock answer by the stub of the fault that hit the call."""
        async with self._armed.use(exchange.faults[-1]) as mark:
            heard = await self._ask(exchange, [(FAULT_HEADER, mark)])
        return self._pass_on(heard, withheld_status=withheld_status)

    async def _ask(self, exchange: Exchange, more: list[Header]) -> Heard:
        if ADMIN in unquote(exchange.path).lower():  # by it whoever calls could change what is played here
            raise RefusedError(build_json_answer(404, {"error": {"code": "not_found"}}, code="not_found"))
        await self._armed.settle()
        target = f"{exchange.path}?{exchange.query_string}" if exchange.query_string else exchange.path
        headers = [*_list_headers(exchange), (SYSTEM_HEADER, self._account.system), *more]
        try:
            heard = await self._server.ask(exchange.method, target, headers, exchange.body)
            if not heard.whole:
                await self._server.ensure_up()
        except OSError as error:
            self._give_up(f"WireMock is gone: {error}")
            raise RefusedError(build_json_answer(502, {"error": {"code": UNREACHABLE}}, code=UNREACHABLE)) from error
        return heard

    def _pass_on(self, heard: Heard, *, withheld_status: int | None = None) -> Answer:
        if not heard.whole:
            return Broken(heard.status or 0, heard.raw, reset=heard.reset, withheld_status=withheld_status)
        left_out = HOP_BY_HOP | STUB_HEADERS
        headers = tuple((name, value) for name, value in heard.headers if name.lower() not in left_out)
        status = heard.status or 0
        code = self._failures.code.read_json(heard.body) if status >= 400 else None
        return Answer(status, heard.body, headers, code)

    @asynccontextmanager
    async def _alone(self, exchange: Exchange, plan: Plan) -> AsyncIterator[None]:
        """Hold back further writes about the same record: each shall see what the one before it did."""
        names = [place.read(exchange) for _, place in plan.find] or [plan.key.read(exchange)]
        if plan.collection is None or not any(names) or exchange.method in READING:
            yield
            return
        lane = self._lanes.setdefault((plan.collection, *names), _Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[plan.collection, *names]


@dataclass(slots=True)
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


def _list_headers(exchange: Exchange) -> Iterator[Header]:
    """List what the client sent, without what belongs to its connection and what only we say."""
    for name, value in exchange.headers.items():
        lower = name.lower()
        if lower not in NOT_PASSED_ON and not lower.startswith(OURS):
            yield name, value
