"""
Alerts to the on-call tool: written into the outbox in the transaction of what they are about.

Source of the format: PagerDuty Events API v2. The vendor folds triggers with the deduplication key of an open alert into that alert,
so sending one twice after a crash is harmless.
"""

import json
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from reference.outbox import PAGERDUTY, add_message


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
    body = json.dumps(_build_event(alert))
    add_message(conn, PAGERDUTY, role=alert.role, dedup_key=alert.dedup_key, body=body, now=now)


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
