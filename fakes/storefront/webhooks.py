"""Signed webhooks (Shopify: deliver webhooks through HTTPS)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fakes.kit.bodies import dump_json
from fakes.kit.outbox import Attempt, Outbox, OutboxSettings, Signing, Webhook
from fakes.kit.removals import Removals
from fakes.storefront.settings import API_VERSION
from fakes.storefront.subscribers import ShopSubscribers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakes.kit.forgery import Forgery
    from fakes.storefront.model import Subscription
    from fakes.storefront.news import News
    from fakes.storefront.shop import Shop


SIGNATURE = "X-Shopify-Hmac-Sha256"


class WebhookSender:
    """Turn what happens in the shop into deliveries, and drop subscriptions that keep failing."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._failures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._removals = Removals(shop.board, ShopSubscribers(shop))
        self.outbox = Outbox(shop.journal, shop.board, self._build_settings())
        shop.announce = self.announce

    def configure(self) -> None:
        """Take on the shop's settings."""
        self.outbox.settings = self._build_settings()

    def reset(self) -> None:
        """Stop all deliveries and forget all failures."""
        self._failures.clear()
        self._removals.reset()
        self.configure()
        self.outbox.reset()

    def announce(self, news: Sequence[News]) -> list[Webhook]:
        """Send what happened, one event under several topics, to every subscription."""
        event_id = self._shop.ids.uuid("event")
        sent = [webhook for one in news for webhook in self._address(one, event_id)]
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
        """Post what the vendor never sent to the topic's addresses, once each; a given signature stands as it is."""
        attempts = []
        for subscription in [one for one in self._shop.subscriptions if one.topic == forgery.topic]:
            webhook = Webhook(
                self._shop.ids.uuid("webhook-id"),
                self._shop.ids.uuid("event"),
                forgery.topic,
                subscription.address,
                forgery.body,
                self._shop.clock.wall(),
                entity=forgery.entity,
            )
            headers = forgery.dress(webhook, self.dress, header=SIGNATURE, signature=signature)
            attempts.append(await self.outbox.send_once(webhook, headers))
        return attempts

    def dress(self, webhook: Webhook, signed_body: bytes, signing: Signing) -> list[tuple[str, str]]:
        """Return the vendor's headers; the signature is base64 of HMAC-SHA256 over the raw body."""
        triggered = datetime.fromtimestamp(webhook.triggered_at, UTC).isoformat().replace("+00:00", "Z")
        headers = [
            ("Content-Type", "application/json"),
            ("X-Shopify-Topic", webhook.topic),
            ("X-Shopify-Shop-Domain", self._shop.settings.shop_domain),
            ("X-Shopify-API-Version", API_VERSION),
            ("X-Shopify-Webhook-Id", webhook.webhook_id),
            ("X-Shopify-Event-Id", webhook.event_id),
            ("X-Shopify-Triggered-At", triggered),
        ]
        if signing == "missing":
            return headers
        secret = self._shop.settings.webhook_secret
        key = secret if signing == "genuine" else f"not-{secret}"
        return [*headers, (SIGNATURE, sign(signed_body, key))]

    def _address(self, news: News, event_id: str) -> list[Webhook]:
        held = [one for one in self._shop.subscriptions if one.topic == news.topic]
        missing = self._removals.missing(news.topic)
        if not held and not missing:
            return []
        body = dump_json(news.build())
        return [
            *(self._build(one, news, body, event_id) for one in held),
            *(replace(self._build(one, news, body, event_id), removed=True) for one in missing),
        ]

    def _build(self, subscription: Subscription, news: News, body: bytes, event_id: str) -> Webhook:
        return Webhook(
            webhook_id=self._shop.ids.uuid("webhook-id"),
            event_id=event_id,
            topic=news.topic,
            address=subscription.address,
            body=body,
            triggered_at=self._shop.clock.wall(),
            entity=news.entity,
            subscription=str(subscription.id),
        )

    def _build_settings(self) -> OutboxSettings:
        return OutboxSettings(
            dress=self.dress,
            ladder_s=self._shop.settings.ladder_s,
            new_webhook_id=lambda: self._shop.ids.uuid("webhook-id"),
            connect_timeout_s=1.0,
            total_timeout_s=5.0,
            time_scale=self._shop.time_scale,
            observe=self._observe,
        )

    def _observe(self, attempt: Attempt) -> bool:
        """
        Count a delivery's failures in a row.

        The eighth, with nothing taken in between, ends a subscription made through the Admin API, and its retries.
        """
        key = attempt.webhook.subscription
        if key is None:
            return True
        if attempt.taken:
            self._failures.pop(key, None)
            return True
        failures = self._failures[key]
        failures[attempt.webhook.webhook_id] += 1
        subscription = self._shop.subscriptions.get(key)
        if subscription is None:
            return False
        removal_after = self._shop.settings.removal_after
        if not subscription.removable or failures[attempt.webhook.webhook_id] < removal_after:
            return True
        self._shop.unsubscribe(subscription, "removed_by_vendor")
        return False


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
