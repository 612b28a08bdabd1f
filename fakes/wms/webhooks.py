"""Signed webhooks as the warehouse sends them (Standard Webhooks)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import standardwebhooks

from fakes.kit.bodies import dump_json
from fakes.kit.outbox import Attempt, Outbox, OutboxSettings, Signing, Webhook
from fakes.kit.removals import Removals
from fakes.wms.payloads import build_envelope

if TYPE_CHECKING:
    from fakes.kit.forgery import Forgery
    from fakes.wms.model import Event, Subscription
    from fakes.wms.subscribers import Subscribers
    from fakes.wms.warehouse import Warehouse

SIGNATURE = "webhook-signature"


class WebhookSender:
    """Turn events into deliveries, and disable subscriptions that fail for days."""

    def __init__(self, warehouse: Warehouse, subscribers: Subscribers) -> None:
        self._warehouse = warehouse
        self._subscribers = subscribers
        self._failing_since: dict[str, float] = {}
        self._removals = Removals(warehouse.board, subscribers)
        self.outbox = Outbox(warehouse.journal, warehouse.board, self._build_settings())
        warehouse.announce = self.announce

    def configure(self) -> None:
        """Take on the warehouse's settings."""
        self.outbox.settings = self._build_settings()

    def reset(self) -> None:
        """Stop all deliveries and forget all failures."""
        self._failing_since.clear()
        self._removals.reset()
        self.configure()
        self.outbox.reset()

    def announce(self, event: Event) -> list[Webhook]:
        """Send an event to everyone who subscribed to its topic."""
        event_id = "evt_" + self._warehouse.ids.text("event")
        body = dump_json(build_envelope(event))
        missing = [part.subscription for part in self._removals.missing(event.topic)]
        sent = [self._address(one, event, body, event_id) for one in self._subscribers.of(event.topic)]
        sent += [replace(self._address(one, event, body, event_id), removed=True) for one in missing]
        for webhook in sent:
            self.outbox.send(webhook)
        return sent

    def redeliver(self, webhook_id: str) -> bool:
        """Send a delivery again as it was; False when there was none."""
        webhook = self.outbox.find(webhook_id)
        if webhook is not None:
            self.outbox.send(webhook)
        return webhook is not None

    async def forge(self, forgery: Forgery, *, signature: str | None = None) -> list[Attempt]:
        """Post what the warehouse never sent to the topic's addresses, once each; a given signature stands as it is."""
        attempts = []
        for subscription in self._subscribers.of(forgery.topic):
            webhook = Webhook(
                self._new_id(),
                "evt_" + self._warehouse.ids.text("event"),
                forgery.topic,
                subscription.url,
                forgery.body,
                self._warehouse.clock.wall(),
                entity=forgery.entity,
            )
            headers = forgery.dress(webhook, self.dress, header=SIGNATURE, signature=signature)
            attempts.append(await self.outbox.send_once(webhook, headers))
        return attempts

    def dress(self, webhook: Webhook, signed_body: bytes, signing: Signing) -> list[tuple[str, str]]:
        """Return the headers of one attempt: its own timestamp under the webhook's one id."""
        at = datetime.fromtimestamp(self._warehouse.clock.wall() - webhook.aged_s, UTC)
        headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", webhook.webhook_id),
            ("webhook-timestamp", str(int(at.timestamp()))),
        ]
        if signing == "missing":
            return headers
        secret: str | bytes = self._warehouse.settings.webhook_secret
        key = standardwebhooks.Webhook(secret if signing == "genuine" else f"not {secret!r}".encode())
        return [*headers, (SIGNATURE, key.sign(webhook.webhook_id, at, signed_body.decode()))]

    def _address(self, subscription: Subscription, event: Event, body: bytes, event_id: str) -> Webhook:
        return Webhook(
            webhook_id=self._new_id(),
            event_id=event_id,
            topic=event.topic,
            address=subscription.url,
            body=body,
            triggered_at=event.at,
            entity=event.entity,
            subscription=subscription.id,
        )

    def _new_id(self) -> str:
        return "msg_" + self._warehouse.ids.text("message")

    def _build_settings(self) -> OutboxSettings:
        settings = self._warehouse.settings
        return OutboxSettings(
            dress=self.dress,
            ladder_s=settings.ladder_s,
            new_webhook_id=self._new_id,
            connect_timeout_s=min(5.0, settings.timeout_s),
            total_timeout_s=settings.timeout_s,
            time_scale=self._warehouse.time_scale,
            observe=self._observe,
        )

    def _observe(self, attempt: Attempt) -> bool:
        """Disable a subscription made through the API that took nothing for days, and end its retries."""
        key = attempt.webhook.subscription
        if key is None:
            return True
        if attempt.taken:
            self._failing_since.pop(key, None)
            return True
        now = self._warehouse.clock.mono()
        since = self._failing_since.setdefault(key, now)
        subscription = self._subscribers.held.get(key)
        if subscription is None:
            return False
        patience = self._warehouse.settings.disable_after_s / self._warehouse.time_scale
        if not subscription.removable or now - since < patience:
            return True
        self._subscribers.end(subscription, "removed_by_vendor")
        return False
