"""Replaying a dead letter: handing on what it holds once more, by the way it failed, and exactly once."""

import time
from collections.abc import Callable
from sqlite3 import Connection, Row

from reference import backlog, capture, dead_letters
from reference.orders import Order, UnusableOrderError, parse_order
from reference.policies import CapturePolicy, HandoffPolicy
from reference.runs import Job
from reference.store import Store

Requeue = Callable[[Connection, Row, float], list[str]]


class UnknownLetterError(Exception):
    """There is no dead letter of this id."""


class RecoveryError(Exception):
    """The storefront could not be asked for what an unusable webhook was about; the dead letter waits on."""


def requeue(conn: Connection, letter: Row, now: float) -> list[str]:
    """Queue the order of an outbound dead letter as a new run; return the keys to wake."""
    woken = backlog.requeue_dead(conn, letter["handoff"], letter["ref"], trigger=f"replay:{letter['id']}", now=now)
    return [letter["ref"]] if woken else []


class Replayer:
    """
    Replays dead letters.

    An outbound one is queued at its handoff again; should it fail again, it becomes a new dead letter. An inbound one is read
    once more; a body that still cannot be read never will be, so the storefront is asked for the order instead.
    """

    def __init__(
        self,
        store: Store,
        outbound: HandoffPolicy,
        inbound: CapturePolicy,
        *,
        reconcile: Job | None,
        wake: Callable[[str], None],
        requeue: Requeue = requeue,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._inbound = inbound
        self._reconcile = reconcile
        self._wake = wake
        self._requeue = requeue

    async def replay(self, letter_id: str) -> None:
        """Replay one; raise `UnknownLetterError`, `NotWaitingError` when it is resolved, or `RecoveryError`."""
        letter = self._store.read(lambda conn: dead_letters.find(conn, letter_id))
        if letter is None:
            raise UnknownLetterError(letter_id)
        if letter["state"] != "waiting":
            raise dead_letters.NotWaitingError(letter_id)
        inbound = letter["handoff"] == self._inbound.handoff
        woken = await (self._replay_inbound(letter) if inbound else self._replay_outbound(letter))
        for ref in woken:
            self._wake(ref)

    async def _replay_outbound(self, letter: Row) -> list[str]:
        def change(conn: Connection) -> list[str]:
            now = time.time()
            dead_letters.resolve(conn, letter["id"], "replayed", self._outbound.escalations, now=now)
            return self._requeue(conn, letter, now)

        return await self._store.write(change)

    async def _replay_inbound(self, letter: Row) -> list[str]:
        try:
            order: Order | None = parse_order(letter["payload"])
        except UnusableOrderError:
            order = None
            await self._recover(letter)

        def change(conn: Connection) -> list[str]:
            now = time.time()
            dead_letters.resolve(conn, letter["id"], "replayed", self._inbound.escalations, now=now)
            if order is None:
                return []
            observed_at = letter["parked_at"]
            return list(capture.record_order(conn, order, observed_at=observed_at, source="replay", now=now).wake)

        return await self._store.write(change)

    async def _recover(self, letter: Row) -> None:
        if self._reconcile is None or not await self._reconcile.run_now(f"replay:{letter['id']}"):
            raise RecoveryError(letter["id"])
