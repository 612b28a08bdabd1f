"""
The durable outbox of what people are told: alerts and tickets, sent after the transaction that wrote them, until they are taken.

The on-call tool folds an alert that comes twice by its deduplication key, the ticket system by its idempotency key, so sending one
twice after a crash is harmless.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

import httpx2

from reference.config import Settings
from reference.log import get_log
from reference.policies import ALERT_TIMEOUT_S, ALERT_WAIT
from reference.retry import compute_wait
from reference.store import Store

PAGERDUTY, ZENDESK = "pagerduty", "zendesk"
log = get_log("outbox")


@dataclass(frozen=True, slots=True)
class Post:
    """One request to the ops desk."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


def add_message(conn: Connection, channel: str, *, role: str, dedup_key: str, body: str, now: float) -> None:
    """Put a message into the outbox, inside the caller's transaction."""
    conn.execute(
        "INSERT INTO outbox (channel, role, dedup_key, event, due_at) VALUES (?, ?, ?, ?, ?)",
        (channel, role, dedup_key, body, now),
    )


def _build_alert_post(settings: Settings, row: Row) -> Post | None:
    key = settings.role_keys.get(row["role"])
    if key is None:  # it was raised before the role lost its key; a later start may have it again
        log.error("alert has no routing key", role=row["role"], dedup_key=row["dedup_key"])
        return None
    return Post(settings.pagerduty_url + "/v2/enqueue", json.loads(row["event"]) | {"routing_key": key}, {})


def _build_ticket_post(settings: Settings, row: Row) -> Post | None:
    if not settings.zendesk_url:
        log.error("no ticket system to raise a ticket in", role=row["role"], dedup_key=row["dedup_key"])
        return None
    url = settings.zendesk_url + "/api/v2/tickets.json"
    return Post(url, json.loads(row["event"]), {"Idempotency-Key": row["dedup_key"]})


_CHANNELS: Mapping[str, Callable[[Settings, Row], Post | None]] = {
    PAGERDUTY: _build_alert_post,
    ZENDESK: _build_ticket_post,
}


class Sender:
    """Sends what the outbox holds, in order of becoming due, until the ops desk has taken it."""

    def __init__(self, store: Store, http: httpx2.AsyncClient, settings: Settings) -> None:
        self._store = store
        self._http = http
        self._settings = settings
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Tell the sender that the outbox has something new."""
        self._news.set()

    async def run(self) -> None:
        """Send for good; cancel to stop. What is unsent then is sent after the next start."""
        while True:
            try:
                await self._send_due()
            except Exception:
                # A store that cannot be written, say. What is in the outbox stays in it; a while later it may work again.
                log.exception("outbox interrupted")
                await asyncio.sleep(self._settings.scaled(ALERT_TIMEOUT_S))

    async def _send_due(self) -> None:
        self._news.clear()
        row = self._store.read(_next_row)
        wait_s = row["due_at"] - time.time() if row else None
        if row and wait_s is not None and wait_s <= 0:
            status = await self._send(row)
            await self._store.write(lambda conn: self._record(conn, row, status))
        else:
            await self._sleep(wait_s)

    async def _sleep(self, wait_s: float | None) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            pass  # the next one is due

    async def _send(self, row: Row) -> int | None:
        post = _CHANNELS[row["channel"]](self._settings, row)
        if post is None:
            return None
        try:
            async with asyncio.timeout(self._settings.scaled(ALERT_TIMEOUT_S)):
                answer = await self._http.post(post.url, json=post.body, headers=post.headers)
        except (httpx2.HTTPError, TimeoutError) as error:
            log.warning("message not sent", dedup_key=row["dedup_key"], error=type(error).__name__)
            return None
        return answer.status_code

    def _record(self, conn: Connection, row: Row, status: int | None) -> None:
        now = time.time()
        if status is not None and 200 <= status < 300:
            log.info("message sent", channel=row["channel"], role=row["role"], dedup_key=row["dedup_key"])
            _mark_sent(conn, row, now)
        elif status is not None and 400 <= status < 500 and status != 429:
            # The vendor will refuse these bytes for ever: keep them for a person, make way for the next.
            log.error(
                "message refused", channel=row["channel"], role=row["role"], dedup_key=row["dedup_key"], status=status
            )
            conn.execute("UPDATE outbox SET state = 'refused' WHERE id = ?", (row["id"],))
        else:
            attempts = row["attempts"] + 1
            due_at = now + self._settings.scaled(compute_wait(ALERT_WAIT, attempts))
            conn.execute("UPDATE outbox SET attempts = ?, due_at = ? WHERE id = ?", (attempts, due_at, row["id"]))


def _next_row(conn: Connection) -> Row | None:
    query = "SELECT id, channel, role, dedup_key, event, attempts, due_at FROM outbox WHERE state = 'queued' ORDER BY due_at, id LIMIT 1"
    row: Row | None = conn.execute(query).fetchone()
    return row


def _mark_sent(conn: Connection, row: Row, now: float) -> None:
    conn.execute("UPDATE outbox SET state = 'sent', sent_at = ? WHERE id = ?", (now, row["id"]))
    conn.execute("UPDATE episodes SET sent_at = coalesce(sent_at, ?) WHERE dedup_key = ?", (now, row["dedup_key"]))
    conn.execute(
        "UPDATE dead_letters SET escalated_at = ? WHERE episode = ? AND escalated_at IS NULL", (now, row["dedup_key"])
    )
