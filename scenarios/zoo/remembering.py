"""Variants that keep something for longer, for shorter, or together with others."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from sqlite3 import Connection, Row

import httpx2

from reference.backlog import Item, Wake
from reference.config import Settings
from reference.handoffs import ORDER_CAPTURE, ORDER_TO_ERP
from reference.lane import Send
from reference.outcomes import Failure, FailureError, Kind, Outcome
from reference.parts import Parts
from reference.policies import RECONCILE_ORDERS
from reference.replay import requeue
from reference.session import ErpSession
from scenarios.zoo.variant import Variant

# How long the draft of a call is made ready, as by a look-up: work that takes time, in which the drafts of others turn up.
PREPARING_S = 0.05
# In production time: long before the vendor ends a session, and just before a policy would send again.
SESSION_S, RENEWAL_S = 300.0, 1.6
# How soon, and how often at most, an expired call is sent again by who does not wait for the renewal: that is the defect.
AGAIN_S, MOST_AGAIN = 0.02, 20


def one_outbox_for_all() -> Parts:
    """Keep what is ready to be sent where every worker keeps it, and send all of that."""
    return Parts(wrap_send=_share_outbox)


def letters_kept_waiting() -> Parts:
    """Replay a dead letter and have it wait on."""
    return Parts(requeue=_requeue_and_keep)


def stormed_on_expiry() -> Parts:
    """Have one renew a session that has ended, and all others go on with it until it is renewed."""
    return Parts(make_session=UnhurriedSession, wrap_send=_hammer)


def renewed_ahead() -> Parts:
    """Get a new session every five minutes, whether or not the old one is about to end."""
    return Parts(make_session=RestlessSession)


def reconciled_often() -> Parts:
    """Look for orders three times as often."""
    return Parts(reconcile=replace(RECONCILE_ORDERS, every_s=RECONCILE_ORDERS.every_s / 3))


class RestlessSession(ErpSession):
    """A session that is renewed ahead of time."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> None:
        super().__init__(http, settings, timeout_s=timeout_s)
        self._keep_s = settings.scaled(SESSION_S)

    async def token(self) -> str:
        """Return a token that is not older than five minutes."""
        if self._token is not None and time.time() - self._token.issued_at > self._keep_s:
            self.reject(self._token.value)
        return await super().token()


class UnhurriedSession(ErpSession):
    """A session that is known to have ended only a while after somebody said so."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> None:
        super().__init__(http, settings, timeout_s=timeout_s)
        self._late_s = settings.scaled(RENEWAL_S)

    def reject(self, token: str) -> None:
        """Forget the token in a while."""
        asyncio.get_running_loop().call_later(self._late_s, super().reject, token)


def _hammer(handoff: str, send: Send) -> Send:
    if handoff != ORDER_TO_ERP:
        return send
    expired: set[str] = set()

    async def carry(item: Item) -> Outcome:
        outcome = await send(item)
        if not _is_expired(outcome):
            expired.discard(item.ref)
            return outcome
        # The first one waits as declared, and renews; who meets it beside that one takes it for settled any moment.
        others = expired - {item.ref}
        expired.add(item.ref)
        for _ in range(MOST_AGAIN if others else 0):
            await asyncio.sleep(AGAIN_S)
            outcome = await send(item)
            if not _is_expired(outcome):
                expired.discard(item.ref)
                break
        return outcome

    return carry


def _is_expired(outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) and outcome.kind is Kind.SESSION_EXPIRED


def _share_outbox(handoff: str, send: Send) -> Send:
    if handoff != ORDER_TO_ERP:
        return send
    ready: dict[str, Item] = {}

    async def carry(item: Item) -> Outcome:
        ready[item.ref] = item
        try:
            await asyncio.sleep(PREPARING_S)
            for other in [each for each in ready.values() if each.ref != item.ref]:
                with suppress(FailureError):
                    await send(replace(other, taken=_take_no_notice))
            return await send(item)
        finally:
            ready.pop(item.ref, None)

    return carry


def _take_no_notice() -> None:
    """Leave it to whose order it is."""


def _requeue_and_keep(conn: Connection, letter: Row, now: float) -> list[Wake]:
    wakes = requeue(conn, letter, now)
    if letter["handoff"] == ORDER_TO_ERP:
        conn.execute("UPDATE dead_letters SET state = 'waiting', resolved_at = NULL WHERE id = ?", (letter["id"],))
    return wakes


REMEMBERING: tuple[Variant, ...] = (
    # Whatever sends several orders at once may show it.
    Variant(
        "sends-for-others",
        "broken",
        "sends with every order those that its other workers have ready",
        one_outbox_for_all,
        (f"{ORDER_TO_ERP}/clean:resolve",),
        (f"{ORDER_CAPTURE}/", f"{ORDER_TO_ERP}/"),
    ),
    # What waits on is counted, and told of, in whatever comes after it.
    Variant(
        "keeps-replayed-letters",
        "broken",
        "replays a dead letter and has it wait on",
        letters_kept_waiting,
        (f"{ORDER_TO_ERP}/dead_letter:escalate",),
        (f"{ORDER_TO_ERP}/",),
    ),
    Variant(
        "storms-on-expiry",
        "broken",
        "has one worker renew an ended session while all others go on with it",
        stormed_on_expiry,
        (f"{ORDER_TO_ERP}/session_expired:renew_session",),
    ),
    Variant("renews-ahead", "correct", "gets a new session every five minutes, before it has to", renewed_ahead),
    Variant("reconciles-often", "correct", "looks for orders three times as often", reconciled_often),
)
