"""
A lane carries one handoff: its queue, its workers, its breaker. Lanes share nothing but the store, so trouble stays in one.

A worker takes an order that is due, gets leave from the breaker, sends it, and commits what came of it. While the breaker gives no
leave, orders are held aside; they have not been sent, so nothing about them changes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from sqlite3 import Connection

from reference import backlog, dead_letters
from reference.alerts import Alert, add_alert
from reference.backlog import Item
from reference.breaker import Breaker, Opening, Permit
from reference.log import get_log
from reference.outcomes import Failure, Outcome
from reference.policies import BreakerPolicy, HandoffPolicy
from reference.retry import Again, decide
from reference.schedule import Schedule
from reference.store import Store
from reference.troubles import Trouble, add_trouble

BREAKER_OPEN = "BREAKER_OPEN"
Send = Callable[[Item], Awaitable[Outcome]]
MakeBreaker = Callable[[str, BreakerPolicy, float, Callable[[], None]], Breaker]
log = get_log("lane")


def make_breaker(handoff: str, policy: BreakerPolicy, pause_s: float, on_change: Callable[[], None]) -> Breaker:
    """Make the breaker of a handoff."""
    return Breaker(handoff, policy, pause_s=pause_s, on_change=on_change)


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What a lane is made of: its policy, the call that sends, and where alerts are announced."""

    policy: HandoffPolicy
    send: Send
    announce: Callable[[], None]
    scaled: Callable[[float], float]
    make_breaker: MakeBreaker = make_breaker


class Lane:
    """The workers of one handoff. `start` takes up what the last process left queued; `stop` lets sends under way end."""

    def __init__(self, store: Store, parts: LaneParts) -> None:
        self.policy = parts.policy
        self._store = store
        self._parts = parts
        self._schedule = Schedule()
        self._held: list[str] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._workers: list[asyncio.Task[None]] = []
        pause_s = parts.scaled(self.policy.breaker.pause_s)
        self.breaker = parts.make_breaker(self.policy.handoff, self.policy.breaker, pause_s, self._release)

    def start(self) -> None:
        """Load the queue and begin to work on it."""
        for ref, due_at in self._store.read(lambda conn: backlog.list_queued(conn, self.policy.handoff)):
            self._schedule.put(ref, due_at)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.policy.workers)]

    def wake(self, ref: str) -> None:
        """Tell the lane that an order was queued."""
        self._schedule.put(ref, time.time())

    async def stop(self, *, grace_s: float) -> None:
        """Take up nothing more, wait at most `grace_s` for sends under way, then cut them short."""
        self._schedule.close()
        for worker in self._workers:
            if worker not in self._busy:
                worker.cancel()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=grace_s)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []

    async def hold(self, ref: str) -> None:
        """Put an order aside until the breaker changes."""
        self._held.append(ref)

    def _release(self) -> None:
        held, self._held = self._held, []
        now = time.time()
        for ref in held:
            self._schedule.put(ref, now)

    async def _work(self) -> None:
        worker = asyncio.current_task()
        assert worker is not None  # noqa: S101 -- a coroutine of a task
        while True:
            ref = await self._schedule.take()
            self._busy.add(worker)
            try:
                await self._handle(ref)
            except Exception:
                # A defect of this service: the order stays queued in the store, and comes up again after the next wait.
                log.exception("order not handled", handoff=self.policy.handoff, ref=ref)
                self._schedule.put(ref, time.time() + self._parts.scaled(self.policy.breaker.pause_s))
            finally:
                self._busy.discard(worker)

    async def _handle(self, ref: str) -> None:
        permit = self.breaker.admit()
        if permit is None:
            await self.hold(ref)
            return
        item = self._store.read(lambda conn: backlog.load(conn, self.policy.handoff, ref))
        if item is None:
            self.breaker.abandon(permit)
            return
        try:
            outcome = await self._parts.send(item)
        except BaseException:
            self.breaker.abandon(permit)
            raise
        await self._settle(item, permit, outcome)

    async def _settle(self, item: Item, permit: Permit, outcome: Outcome) -> None:
        # The breaker hears of it before anything is awaited: no other worker may send in between.
        opening = self.breaker.record(permit, outcome.health)
        now = time.time()
        due_at = await self._store.write(lambda conn: self._commit(conn, item, outcome, opening, now))
        if due_at is not None:
            self._schedule.put(item.ref, due_at)
        if opening or isinstance(outcome, Failure):
            self._parts.announce()

    def _commit(
        self, conn: Connection, item: Item, outcome: Outcome, opening: Opening | None, now: float
    ) -> float | None:
        if opening:
            self._alert_opening(conn, item, opening, now)
        if isinstance(outcome, Failure):
            return self._commit_failure(conn, item, outcome, now)
        again = backlog.mark_done(conn, item, now=now)
        log.info("order sent", handoff=item.handoff, entity=item.entity, attempt=item.attempts + 1, how=outcome.how)
        return now if again else None

    def _commit_failure(self, conn: Connection, item: Item, failure: Failure, now: float) -> float | None:
        attempts = item.attempts + 1
        job_id = f"{item.handoff}:{item.ref}"
        trouble = Trouble(job_id, item.handoff, item.entity, failure.code, failure.text, item.trigger)
        add_trouble(conn, trouble, now=now)
        event = {"handoff": item.handoff, "entity": item.entity, "attempt": attempts, "code": failure.code}
        step = decide(self.policy, failure, attempts)
        if isinstance(step, Again):
            due_at = now + self._parts.scaled(step.wait_s)
            backlog.mark_failed(conn, item, attempts=attempts, due_at=due_at, now=now)
            log.warning("order failed", again_in_s=round(due_at - now, 3), **event)
            return due_at
        backlog.mark_dead(conn, item, attempts=attempts)
        letter = _build_letter(item, failure, attempts, now)
        dead_letters.park(conn, letter, self.policy.escalations, now=now)
        log.error("order dead-lettered", **event)
        return None

    def _alert_opening(self, conn: Connection, item: Item, opening: Opening, now: float) -> None:
        breaker = self.policy.breaker
        again = " again" if opening.again else ""
        summary = (
            f"{opening.handoff}: paused{again} after {opening.failures} failures in a row, the latest {item.entity}"
        )
        log.error("breaker opened", handoff=opening.handoff, failures=opening.failures, again=opening.again)
        alert = Alert(breaker.role, opening.handoff, item.entity, BREAKER_OPEN, summary, opening.dedup_key, "critical")
        add_alert(conn, alert, now=now)


def _build_letter(item: Item, failure: Failure, attempts: int, now: float) -> dead_letters.Letter:
    return dead_letters.Letter(
        handoff=item.handoff,
        entity=item.entity,
        code=failure.code,
        text=failure.text,
        payload=item.document,
        attempts=attempts,
        first_failed_at=item.first_failed_at or now,
        ref=item.ref,
    )
