"""What a vendor answers, as a value that is also an ASGI application."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import BadBodyError, dump_json
from fakes.kit.exchange import EXCHANGE, Exchange, exchange_of
from fakes.kit.headers import encode_header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fakes.kit.catalogue import Catalogue

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names go out in the case given. ``code`` is the vendor error code for the journal."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    code: str | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer."""
        if EXCHANGE in scope:
            exchange_of(scope).code = self.code
        headers = [encode_header(name, value) for name, value in self.headers]
        if self.status not in {204, 304}:
            headers.append(encode_header("content-length", str(len(self.body))))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def build_json_answer(
    status: int,
    value: Any,
    *,
    headers: Iterable[Header] = (),
    code: str | None = None,
    media_type: str = "application/json; charset=utf-8",
) -> Answer:
    """Return a JSON answer."""
    return Answer(status, dump_json(value), (("Content-Type", media_type), *headers), code)


class RefusedError(Exception):
    """Raised by a handler to answer at once."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.code)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Replies:
    """
    How the vendor words what is not specific to one operation.

    ``session_expired`` also revokes the token the call used. ``error`` gets a code and optionally a text.
    """

    status: Callable[[Exchange, int, float | None], Answer]
    error: Callable[[Exchange, str, str | None], Answer]
    rate_limited: Callable[[Exchange, float | None], Answer]
    session_expired: Callable[[Exchange], Answer]
    permission_denied: Callable[[Exchange], Answer]
    not_found: Callable[[Exchange], Answer]
    method_not_allowed: Callable[[Exchange, tuple[str, ...]], Answer]
    bad_body: Callable[[Exchange, str], Answer]
    too_large: Callable[[Exchange], Answer]


class Dispatcher:
    """Answer each call with the handler of its operation, and what fits none in the vendor's words."""

    def __init__(
        self,
        catalogue: Catalogue,
        handlers: Mapping[str, Callable[[Exchange], Answer | Awaitable[Answer]]],
        replies: Replies,
        *,
        guard: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        """Take a handler per operation name; ``guard`` runs first and refuses by RefusedError (authentication, limits)."""
        named = {operation.name for operation in catalogue.operations}
        if named != set(handlers):
            raise ValueError(f"operations and handlers differ: {sorted(named ^ set(handlers))}")
        self._catalogue = catalogue
        self._handlers = handlers
        self._replies = replies
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        exchange = exchange_of(scope)
        try:
            self._guard(exchange)
            answer = await self._answer(exchange)
        except RefusedError as refused:
            answer = refused.answer
        except BadBodyError as error:
            answer = self._replies.bad_body(exchange, str(error))
        await answer(scope, receive, send)

    async def _answer(self, exchange: Exchange) -> Answer:
        if exchange.operation is None:
            allowed = self._catalogue.methods(exchange.path)
            return self._replies.method_not_allowed(exchange, allowed) if allowed else self._replies.not_found(exchange)
        answer = self._handlers[exchange.operation.name](exchange)
        return await answer if inspect.isawaitable(answer) else answer


async def capture(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Run an application and return what it would have sent."""
    head: Message = {}
    chunks: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            chunks.append(message.get("body", b""))

    await app(scope, receive, keep)
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in head["headers"]
        if name.lower() != b"content-length"
    )
    return Answer(head["status"], b"".join(chunks), headers, exchange_of(scope).code)
