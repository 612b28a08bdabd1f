"""How a write is carried out: its key is looked up, its object locked, and what it came to kept under its key."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakes.gateway.errors import refuse
from fakes.gateway.idempotency import IdempotencyKeys
from fakes.kit.answers import RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fakes.gateway.account import Account
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Work:
    """A write whose parameters are good: ``run`` executes it at once, ``lock`` is the id of the object it needs for itself."""

    run: Callable[[], Answer]
    lock: str | None = None


@dataclass(slots=True)
class _Lock:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Executor:
    """Carry out writes one at a time for each object, each key once."""

    def __init__(self, account: Account) -> None:
        self.keys = IdempotencyKeys(account)
        self._account = account
        self._locks: dict[str, _Lock] = {}

    def wrap(self, prepare: Callable[[Exchange], Work]) -> Callable[[Exchange], Awaitable[Answer]]:
        """Return the handler of an operation; ``prepare`` checks the parameters and refuses what is never executed."""

        async def handle(exchange: Exchange) -> Answer:
            replayed = self.keys.find(exchange)
            if replayed is not None:
                return replayed
            return await self._execute(exchange, prepare(exchange))

        return handle

    async def _execute(self, exchange: Exchange, work: Work) -> Answer:
        self.keys.begin(exchange)
        answer: Answer | None = None
        try:
            async with self._locked(work.lock):
                if (
                    self._account.settings.work_s
                ):  # how long this vendor takes to work, where a lab wants it to take time
                    await asyncio.sleep(self._account.settings.work_s)
                try:
                    answer = work.run()
                except RefusedError as refused:
                    answer = refused.answer
        finally:
            if answer is None:
                self.keys.abandon(exchange)
        self.keys.finish(exchange, answer)
        return answer

    @asynccontextmanager
    async def _locked(self, object_id: str | None) -> AsyncIterator[None]:
        if object_id is None:
            yield
            return
        held = self._locks.setdefault(object_id, _Lock())
        held.users += 1
        try:
            await self._acquire(held.lock)
            try:
                yield
            finally:
                held.lock.release()
        finally:
            held.users -= 1
            if not held.users:
                del self._locks[object_id]

    async def _acquire(self, lock: asyncio.Lock) -> None:
        wait_s = self._account.settings.lock_wait_s / self._account.time_scale
        try:
            async with asyncio.timeout(wait_s):
                await lock.acquire()
        except TimeoutError:
            raise refuse("lock_timeout") from None
