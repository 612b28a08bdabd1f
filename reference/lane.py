"""
A lane carries one handoff: its queue, its workers, its breaker. Lanes share nothing but the store, so trouble stays in one.

A worker takes an item that is due, gets leave from the breaker, sends it, and commits what came of it, together with what follows
by the graph. While the breaker gives no leave, items are held aside; they have not been sent, so nothing about them changes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from sqlite3 import Connection

from reference import backlog, cases, dead_letters
from reference.alerts import Alert, add_alert
from reference.backlog import Item, Wake
from reference.breaker import Breaker, Opening, Permit
from reference.cases import Question
from reference.graph import Graph
from reference.log import get_log
from reference.outcomes import Failure, FailureError, Health, Outcome
from reference.policy import BreakerPolicy, HandoffPolicy
from reference.retry import Again, Hold, decide
from reference.schedule import Schedule
from reference.store import Store
from reference.troubles import Trouble, add_trouble

BREAKER_OPEN = "BREAKER_OPEN"
AFTER_A_DEFECT_S = 40.0
Send = Callable[[Item], Awaitable[Outcome]]
MakeBreaker = Callable[[str, BreakerPolicy, float, Callable[[], None]], Breaker]
log = get_log("lane")


def make_breaker(handoff: str, policy: BreakerPolicy, pause_s: float, on_change: Callable[[], None]) -> Breaker:
    """Make the breaker of a handoff."""
    return Breaker(handoff, policy, pause_s=pause_s, on_change=on_change)


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What a lane is made of: its policy, the call that sends, what follows, and who has to be told of it."""

    policy: HandoffPolicy
    send: Send
    graph: Graph
    wake: Callable[[Iterable[Wake]], None]
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
        self._sending: dict[str, asyncio.Event] = {}
        self._taken: set[str] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._workers: list[asyncio.Task[None]] = []
        self.breaker: Breaker | None = None
        if self.policy.breaker is not None:
            pause_s = parts.scaled(self.policy.breaker.pause_s)
            self.breaker = parts.make_breaker(self.policy.handoff, self.policy.breaker, pause_s, self._release)

    def start(self) -> None:
        """Load the queue and begin to work on it."""
        for ref, due_at in self._store.read(lambda conn: backlog.list_queued(conn, self.policy.handoff)):
            self._schedule.put(ref, due_at)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.policy.workers)]

    def wake(self, ref: str) -> None:
        """Tell the lane that an item was queued."""
        self._schedule.put(ref, time.time())

    async def quiet(self, ref: str) -> None:
        """Wait until an item is not being sent; whether it is sent again is for the queue to say."""
        while ref in self._sending:
            await self._sending[ref].wait()

    async def stop(self, *, grace_s: float) -> None:
        """Take up nothing more, wait at most `grace_s` for sends under way, then cut them short."""
        self._stopping = True
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
        """Put an item aside until the breaker changes."""
        self._held.append(ref)

    def _release(self) -> None:
        held, self._held = self._held, []
        now = time.time()
        for ref in held:
            self._schedule.put(ref, now)

    async def _work(self) -> None:
        worker = asyncio.current_task()
        assert worker is not None  # noqa: S101 -- a coroutine of a task
        while not self._stopping:
            ref = await self._schedule.take()
            self._busy.add(worker)
            try:
                await self._handle(ref)
            except Exception:
                # A defect of this service: the item stays queued in the store, and comes up again after a while.
                log.exception("item not handled", handoff=self.policy.handoff, ref=ref)
                self._schedule.put(ref, time.time() + self._parts.scaled(AFTER_A_DEFECT_S))
            finally:
                self._busy.discard(worker)

    async def _handle(self, ref: str) -> None:
        permit = self.breaker.admit() if self.breaker else None
        if self.breaker and permit is None:
            await self.hold(ref)
            return
        item = self._store.read(lambda conn: backlog.load(conn, self.policy.handoff, ref))
        if item is None:
            self._abandon(permit)
            return
        self._sending[ref] = asyncio.Event()
        try:
            outcome = await self._send(replace(item, taken=partial(self._note_taken, ref, permit)), permit)
            await self._settle(item, permit, outcome)
        finally:
            self._taken.discard(ref)
            self._sending.pop(ref).set()

    async def _send(self, item: Item, permit: Permit | None) -> Outcome:
        try:
            return await self._parts.send(item)
        except FailureError as error:
            return error.failure
        except BaseException:
            self._abandon(permit)
            raise

    def _note_taken(self, ref: str, permit: Permit | None) -> None:
        # Failures that other workers hear of meanwhile come after this success, and are counted from there.
        if self.breaker and permit:
            self._taken.add(ref)
            self.breaker.record(permit, Health.UP)

    def _abandon(self, permit: Permit | None) -> None:
        if self.breaker and permit:
            self.breaker.abandon(permit)

    async def _settle(self, item: Item, permit: Permit | None, outcome: Outcome) -> None:
        # The breaker hears of it before anything is awaited: no other worker may send in between.
        heard = item.ref in self._taken
        opening = self.breaker.record(permit, outcome.health) if self.breaker and permit and not heard else None
        now = time.time()
        due_at, wakes = await self._store.write(lambda conn: self._commit(conn, item, outcome, opening, now))
        if due_at is not None:
            self._schedule.put(item.ref, due_at)
        self._parts.wake(wakes)
        if opening or isinstance(outcome, Failure):
            self._parts.announce()

    def _commit(
        self, conn: Connection, item: Item, outcome: Outcome, opening: Opening | None, now: float
    ) -> tuple[float | None, list[Wake]]:
        if opening:
            self._alert_opening(conn, item, opening, now)
        if isinstance(outcome, Failure):
            return self._commit_failure(conn, item, outcome, now), []
        again = backlog.mark_done(conn, item, now=now)
        event = {"handoff": item.handoff, "entity": item.entity, "attempt": item.attempts + 1}
        log.info("item sent", how=outcome.how, **event)
        wakes = [] if again else self._parts.graph.follow(conn, item.handoff, item.ref, trigger=item.trigger, now=now)
        return now if again else None, wakes

    def _commit_failure(self, conn: Connection, item: Item, failure: Failure, now: float) -> float | None:
        attempts = item.attempts + 1
        job_id = f"{item.handoff}:{item.ref}"
        trouble = Trouble(job_id, item.handoff, item.entity, failure.code, failure.text, item.trigger)
        add_trouble(conn, trouble, now=now)
        event = {"handoff": item.handoff, "entity": item.entity, "attempt": attempts, "code": failure.code}
        if failure.unknown:
            backlog.mark_doubtful(conn, item)
        step = decide(self.policy, failure, attempts)
        if isinstance(step, Again):
            due_at = now + self._parts.scaled(step.wait_s)
            log.warning("item failed", again_in_s=round(due_at - now, 3), **event)
            return due_at if backlog.mark_failed(conn, item, attempts=attempts, due_at=due_at, now=now) else None
        held = isinstance(step, Hold)
        if not backlog.mark_stopped(conn, item, "held" if held else "dead", attempts=attempts):
            return None  # it was completed or withdrawn while it was being sent
        cases.close_cases(conn, item.ref, handoff=item.handoff)
        if isinstance(step, Hold):
            question = Question(item.handoff, item.ref, item.entity, failure.code, failure.text)
            cases.open_case(conn, question, step.queue, now=now)
            log.warning("item held for a decision", role=step.queue.role, **event)
        else:
            letter = _build_letter(item, failure, attempts, now)
            dead_letters.park(conn, letter, self.policy.escalations, now=now)
            log.error("item dead-lettered", **event)
        return None

    def _alert_opening(self, conn: Connection, item: Item, opening: Opening, now: float) -> None:
        breaker = self.policy.breaker
        assert breaker is not None  # noqa: S101 -- it opened
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
        payload=item.document if failure.payload is None else failure.payload,
        attempts=attempts,
        first_failed_at=item.first_failed_at or now,
        ref=item.ref,
    )
