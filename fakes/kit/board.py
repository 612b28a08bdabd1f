"""The board that faults are armed on: which one acts on a call, when it ends, and what it leaves in the journal."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakes.kit.problems import ProblemError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.faults import Fault
    from fakes.kit.journal import Journal
    from fakes.kit.kinds import Direction

ENDED_KEPT = 10_000


@dataclass(slots=True)
class Armed:
    """A fault on the board: how long it stays, what it did so far. ``ended`` is set when it leaves."""

    fault: Fault
    armed_seq: int
    deadline: float
    hits: int = 0
    seen: Counter[str | None] = field(default_factory=Counter)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None

    def describe(self) -> dict[str, Any]:
        """Return the fault as JSON, with ``armed_seq`` and ``hits``."""
        return {**self.fault.describe(), "armed_seq": self.armed_seq, "hits": self.hits}


@dataclass(frozen=True, slots=True)
class _Watch:
    armed: Callable[[Fault], None]
    ended: Callable[[Fault], None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that acts on one call or webhook; ``ordinal`` is which matching one it was."""

    fault: Fault
    ordinal: int
    ended: asyncio.Event


class FaultBoard:
    """Hold the armed faults, decide which one acts, and write what happens to them in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._armed: dict[str, Armed] = {}
        self._ended: dict[str, Armed] = {}
        self._watches: dict[str, _Watch] = {}

    def watch(self, kind: str, *, armed: Callable[[Fault], None], ended: Callable[[Fault], None]) -> None:
        """Have these called whenever a fault of a kind was armed, and when it ended by whatever cause but a reset."""
        self._watches[kind] = _Watch(armed, ended)

    def arm(self, fault: Fault) -> Armed:
        """Put a fault on the board; raises ProblemError 409 when its id is armed, 422 when its time has passed."""
        self._sweep()
        if fault.id in self._armed:
            raise ProblemError(409, f"a fault with the id {fault.id!r} is armed")
        lifetime = fault.ttl_s
        if fault.until is not None:
            lifetime = min(lifetime, fault.until - self._journal.clock.wall())
            if lifetime <= 0:
                raise invalid("until", "lies in the past")
        seq = self._note(fault, "armed")
        armed = Armed(fault, seq, self._journal.clock.mono() + lifetime)
        self._ended.pop(fault.id, None)
        self._armed[fault.id] = armed
        armed.timer = _call_later(lifetime, self._sweep)
        if fault.kind in self._watches:
            self._watches[fault.kind].armed(fault)
        return armed

    def lift(self, fault_id: str) -> Armed:
        """Take a fault off; one that ended by itself is returned as it was. Raises ProblemError 404 when never armed."""
        self._sweep()
        armed = self._armed.get(fault_id)
        if armed is not None:
            self._end(armed, "lifted")
            return armed
        if fault_id in self._ended:
            return self._ended[fault_id]
        raise ProblemError(404, f"no fault with the id {fault_id!r} was armed")

    def lift_all(self) -> list[str]:
        """Take all faults off and return their ids."""
        self._sweep()
        armed = list(self._armed.values())
        for one in armed:
            if not one.ended.is_set():
                self._end(one, "lifted")
        return [one.fault.id for one in armed]

    def armed(self) -> list[Armed]:
        """Return the armed faults, the one armed first first."""
        self._sweep()
        return list(self._armed.values())

    def reset(self) -> None:
        """Forget all faults without a word in the journal."""
        for armed in self._armed.values():
            _disarm(armed)
        self._armed.clear()
        self._ended.clear()

    def hit(
        self,
        direction: Direction,
        operation: str | None,
        entity: str | None,
        *,
        removed: bool = False,
        **receipt: str,
    ) -> Hit | None:
        """
        Return the fault that acts on this call, if any, and write its ``hit`` with the receipt (exchange or webhook_id).

        ``removed`` is for webhooks whose subscription a fault removed. Every armed fault counts the calls it matches; of those whose attempts include this one, the one armed first acts.
        """
        if not self._armed:
            return None
        self._sweep()
        acting: tuple[Armed, int] | None = None
        for armed in self._armed.values():
            if not armed.fault.meets(direction, operation, entity, removed=removed):
                continue
            counted_as = entity if armed.fault.entities else None
            armed.seen[counted_as] += 1
            ordinal = armed.seen[counted_as]
            if acting is None and (not armed.fault.attempts or ordinal in armed.fault.attempts):
                acting = (armed, ordinal)
        return None if acting is None else self._act(*acting, entity, receipt)

    def _act(self, armed: Armed, ordinal: int, entity: str | None, receipt: Mapping[str, str]) -> Hit:
        armed.hits += 1
        self._note(armed.fault, "hit", entity=entity, ordinal=ordinal, **receipt)
        if armed.fault.count is not None and armed.hits >= armed.fault.count:
            self._end(armed, "lifted")
        return Hit(armed.fault, ordinal, armed.ended)

    def _sweep(self) -> None:
        now = self._journal.clock.mono()
        # One at a time: who is told of an end may look at the board, and so end the next.
        while expired := next((one for one in self._armed.values() if one.deadline <= now), None):
            self._end(expired, "expired")

    def _end(self, armed: Armed, event: str) -> None:
        del self._armed[armed.fault.id]
        self._ended[armed.fault.id] = armed
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        _disarm(armed)
        self._note(armed.fault, event)
        if armed.fault.kind in self._watches:
            self._watches[armed.fault.kind].ended(armed.fault)

    def _note(self, fault: Fault, event: str, **more: Any) -> int:
        return self._journal.append("fault", fault=fault.id, kind=fault.kind, event=event, **more)


def _disarm(armed: Armed) -> None:
    if armed.timer is not None:
        armed.timer.cancel()
    armed.ended.set()


def _call_later(delay_s: float, action: Any) -> asyncio.TimerHandle | None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop.call_later(delay_s + 0.005, action)
