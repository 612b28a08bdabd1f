"""Signed webhooks (Stripe: receive events): each attempt carries its own time and signature, all of them the same event."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.gateway.objects import build_event
from fakes.gateway.subscribers import EndpointSubscribers
from fakes.kit.bodies import dump_json
from fakes.kit.outbox import Attempt, Outbox, OutboxSettings, Signing, Webhook
from fakes.kit.removals import Removals

if TYPE_CHECKING:
    from fakes.gateway.account import Account
    from fakes.gateway.model import Endpoint, Event
    from fakes.kit.forgery import Forgery

SIGNATURE = "Stripe-Signature"


class WebhookSender:
    """Turn events into deliveries."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._removals = Removals(account.board, EndpointSubscribers(account))
        self.outbox = Outbox(account.journal, account.board, self._build_settings())
        account.announce = self.announce

    def configure(self) -> None:
        """Take on the account's settings."""
        self.outbox.settings = self._build_settings()

    def reset(self) -> None:
        """Stop all deliveries and forget what a fault removed."""
        self._removals.reset()
        self.configure()
        self.outbox.reset()

    def announce(self, event: Event) -> list[Webhook]:
        """Send an event to every endpoint that wants it."""
        missing = self._removals.missing(event.type)
        sent = [
            *(self._build(endpoint, event) for endpoint in self._account.endpoints if endpoint.wants(event.type)),
            *(replace(self._build(one.endpoint, event), removed=True) for one in missing),
        ]
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
        """Post what the vendor never sent to the topic's endpoints, once each; a given signature stands as it is."""
        attempts = []
        for endpoint in [one for one in self._account.endpoints if one.wants(forgery.topic)]:
            event_id = self._account.new_id("evt")
            webhook = Webhook(
                event_id,
                event_id,
                forgery.topic,
                endpoint.url,
                forgery.body,
                self._account.clock.wall(),
                entity=forgery.entity,
                subscription=endpoint.id,
            )
            headers = forgery.dress(webhook, self.dress, header=SIGNATURE, signature=signature)
            attempts.append(await self.outbox.send_once(webhook, headers))
        return attempts

    def dress(self, webhook: Webhook, signed_body: bytes, signing: Signing) -> list[tuple[str, str]]:
        """Return the vendor's headers; the signature is made now, unless a fault makes it older."""
        headers = [("Content-Type", "application/json; charset=utf-8"), ("User-Agent", "Stripe/1.0")]
        if signing == "missing":
            return headers
        secret = self._secret_of(webhook)
        key = secret if signing == "genuine" else f"not-{secret}"
        return [*headers, (SIGNATURE, sign(signed_body, key, int(self._account.clock.wall() - webhook.aged_s)))]

    def _secret_of(self, webhook: Webhook) -> str:
        endpoint = self._account.endpoints.get(webhook.subscription or "")
        return (endpoint and endpoint.secret) or self._account.settings.webhook_secret

    def _build(self, endpoint: Endpoint, event: Event) -> Webhook:
        return Webhook(
            webhook_id=event.id,
            event_id=event.id,
            topic=event.type,
            address=endpoint.url,
            body=dump_json(build_event(event)),
            triggered_at=event.created,
            entity=self._account.events.entity_of(event.id),
            subscription=endpoint.id,
        )

    def _rename(self, webhook: Webhook, event_id: str) -> Webhook:
        event = self._account.events.get(webhook.event_id)
        if event is None:
            return replace(webhook, webhook_id=event_id)
        twin = replace(event, id=event_id)
        self._account.events.put(twin.id, twin, entity=webhook.entity)
        return replace(webhook, webhook_id=twin.id, event_id=twin.id, body=dump_json(build_event(twin)))

    def _build_settings(self) -> OutboxSettings:
        settings = self._account.settings
        return OutboxSettings(
            dress=self.dress,
            ladder_s=settings.ladder_s,
            new_webhook_id=lambda: self._account.new_id("evt"),
            connect_timeout_s=settings.timeout_s,
            total_timeout_s=settings.timeout_s,
            time_scale=self._account.time_scale,
            observe=self._observe,
            rename=self._rename,
        )

    def _observe(self, attempt: Attempt) -> bool:
        """Stop trying once the endpoint is gone."""
        return self._account.endpoints.get(attempt.webhook.subscription or "") is not None


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the signature header: HMAC-SHA256 over ``<time>.<body>``, the key is the whole secret as it is written."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
