"""Replaying a dead letter: handing on what it holds once more, by the way it failed, and exactly once."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection, Row

from reference import backlog, capture, dead_letters, parcels
from reference.backlog import Wake
from reference.capture import Captured, Intake
from reference.fields import UnusableError
from reference.orders import parse_order
from reference.policy import HandoffPolicy
from reference.runs import Job
from reference.store import Store

Requeue = Callable[[Connection, Row, float], list[Wake]]
Reread = Callable[[Connection, Row, Intake, float], Captured]


class UnknownLetterError(Exception):
    """There is no dead letter of this id."""


class RecoveryError(Exception):
    """The vendor could not be asked for what an unusable webhook was about; the dead letter waits on."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """
    How an inbound handoff gets at what a dead letter was about.

    `reread` writes its body down after all, raising `UnusableError` when that still cannot be done; then `job` asks the vendor.
    """

    intake: Intake
    reread: Reread
    job: Job | None


def requeue(conn: Connection, letter: Row, now: float) -> list[Wake]:
    """Queue the item of an outbound dead letter as a new run; return what to wake."""
    woken = backlog.requeue_dead(conn, letter["handoff"], letter["ref"], trigger=f"replay:{letter['id']}", now=now)
    return [Wake(letter["handoff"], letter["ref"])] if woken else []


def reread_order(conn: Connection, letter: Row, intake: Intake, now: float) -> Captured:
    """Write down the order of a dead letter, as of when it was parked."""
    order = parse_order(letter["payload"])
    return capture.record_order(conn, order, intake, observed_at=letter["parked_at"], source="replay", now=now)


def reread_parcel(conn: Connection, letter: Row, intake: Intake, now: float) -> Captured:
    """Write down the shipment of a dead letter."""
    shipment = parcels.parse_shipped(letter["payload"])
    if shipment is None:
        raise UnusableError("no shipment")
    return parcels.record_shipment(conn, shipment, intake, source="replay", now=now)


class Replayer:
    """
    Replays dead letters.

    An outbound one is queued at its handoff again; should it fail again, it becomes a new dead letter. An inbound one is read
    once more; a body that still cannot be read never will be, so the vendor is asked instead.
    """

    def __init__(
        self,
        store: Store,
        outbound: Mapping[str, HandoffPolicy],
        inbound: Mapping[str, Inbound],
        *,
        wake: Callable[[Iterable[Wake]], None],
        requeue: Requeue = requeue,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._inbound = inbound
        self._wake = wake
        self._requeue = requeue

    async def replay(self, letter_id: str) -> None:
        """Replay one; raise `UnknownLetterError`, `NotWaitingError` when it is resolved, or `RecoveryError`."""
        letter = self._store.read(lambda conn: dead_letters.find(conn, letter_id))
        if letter is None:
            raise UnknownLetterError(letter_id)
        if letter["state"] != "waiting":
            raise dead_letters.NotWaitingError(letter_id)
        inbound = self._inbound.get(letter["handoff"])
        self._wake(await (self._replay_inbound(letter, inbound) if inbound else self._replay_outbound(letter)))

    async def _replay_outbound(self, letter: Row) -> list[Wake]:
        # The handoff's vendor may have been configured when the letter was parked and not be any more.
        policy = self._outbound.get(letter["handoff"])

        def change(conn: Connection) -> list[Wake]:
            now = time.time()
            dead_letters.resolve(conn, letter["id"], "replayed", policy.escalations if policy else (), now=now)
            return self._requeue(conn, letter, now)

        return await self._store.write(change)

    async def _replay_inbound(self, letter: Row, inbound: Inbound) -> list[Wake]:
        def change(conn: Connection) -> list[Wake]:
            now = time.time()
            self._resolve(conn, letter, inbound)
            return list(inbound.reread(conn, letter, inbound.intake, now).wake)

        try:
            return await self._store.write(change)
        except UnusableError:
            pass
        if inbound.job is None or not await inbound.job.run_now(f"replay:{letter['id']}"):
            raise RecoveryError(letter["id"])
        await self._store.write(lambda conn: self._resolve(conn, letter, inbound))
        return []

    def _resolve(self, conn: Connection, letter: Row, inbound: Inbound) -> None:
        escalations = inbound.intake.policy.escalations
        dead_letters.resolve(conn, letter["id"], "replayed", escalations, now=time.time())
