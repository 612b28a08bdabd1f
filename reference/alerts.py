"""
Alerts to the on-call tool, through a durable outbox: written in the transaction of what they are about, sent after it.

Source of the format: PagerDuty Events API v2. The vendor folds triggers with the deduplication key of an open alert into that alert,
so sending one twice after a crash is harmless.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

import httpx2

from reference.config import Settings
from reference.log import get_log
from reference.policies import ALERT_TIMEOUT_S, ALERT_WAIT
from reference.retry import compute_wait
from reference.store import Store

ENQUEUE_PATH = "/v2/enqueue"
log = get_log("alerts")


@dataclass(frozen=True, slots=True)
class Alert:
    """What a role is told: which handoff, which order or webhook, which code, in one line."""

    role: str
    handoff: str
    entity: str
    code: str
    summary: str
    dedup_key: str
    severity: str = "error"


def add_alert(conn: Connection, alert: Alert, *, now: float) -> None:
    """Put an alert into the outbox, inside the caller's transaction."""
    conn.execute(
        "INSERT INTO outbox (role, dedup_key, event, due_at) VALUES (?, ?, ?, ?)",
        (alert.role, alert.dedup_key, json.dumps(_build_event(alert)), now),
    )


def _build_event(alert: Alert) -> dict[str, Any]:
    details = {"handoff": alert.handoff, "entity": alert.entity, "code": alert.code, "role": alert.role}
    return {
        "event_action": "trigger",
        "dedup_key": alert.dedup_key,
        "payload": {
            "summary": alert.summary[:1024],
            "source": "reference-integration",
            "severity": alert.severity,
            "component": alert.handoff,
            "custom_details": details,
        },
    }


class AlertSender:
    """Sends what the outbox holds, in order of becoming due, until the on-call tool has taken it."""

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
                log.exception("alerts interrupted")
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
        key = self._settings.role_keys.get(row["role"])
        if key is None:  # it was raised before the role lost its key; a later start may have it again
            log.error("alert has no routing key", role=row["role"], dedup_key=row["dedup_key"])
            return None
        event = json.loads(row["event"]) | {"routing_key": key}
        try:
            async with asyncio.timeout(self._settings.scaled(ALERT_TIMEOUT_S)):
                answer = await self._http.post(self._settings.pagerduty_url + ENQUEUE_PATH, json=event)
        except (httpx2.HTTPError, TimeoutError) as error:
            log.warning("alert not sent", dedup_key=row["dedup_key"], error=type(error).__name__)
            return None
        return answer.status_code

    def _record(self, conn: Connection, row: Row, status: int | None) -> None:
        now = time.time()
        if status == 202:
            log.info("alert sent", role=row["role"], dedup_key=row["dedup_key"])
            _mark_sent(conn, row, now)
        elif status is not None and 400 <= status < 500 and status != 429:
            # The vendor will refuse these bytes for ever: keep them for a person, make way for the next.
            log.error("alert refused", role=row["role"], dedup_key=row["dedup_key"], status=status)
            conn.execute("UPDATE outbox SET state = 'refused' WHERE id = ?", (row["id"],))
        else:
            attempts = row["attempts"] + 1
            due_at = now + self._settings.scaled(compute_wait(ALERT_WAIT, attempts))
            conn.execute("UPDATE outbox SET attempts = ?, due_at = ? WHERE id = ?", (attempts, due_at, row["id"]))


def _next_row(conn: Connection) -> Row | None:
    query = "SELECT id, role, dedup_key, event, attempts, due_at FROM outbox WHERE state = 'queued' ORDER BY due_at, id LIMIT 1"
    row: Row | None = conn.execute(query).fetchone()
    return row


def _mark_sent(conn: Connection, row: Row, now: float) -> None:
    conn.execute("UPDATE outbox SET state = 'sent', sent_at = ? WHERE id = ?", (now, row["id"]))
    conn.execute("UPDATE episodes SET sent_at = coalesce(sent_at, ?) WHERE dedup_key = ?", (now, row["dedup_key"]))
    conn.execute(
        "UPDATE dead_letters SET escalated_at = ? WHERE episode = ? AND escalated_at IS NULL", (now, row["dedup_key"])
    )
