"""The account's concurrency pool: how many calls may be in flight, from admission until their answer has left."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar
from typing import TYPE_CHECKING

from fakes.erp.errors import CONCURRENCY_LIMIT_EXCEEDED, RefusalError
from fakes.kit.limits import ConcurrencyLimit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from fakes.kit.exchange import Exchange

_held: ContextVar[ExitStack] = ContextVar("_held")


class Pool:
    """
    Admit calls while there are places left.

    `admit` takes the place, in the task of a call that runs inside `watch`; the place is given back when that call has ended, so an
    answer held back keeps its place. A call whose answer is lost on the way gives it back at once: the vendor is done with it.
    """

    def __init__(self, size: int) -> None:
        self.limit = ConcurrencyLimit(size)

    def watch(self, app: ASGIApp) -> ASGIApp:
        """Return `app` with every call's place given back at its end."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            with ExitStack() as places:
                mark = _held.set(places)
                try:
                    await app(scope, receive, send)
                finally:
                    _held.reset(mark)

        return serve

    def admit(self, exchange: Exchange) -> None:
        """Take a place; raises RefusalError (429) when none is left."""
        places = _held.get()
        if not places.enter_context(self.limit.enter()):
            raise RefusalError(CONCURRENCY_LIMIT_EXCEEDED)
        withhold = exchange.withheld

        def release(status: int | None) -> None:
            places.close()
            withhold(status)

        exchange.withheld = release
