"""What the control plane can make the gateway do: authorise, refund, let holds run out, send, repeat and forge webhooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.gateway.catalogue import TOPICS
from fakes.gateway.model import Cause, Charge, Endpoint, Intent, Refund
from fakes.gateway.money import format_money, read_money
from fakes.gateway.objects import build_event, show_intent, show_refund
from fakes.gateway.payments import RefundTerms
from fakes.gateway.settings import SettingsBody
from fakes.gateway.verbs import AuthoriseBody, DeliverBody, ForgeBody, OrderBody, PaymentBody, RedeliverBody, RefundBody
from fakes.kit.bodies import dump_json
from fakes.kit.fake import Act, Nothing, Seeds
from fakes.kit.forgery import Forgery
from fakes.kit.problems import ProblemError, invalid, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.gateway.account import Account
    from fakes.gateway.gate import Gate
    from fakes.gateway.payments import Payments
    from fakes.gateway.webhooks import WebhookSender


class GatewayActs:
    """The verbs of the gateway."""

    def __init__(self, account: Account, payments: Payments, sender: WebhookSender, gate: Gate) -> None:
        self._account = account
        self._payments = payments
        self._sender = sender
        self._gate = gate

    def build(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "authorise": Act("Hold the money for orders", self.authorise, AuthoriseBody),
            "refund": Act("Give money back in the gateway's own dashboard", self.refund, RefundBody),
            "expire-authorisation": Act("Let an order's hold run out", self.expire, PaymentBody),
            "expire-sessions": Act("Nothing: API keys do not expire", self.expire_sessions, Nothing),
            "deliver": Act("Send an order's webhook now, as a new event", self.deliver, DeliverBody),
            "redeliver": Act("Send a delivery again, the same event", self.redeliver, RedeliverBody),
            "forge": Act("Post a webhook the vendor never sent", self.forge, ForgeBody),
        }

    def build_seeds(self) -> Seeds:
        """Return what ``POST /seed`` can set."""
        return Seeds(webhook=self._subscribe, settings=(SettingsBody, self._configure))

    def authorise(self, given: AuthoriseBody) -> dict[str, Any]:
        """Hold the money for orders, all or none."""
        amounts = [_read_amount(order.amount, order.currency, f"orders.{i}.") for i, order in enumerate(given.orders)]
        return {
            "payments": [self._authorise(order, amount) for order, amount in zip(given.orders, amounts, strict=True)]
        }

    def refund(self, given: RefundBody) -> dict[str, Any]:
        """Give money back."""
        intent = self._find(given, "captured", lambda one: one.amount_received > one.amount_refunded)
        left = intent.amount_received - intent.amount_refunded
        amount = left if given.amount is None else _read_amount(given.amount, intent.currency)
        if amount > left:
            raise ProblemError(409, f"{format_money(left, intent.currency)} are left of the payment {intent.id}")
        made = self._payments.refund(intent, RefundTerms(amount, "requested_by_customer"))
        return {"refund": {"id": made.id, **show_refund(made), "entity": self._account.refunds.entity_of(made.id)}}

    def expire(self, given: PaymentBody) -> dict[str, Any]:
        """Let a hold run out."""
        held = self._find(given, "held", lambda one: one.status == "requires_capture")
        ended = self._payments.expire(held)
        return {"payment": {"id": ended.id, **show_intent(ended)}}

    def expire_sessions(self, _: Nothing) -> dict[str, Any]:
        """Expire nothing."""
        return {"expired": 0}

    def deliver(self, given: DeliverBody) -> dict[str, Any]:
        """Send an order's webhook."""
        _check_topic(given.topic)
        event = self._account.tell(given.topic, self._find_object(given, given.topic))
        wanted = any(endpoint.wants(given.topic) for endpoint in self._account.endpoints)
        return {"webhook_ids": [event.id] if event is not None and wanted else []}

    def redeliver(self, given: RedeliverBody) -> dict[str, Any]:
        """Send a delivery again."""
        if not self._sender.redeliver(given.webhook_id):
            raise ProblemError(404, f"no webhook {given.webhook_id!r} was sent")
        return {"webhook_id": given.webhook_id}

    async def forge(self, given: ForgeBody) -> dict[str, Any]:
        """Post a forgery and say how it was received."""
        _check_topic(given.topic)
        if not any(endpoint.wants(given.topic) for endpoint in self._account.endpoints):
            raise ProblemError(409, f"nobody subscribed to {given.topic}")
        attempts = await self._sender.forge(
            replace(self._build_forgery(given), age_s=given.age_s), signature=given.signature
        )
        return {
            "deliveries": [
                {
                    "webhook_id": attempt.webhook.webhook_id,
                    "address": attempt.webhook.address,
                    "status": attempt.status,
                    "error": attempt.error,
                }
                for attempt in attempts
            ]
        }

    def _authorise(self, order: OrderBody, amount: int) -> dict[str, Any]:
        account = self._account
        intent_id = account.new_id("pi")
        token = intent_id.removeprefix("pi_")
        account.entities.register(order.name, [order.order_id, intent_id, token])
        draft = Intent(
            intent_id,
            f"{intent_id}_secret_{account.ids.text('secret', length=25)}",
            amount,
            order.currency.lower(),
            account.clock.wall(),
            capture_method="manual",
            payment_method="pm_card_visa",
            metadata={"order_id": order.order_id, "order_name": order.name},
        )
        held = self._payments.confirm(self._payments.create(draft, entity=order.name), None)
        return {"name": order.name, "id": held.id, "aliases": [token]}

    def _build_forgery(self, given: ForgeBody) -> Forgery:
        order = given.entity or given.order
        if (given.body is None) == (order is None):
            raise invalid("body", "give body, or an order as entity, one of them")
        if order is None:
            body = given.body.encode() if isinstance(given.body, str) else dump_json(given.body)
            return Forgery(given.topic, body, given.how)
        subject = self._find_object(PaymentBody(entity=order), given.topic)
        intent_id = subject.id if isinstance(subject, Intent) else subject.intent
        event = self._account.build_event(given.topic, subject, Cause())
        return Forgery(
            given.topic, dump_json(build_event(event)), given.how, self._account.intents.entity_of(intent_id)
        )

    def _find_object(self, given: PaymentBody, topic: str) -> Intent | Charge | Refund:
        intent = self._find(given, "known", lambda _: True)
        if topic.startswith("payment_intent."):
            return intent
        charges, refunds = self._account.charges, self._account.refunds
        found = charges.find("intent", intent.id) if topic.startswith("charge.") else refunds.find("intent", intent.id)
        if not found:
            raise ProblemError(409, f"the payment {intent.id} has nothing {topic} could be about")
        return found[-1]

    def _find(self, given: PaymentBody, what: str, fits: Callable[[Intent], bool]) -> Intent:
        intents = self._account.intents
        names = given.names()
        entities = {name for text in names if (name := self._account.entities.find(text)) is not None}
        found = [one for one in intents if one.id in names or intents.entity_of(one.id) in entities]
        if not found:
            raise ProblemError(404, f"there is no payment of {names[0]!r}")
        fitting = [one for one in found if fits(one)]
        if not fitting:
            states = ", ".join(f"{one.id} {one.status}" for one in found)
            raise ProblemError(409, f"no payment of {names[0]!r} is {what}: {states}")
        return fitting[-1]

    def _subscribe(self, topic: str, address: str) -> None:
        seeded = [one for one in self._account.endpoints if one.url == address and one.secret is None]
        if seeded:
            topics = tuple(dict.fromkeys((*seeded[0].topics, topic)))
            self._account.subscribe(replace(seeded[0], topics=topics))
            return
        made = Endpoint(self._account.new_id("we"), address, (topic,), self._account.clock.wall())
        self._account.subscribe(made)

    def _configure(self, given: SettingsBody) -> None:
        changes = given.model_dump(exclude_none=True)
        if "ladder_s" in changes:
            changes["ladder_s"] = tuple(changes["ladder_s"])
        self._account.settings = replace(self._account.settings, **changes)
        self._gate.reset()
        self._sender.configure()


def _read_amount(text: str, currency: str, place: str = "") -> int:
    try:
        return read_money(text, currency)
    except ValueError as error:
        raise invalid(f"{place}amount", str(error)) from error


def _check_topic(topic: str) -> None:
    if topic not in TOPICS:
        raise unknown("topic", topic, TOPICS)
