"""Variants that send, hold, renew or replay in another way."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from sqlite3 import Connection, Row

import httpx2

from reference import backlog
from reference.backlog import Item, Wake
from reference.breaker import Breaker, Opening, Permit
from reference.config import Settings
from reference.dead_letters import Letter, park
from reference.handoffs import ORDER_TO_ERP
from reference.lane import Lane, LaneParts, MakeBreaker, Send
from reference.outcomes import Failure, Health, Outcome
from reference.parts import Parts
from reference.policy import BreakerPolicy
from reference.replay import requeue
from reference.retry import Park, decide
from reference.session import ErpSession
from reference.store import Store
from scenarios.zoo.receiving import copy_order

RETRY_WHILE_OPEN_S = 4.0
SLOWNESS_S = 0.05
# Waiting for the stroke is what the batching one does differently.
STROKE_S = 0.1
WORTH_A_WRITE = 500


def new_id_per_attempt() -> Parts:
    """Make an order another record with every attempt."""
    return Parts(external_id=lambda number, attempt: f"SHP-{number}" if attempt == 1 else f"SHP-{number}-{attempt}")


def session_per_worker() -> Parts:
    """Give every worker a session of its own."""
    return Parts(make_session=SessionPerWorker)


def failures_in_all() -> Parts:
    """Count failures whether or not anything succeeds in between."""
    return Parts(make_breaker=_make(CountingBreaker))


def letters_unwritten() -> Parts:
    """Take an item off the queue as dead at once, and write its dead letter down with many others, some time."""
    return Parts(make_lane=_make_lane(BufferingLane))


def kits_exploded_again() -> Parts:
    """Explode the sets of an order into their parts with every attempt, also where that was done before."""
    return Parts(wrap_send=_explode_each_time)


def batching() -> Parts:
    """Gather what is to be sent and send it at the stroke of every tenth of a second."""
    return Parts(wrap_send=_send_at_the_stroke)


def never_half_open() -> Parts:
    """Stay open for good once opened."""
    return Parts(make_breaker=_make(ForeverBreaker))


def backlog_dropped() -> Parts:
    """Throw away what comes up while the breaker is open."""
    return Parts(make_lane=_make_lane(DroppingLane))


def lazy_breaker() -> Parts:
    """Leave the probe to the next order that comes up by itself; those held try again after a wait of their own."""
    return Parts(make_lane=_make_lane(LazyLane))


def alert_per_reopening() -> Parts:
    """Raise an alert of its own each time a probe fails."""
    return Parts(make_breaker=_make(ReportingBreaker))


def slow_sender() -> Parts:
    """Take its time before each send."""
    return Parts(make_lane=_make_slow_lane)


def replayed_twice() -> Parts:
    """Send a replayed order again and, beside it, once more as another record."""
    return Parts(requeue=_requeue_twice)


def branch_ignored() -> Parts:
    """Treat a record that exists already as any other failure."""
    return Parts(already_exists=lambda _failure: False)


class SessionPerWorker(ErpSession):
    """As many sessions as there are tasks asking for one."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> None:
        super().__init__(http, settings, timeout_s=timeout_s)
        self._open = partial(ErpSession, http, settings, timeout_s=timeout_s)
        self._sessions: dict[asyncio.Task[object] | None, ErpSession] = {}

    async def token(self) -> str:
        """Return the token of this worker's session."""
        return await self._mine().token()

    def reject(self, token: str) -> None:
        """Forget the token of this worker's session."""
        self._mine().reject(token)

    def _mine(self) -> ErpSession:
        worker = asyncio.current_task()
        if worker not in self._sessions:
            self._sessions[worker] = self._open()
        return self._sessions[worker]


class ForeverBreaker(Breaker):
    """A breaker whose pause does not end."""

    def admit(self) -> Permit | None:
        """Give leave only as long as it has never opened."""
        return super().admit() if self.view()["state"] == "closed" else None


