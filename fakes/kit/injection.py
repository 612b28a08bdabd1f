"""HTTP-level faults as an ASGI layer: what the vendor would answer on a bad day, and answers that never leave."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, Replies, capture
from fakes.kit.clock import SystemClock, sleep
from fakes.kit.connection import connection_of, wait_for_disconnect
from fakes.kit.exchange import Exchange, exchange_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from fakes.kit.board import FaultBoard

_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_STUB = b'{"id": 48211, "links": [{"rel": "self", "href": "'


@dataclass(frozen=True, slots=True)
class _Call:
    """Everything a fault needs to act on one call."""

    app: ASGIApp
    replies: Replies
    exchange: Exchange
    params: Mapping[str, Any]
    scope: Scope
    receive: Receive
    send: Send
    ttl_s: float

    async def answer(self, answer: Answer) -> None:
        await answer(self.scope, self.receive, self.send)

    async def carry_out(self, *, commit: bool = True) -> Answer:
        """Run the call, writing only if ``commit``, and return the answer instead of sending it."""
        self.exchange.dry_run = not commit
        return await capture(self.app, self.scope, self.receive)


class FaultInjector:
    """Ask the board about each call and let the fault that hits it act in the vendor's stead."""

    def __init__(self, app: ASGIApp, board: FaultBoard, replies: Replies) -> None:
        self._app = app
        self._board = board
        self._replies = replies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        exchange = exchange_of(scope)
        operation = exchange.operation.name if exchange.operation else None
        hit = self._board.hit("api", operation, exchange.entity, exchange=exchange.id)
        if hit is None:
            await self._app(scope, receive, send)
            return
        exchange.faults.append(hit.fault.id)
        call = _Call(self._app, self._replies, exchange, hit.fault.params, scope, receive, send, hit.fault.ttl_s)
        await _ACTIONS.get(hit.fault.kind, _leave_to_vendor)(call)


async def _leave_to_vendor(call: _Call) -> None:
    call.exchange.quirk = call.params
    await call.app(call.scope, call.receive, call.send)


async def _status(call: _Call) -> None:
    await call.answer(call.replies.status(call.exchange, call.params["status"], call.params["retry_after_s"]))


async def _error(call: _Call) -> None:
    if call.params["commit"]:
        await call.carry_out()
    await call.answer(call.replies.error(call.exchange, call.params["code"], call.params["text"]))


async def _rate_limited(call: _Call) -> None:
    await call.answer(call.replies.rate_limited(call.exchange, call.params["retry_after_s"]))


async def _session_expired(call: _Call) -> None:
    await call.answer(call.replies.session_expired(call.exchange))


async def _permission_denied(call: _Call) -> None:
    await call.answer(call.replies.permission_denied(call.exchange))


async def _malformed(call: _Call) -> None:
    real = await call.carry_out(commit=call.params["commit"])
    await call.answer(build_malformed(real, call.params["mutation"]))


async def _not_persisted(call: _Call) -> None:
    await call.answer(await call.carry_out(commit=False))


async def _lost_response(call: _Call) -> None:
    real = await call.carry_out()
    call.exchange.withheld(real.status)
    connection = connection_of(call.scope)
    if call.params["how"] == "hang":
        connection.hold()
        # A client that never hangs up is not kept waiting for longer than any fault lives.
        await _wait_for_either(wait_for_disconnect(call.receive), sleep(SystemClock(), call.ttl_s))
    connection.reset()
    await wait_for_disconnect(call.receive)


async def _delay(call: _Call) -> None:
    real = await call.carry_out()
    connection = connection_of(call.scope)
    connection.hold()
    late = sleep(SystemClock(), call.params["seconds"])
    left = await _wait_for_either(wait_for_disconnect(call.receive), late)
    if left:
        call.exchange.withheld(real.status)
    else:
        connection.release()
        await call.answer(real)


async def _wait_for_either(first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]) -> bool:
    """Wait until one of the two is done; tell whether the first is."""
    waits = [asyncio.ensure_future(one) for one in (first, second)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[0].done()
    finally:
        for wait in waits:
            wait.cancel()


_ACTIONS: dict[str, Callable[[_Call], Awaitable[None]]] = {
    "status": _status,
    "error": _error,
    "rate_limited": _rate_limited,
    "session_expired": _session_expired,
    "permission_denied": _permission_denied,
    "malformed": _malformed,
    "not_persisted": _not_persisted,
    "lost_response": _lost_response,
    "delay": _delay,
}


def build_malformed(real: Answer, mutation: str) -> Answer:
    """Return a 200 under the real answer's content type whose body cannot be understood; other headers are dropped."""
    kept = tuple((name, value) for name, value in real.headers if name.lower() == "content-type")
    headers = kept or (("Content-Type", "application/json"),)
    body = real.body if len(real.body) > 1 else _STUB
    bodies = {
        "html": _HTML,
        "truncated": body[: max(1, len(body) * 2 // 3)],
        "not_json": b"upstream connect error or disconnect before headers",
        "empty": b"",
    }
    return replace(real, status=200, body=bodies[mutation], headers=headers, code=None)
