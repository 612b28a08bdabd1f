"""Slack incoming webhooks: ``POST /services/T…/B…/…``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from fakes.kit.answers import Answer, RefusedError
from fakes.kit.bodies import BadBodyError, dig, load_json
from fakes.kit.entities import Subject
from fakes.kit.limits import LeakyBucket
from fakes.opsdesk.errors import build_slack_error
from fakes.opsdesk.model import Message

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange
    from fakes.opsdesk.desk import Desk

MAX_ATTACHMENTS = 100
_OK = Answer(200, b"ok", (("Content-Type", "text/plain; charset=utf-8"),))


class MessageRoutes:
    """Take messages; no id comes back, so nothing can be edited or recognised as a repetition."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buckets: dict[str, LeakyBucket] = {}

    def reset(self) -> None:
        """Forget how many messages came."""
        self._buckets.clear()

    def post(self, exchange: Exchange) -> Answer:
        """Take one message."""
        hook = "/".join((exchange.params["team"], exchange.params["hook"], exchange.params["secret"]))
        if not (hook.startswith("T") and exchange.params["hook"].startswith("B")):
            return build_slack_error(404, "no_service")
        payload = read_payload(exchange)
        attachments = payload.get("attachments")
        if isinstance(attachments, list) and len(attachments) > MAX_ATTACHMENTS:
            return build_slack_error(400, "too_many_attachments")
        text = find_text(payload)
        if not text.strip():
            return build_slack_error(400, "no_text")
        self._count(hook)
        channel = payload.get("channel")
        message = Message(
            id=self._desk.ids.text("message", length=16),
            hook=hook,
            channel=channel if isinstance(channel, str) and channel else exchange.params["hook"],
            text=text,
        )
        self._desk.messages.put(message.id, message, entity=exchange.entity, exchange=exchange)
        return _OK

    def _count(self, hook: str) -> None:
        desk = self._desk
        size, leak_per_s = desk.settings.messages_burst, desk.settings.messages_per_s * desk.time_scale
        bucket = self._buckets.get(hook)
        if bucket is None or (bucket.size, bucket.leak_per_s) != (size, leak_per_s):
            bucket = self._buckets[hook] = LeakyBucket(desk.clock, size=size, leak_per_s=leak_per_s)
        if not bucket.take():
            raise RefusedError(build_slack_error(429, "rate_limited", retry_after_s=1.0 / leak_per_s))


def read_payload(exchange: Exchange) -> dict[str, Any]:
    """Return the payload, sent as JSON or as the form field ``payload``; raises BadBodyError."""
    if exchange.media_type != "application/x-www-form-urlencoded":
        return exchange.object()
    try:
        fields = parse_qs(exchange.body.decode("utf-8"), max_num_fields=100)
    except ValueError as error:
        raise BadBodyError("not a form") from error
    value = load_json(fields.get("payload", [""])[0].encode())
    if not isinstance(value, dict):
        raise BadBodyError("the payload is not a JSON object")
    return value


def find_text(payload: dict[str, Any]) -> str:
    """Return all a message says: its text, then the texts of blocks and attachments."""
    said = [payload["text"]] if isinstance(payload.get("text"), str) else []
    blocks = payload.get("blocks")
    for block in blocks if isinstance(blocks, list) else []:
        said += [text for text in (dig(block, "text", "text"), dig(block, "text")) if isinstance(text, str)]
    attachments = payload.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        said += [text for name in ("text", "fallback") if isinstance(text := dig(attachment, name), str)]
    return "\n".join(said)


def build_message_subject(exchange: Exchange) -> Subject:
    """Say which order a message is about: the one its text names."""
    return Subject(references=(find_text(read_payload(exchange)),))
