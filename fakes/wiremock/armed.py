"""The stubs of armed faults: in WireMock before a call needs them, out of it once no call does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakes.wiremock.kinds import ANSWERS, SOCKET_FAULTS
from fakes.wiremock.stubs import build_fault_stub, name_stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any

    from fakes.kit.board import FaultBoard
    from fakes.kit.faults import Fault
    from fakes.wiremock.admin import Admin
    from fakes.wiremock.failures import Failures
    from fakes.wiremock.stubs import Account


@dataclass(slots=True)
class _Held:
    stub: dict[str, Any]
    adding: asyncio.Task[None]
    used: int = 0
    using: int = 0
    hits: int | None = None

    @property
    def done(self) -> bool:
        """Whether its fault has ended and every call it hit was answered."""
        return self.hits is not None and self.used >= self.hits and not self.using


class ArmedStubs:
    """Follow the board: a stub for each armed fault that WireMock carries out."""

    def __init__(self, admin: Admin, failures: Failures, account: Account, board: FaultBoard) -> None:
        self._admin = admin
        self._failures = failures
        self._account = account
        self._board = board
        self._count = 0
        self._held: dict[str, _Held] = {}
        self._before: dict[str, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resetting: asyncio.Task[None] | None = None
        for kind in (*ANSWERS, *SOCKET_FAULTS):
            board.watch(kind, armed=self._arm, ended=self._end)

    @asynccontextmanager
    async def use(self, fault_id: str) -> AsyncIterator[str]:
        """Keep the stub of a fault in WireMock for a call it hit, and give the mark that leads the call to it."""
        held = self._held.get(fault_id) or self._before[fault_id]
        held.used += 1
        held.using += 1
        try:
            await held.adding
            yield held.stub["id"]
        finally:
            held.using -= 1
            self._drop_if_done(fault_id, held)

    def reset(self, scenarios: tuple[str, ...]) -> None:
        """Take the stubs of all faults out, but for calls under way, and put the scenarios back."""
        for held in self._before.values():
            self._later(self._remove(held))
        self._held, self._before = {}, self._held
        if scenarios:
            self._resetting = self._later(self._admin.restart_scenarios(scenarios))

    async def settle(self) -> None:
        """Wait until a reset that was asked for is done."""
        if self._resetting is not None:
            await asyncio.shield(self._resetting)

    def _arm(self, fault: Fault) -> None:
        # Another mark each time: what is taken out late must not be what was put in anew.
        self._count += 1
        mark = name_stub(self._account, "fault", fault.id, self._count)
        stub = build_fault_stub(mark, fault, self._failures, self._account)
        self._held[fault.id] = _Held(stub, self._later(self._admin.add(stub, f"fault {fault.id}")))

    def _end(self, fault: Fault) -> None:
        held = self._held.get(fault.id)
        if held is not None:
            held.hits = self._board.lift(fault.id).hits
            self._drop_if_done(fault.id, held)

    def _drop_if_done(self, fault_id: str, held: _Held) -> None:
        if held.done and self._held.get(fault_id) is held:
            del self._held[fault_id]
            self._later(self._remove(held))

    async def _remove(self, held: _Held) -> None:
        await held.adding
        await self._admin.remove(held.stub["id"])

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
