"""PagerDuty Events API v2: ``POST /v2/enqueue``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.bodies import dig, texts
from fakes.kit.entities import Subject
from fakes.kit.limits import Window
from fakes.opsdesk.errors import build_event_error
from fakes.opsdesk.model import Alert

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange
    from fakes.opsdesk.desk import Desk

_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")
MAX_BODY = 512 * 1024
MAX_SUMMARY, MAX_DEDUP_KEY, KEY_LENGTH = 1024, 255, 32


class EventRoutes:
    """Take events; the same key adds to an open alert, and opens a new one once that is resolved."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._windows: dict[str, Window] = {}

    def reset(self) -> None:
        """Forget how many events came."""
        self._windows.clear()

    def enqueue(self, exchange: Exchange) -> Answer:
        """Take one event."""
        if len(exchange.body) > MAX_BODY:
            return build_event_error(413, "The event is too large")
        event = exchange.object()
        findings = self._check(event)
        if findings:
            return build_event_error(400, "Event object is invalid", findings)
        self._count(event["routing_key"])
        dedup_key = event.get("dedup_key") or self._desk.ids.text("dedup", length=32)
        held = self._desk.find_open_alert(event["routing_key"], dedup_key)
        if event["event_action"] == "trigger":
            self._trigger(event, dedup_key, held, exchange)
        elif held is not None:
            state = "resolved" if event["event_action"] == "resolve" else "acknowledged"
            self._desk.alerts.put(held.id, replace(held, state=state), exchange=exchange)
            exchange.entity = self._desk.alerts.entity_of(held.id) or exchange.entity
        body = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
        return build_json_answer(202, body)

    def _trigger(self, event: dict[str, Any], dedup_key: str, held: Alert | None, exchange: Exchange) -> None:
        payload = event["payload"]
        if held is not None:
            again = replace(held, triggers=held.triggers + 1, severity=payload["severity"], summary=payload["summary"])
            self._desk.alerts.put(held.id, again, exchange=exchange)
            return
        details = payload.get("custom_details")
        alert = Alert(
            id=self._desk.ids.text("alert", length=14).upper(),
            routing_key=event["routing_key"],
            dedup_key=dedup_key,
            state="triggered",
            triggers=1,
            severity=payload["severity"],
            summary=payload["summary"],
            source=payload["source"],
            details=details if isinstance(details, dict) else {},
        )
        self._desk.alerts.put(alert.id, alert, entity=exchange.entity, exchange=exchange)

    def _check(self, event: dict[str, Any]) -> list[str]:
        findings = []
        key = event.get("routing_key")
        if not isinstance(key, str) or not key:
            findings.append("'routing_key' is missing or blank")
        elif len(key) != KEY_LENGTH and not self._desk.knows_key(key):
            findings.append("Length of 'routing_key' is incorrect (should be 32 characters)")
        action = event.get("event_action")
        if action not in _ACTIONS:
            findings.append("'event_action' is not one of trigger, acknowledge, resolve")
        dedup_key = event.get("dedup_key")
        if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > MAX_DEDUP_KEY):
            findings.append("'dedup_key' is not a text of at most 255 characters")
        if action in ("acknowledge", "resolve") and not dedup_key:
            findings.append("'dedup_key' is missing or blank")
        if action == "trigger":
            findings += _check_payload(event.get("payload"))
        return findings

    def _count(self, key: str) -> None:
        desk = self._desk
        window = self._windows.get(key)
        if window is None or window.limit != desk.settings.events_per_min:
            window = Window(desk.clock, limit=desk.settings.events_per_min, seconds=60.0 / desk.time_scale)
            self._windows[key] = window
        if not window.take():
            raise RefusedError(build_event_error(429, "Events for this key arrive too quickly"))


def build_event_subject(exchange: Exchange) -> Subject:
    """Say which order an event is about: the entity of its details, or what its key names where it has none."""
    event = exchange.json()
    entity = texts(dig(event, "payload", "custom_details", "entity"))
    key = texts(dig(event, "dedup_key"))
    return Subject(references=entity or key, external_id=entity[0] if entity else None, key=key[0] if key else None)


def _check_payload(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    findings = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not isinstance(payload.get(name), str) or not payload[name]
    ]
    if isinstance(payload.get("summary"), str) and len(payload["summary"]) > MAX_SUMMARY:
        findings.append("'payload.summary' is longer than 1024 characters")
    if isinstance(payload.get("severity"), str) and payload["severity"] not in _SEVERITIES:
        findings.append("'payload.severity' is not one of critical, error, warning, info")
    return findings