class CountingBreaker(Breaker):
    """A breaker that forgets no failure while it is closed."""

    def record(self, permit: Permit, health: Health) -> Opening | None:
        """Take no notice of a success, but of a probe's."""
        taken = health is Health.UP and self.view()["state"] == "closed"
        return None if taken else super().record(permit, health)


class ReportingBreaker(Breaker):
    """A breaker that takes every reopening for an outage of its own."""

    def record(self, permit: Permit, health: Health) -> Opening | None:
        """Give each opening its own deduplication key."""
        opening = super().record(permit, health)
        return replace(opening, dedup_key=f"{opening.dedup_key}:{uuid.uuid4().hex[:6]}") if opening else None


class DroppingLane(Lane):
    """A lane that holds nothing."""

    async def hold(self, ref: str) -> None:
        """Mark the order as done."""
        handoff = self.policy.handoff

        def drop(conn: Connection) -> None:
            item = backlog.load(conn, handoff, ref)
            if item is not None:
                backlog.mark_done(conn, item, now=time.time())

        await self._store.write(drop)


class BufferingLane(Lane):
    """A lane whose dead letters are in memory until there are enough of them to be worth a write."""

    def __init__(self, store: Store, parts: LaneParts) -> None:
        super().__init__(store, parts)
        self._letters: list[Letter] = []

    def _commit_failure(self, conn: Connection, item: Item, failure: Failure, now: float) -> float | None:
        attempts = item.attempts + 1
        if not isinstance(decide(self.policy, failure, attempts), Park):
            return super()._commit_failure(conn, item, failure, now)
        backlog.mark_stopped(conn, item, "dead", attempts=attempts)
        first = item.first_failed_at or now
        letter = Letter(
            item.handoff, item.entity, failure.code, failure.text, item.document, attempts, first, ref=item.ref
        )
        self._letters.append(letter)
        if len(self._letters) >= WORTH_A_WRITE:
            for each in self._letters:
                park(conn, each, self.policy.escalations, now=now)
            self._letters.clear()
        return None


class LazyLane(Lane):
    """A lane whose held orders come up again by themselves, whatever the breaker does."""

    async def hold(self, ref: str) -> None:
        """Have the order try again after a while; that is no attempt."""
        self._schedule.put(ref, time.time() + self._parts.scaled(RETRY_WHILE_OPEN_S))


def _make(kind: type[Breaker]) -> MakeBreaker:
    def make(handoff: str, policy: BreakerPolicy, pause_s: float, on_change: Callable[[], None]) -> Breaker:
        chosen = kind if handoff == ORDER_TO_ERP else Breaker
        return chosen(handoff, policy, pause_s=pause_s, on_change=on_change)

    return make


def _make_lane(kind: type[Lane]) -> Callable[[Store, LaneParts], Lane]:
    def make(store: Store, parts: LaneParts) -> Lane:
        return (kind if parts.policy.handoff == ORDER_TO_ERP else Lane)(store, parts)

    return make


def _make_slow_lane(store: Store, parts: LaneParts) -> Lane:
    async def send(item: Item) -> Outcome:
        await asyncio.sleep(SLOWNESS_S)
        return await parts.send(item)

    return Lane(store, replace(parts, send=send))


def _explode_each_time(handoff: str, send: Send) -> Send:
    if handoff != ORDER_TO_ERP:
        return send

    async def explode(item: Item) -> Outcome:
        order = json.loads(item.document)
        for line in order["item"]["items"]:
            line["quantity"] *= item.attempts + 1
        return await send(replace(item, document=json.dumps(order, separators=(",", ":")).encode()))

    return explode


def _send_at_the_stroke(_handoff: str, send: Send) -> Send:
    async def wait_and_send(item: Item) -> Outcome:
        await asyncio.sleep(STROKE_S - time.time() % STROKE_S)
        return await send(item)

    return wait_and_send


def _requeue_twice(conn: Connection, letter: Row, now: float) -> list[Wake]:
    if letter["handoff"] != ORDER_TO_ERP:
        return requeue(conn, letter, now)
    copies = copy_order(conn, letter["ref"], f"{letter['ref']}-2", now=now)
    return [*requeue(conn, letter, now), *copies]
