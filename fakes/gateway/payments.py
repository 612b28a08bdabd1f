"""What can happen to a payment (Stripe: PaymentIntent lifecycle, place a hold, refunds); each step checks the state it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fakes.gateway.cards import asks_for_authentication, decline_of
from fakes.gateway.errors import refuse
from fakes.gateway.model import CANCELABLE, Charge, Intent, Refund
from fakes.gateway.money import format_money
from fakes.gateway.objects import build_intent
from fakes.gateway.settings import HOLD_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.gateway.account import Account
    from fakes.gateway.cards import Decline
    from fakes.kit.answers import RefusedError
    from fakes.kit.exchange import Exchange

_PARTICIPLES = {"confirm": "confirmed", "capture": "captured", "cancel": "canceled", "update": "updated"}


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What a refund says of itself; without an amount it is all that is left."""

    amount: int | None = None
    reason: str | None = None
    metadata: Mapping[str, str] | None = None


class Payments:
    """The steps of a payment, on one account; ``exchange`` is the call that asks for them, None for the vendor itself."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create(self, intent: Intent, exchange: Exchange | None = None, *, entity: str | None = None) -> Intent:
        """Begin a payment."""
        made = replace(intent, status="requires_confirmation") if intent.payment_method else intent
        self._account.put_intent(made, exchange, entity=entity)
        self._account.tell("payment_intent.created", made, exchange)
        return made

    def update(self, intent: Intent, exchange: Exchange | None, **changes: Any) -> Intent:
        """Change a payment; its amount and payment method only while nothing was taken or ended."""
        final = intent.status in {"requires_capture", "succeeded", "canceled"}
        if final and changes.keys() - {"metadata", "extra"}:
            raise unexpected("update", intent)
        changed = replace(intent, **changes)
        if changed.status == "requires_payment_method" and changes.get("payment_method"):
            changed = replace(changed, status="requires_confirmation")
        self._account.put_intent(changed, exchange)
        return changed

    def confirm(self, intent: Intent, method: str | None, exchange: Exchange | None = None) -> Intent:
        """Charge or hold the money; raises RefusedError 402 when the card is declined."""
        if intent.status not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
            raise unexpected("confirm", intent)
        method = method or intent.payment_method
        if method is None:
            text = "You cannot confirm this PaymentIntent because it's missing a payment method."
            raise refuse("payment_intent_unexpected_state", text, payment_intent=build_intent(intent))
        asked = replace(intent, payment_method=method, last_payment_error=None)
        if asks_for_authentication(method):
            return self._ask(asked, exchange)
        decline = decline_of(method)
        if decline is not None:
            raise self._decline(asked, decline, exchange)
        return self._take(asked, exchange)

    def capture(self, intent: Intent, amount: int | None, exchange: Exchange | None = None) -> Intent:
        """Take held money; what is not taken is let go. Raises RefusedError 400 in any other state, or for too much."""
        charge = self._charge_of(intent)
        if intent.status != "requires_capture" or charge is None:
            raise unexpected("capture", intent)
        taken = intent.amount_capturable if amount is None else amount
        if taken > intent.amount_capturable:
            most = format_money(intent.amount_capturable, intent.currency)
            text = f"The amount to capture must be no more than the amount capturable, {most}."
            raise refuse("amount_too_large", text, param="amount_to_capture", payment_intent=build_intent(intent))
        captured = replace(charge, captured=True, amount_captured=taken)
        done = replace(intent, status="succeeded", amount_capturable=0, captures=(*intent.captures, taken))
        self._account.put_charge(captured, exchange)
        self._account.put_intent(done, exchange)
        self._account.tell("charge.captured", captured, exchange)
        self._account.tell("payment_intent.succeeded", done, exchange)
        return done

    def cancel(self, intent: Intent, reason: str | None, exchange: Exchange | None = None) -> Intent:
        """End a payment and let go what is held."""
        if intent.status not in CANCELABLE:
            raise unexpected("cancel", intent)
        return self._end(intent, reason, "charge.refunded", exchange)

    def expire(self, intent: Intent) -> Intent:
        """End a payment because its hold ran out."""
        return self._end(intent, "expired", "charge.expired", None)

    def refund(self, intent: Intent, terms: RefundTerms, exchange: Exchange | None = None) -> Refund:
        """Give money back; raises RefusedError 400 when there is none to give, or not so much."""
        charge = self._charge_of(intent)
        if charge is None or not charge.captured:
            text = f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
            raise refuse("payment_intent_unexpected_state", text, payment_intent=build_intent(intent))
        left = charge.amount_captured - charge.amount_refunded
        if left <= 0:
            text = f"Charge {charge.id} has already been refunded."
            raise refuse("charge_already_refunded", text, charge=charge.id)
        amount = left if terms.amount is None else terms.amount
        if amount > left:
            asked, most = format_money(amount, charge.currency), format_money(left, charge.currency)
            text = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({most})"
            raise refuse("amount_too_large", text, param="amount", charge=charge.id)
        return self._give_back(intent, charge, replace(terms, amount=amount), amount, exchange)

    def _ask(self, intent: Intent, exchange: Exchange | None) -> Intent:
        asking = replace(intent, status="requires_action")
        self._account.put_intent(asking, exchange)
        self._account.tell("payment_intent.requires_action", asking, exchange)
        return asking

    def _take(self, intent: Intent, exchange: Exchange | None) -> Intent:
        held = intent.capture_method == "manual"
        charge = self._build_charge(intent)
        if held:
            charge = replace(charge, capture_before=charge.created + HOLD_S)
            taken = replace(intent, status="requires_capture", amount_capturable=intent.amount)
        else:
            charge = replace(charge, captured=True, amount_captured=intent.amount)
            taken = replace(intent, status="succeeded", captures=(intent.amount,))
        taken = replace(taken, latest_charge=charge.id)
        self._account.put_charge(charge, exchange)
        self._account.put_intent(taken, exchange)
        self._account.tell("charge.succeeded", charge, exchange)
        topic = "payment_intent.amount_capturable_updated" if held else "payment_intent.succeeded"
        self._account.tell(topic, taken, exchange)
        return taken

    def _decline(self, intent: Intent, decline: Decline, exchange: Exchange | None) -> RefusedError:
        charge = self._build_charge(intent)
        error = {
            "type": "card_error",
            "code": decline.code,
            "decline_code": decline.decline_code,
            "charge": charge.id,
            "message": "Your card was declined.",
        }
        charge = replace(charge, status="failed", failure=error)
        failed = replace(
            intent,
            status="requires_payment_method",
            payment_method=None,
            latest_charge=charge.id,
            last_payment_error=error,
        )
        self._account.put_charge(charge, exchange)
        self._account.put_intent(failed, exchange)
        self._account.tell("charge.failed", charge, exchange)
        self._account.tell("payment_intent.payment_failed", failed, exchange)
        return refuse(
            decline.code,
            decline_code=decline.decline_code,
            charge=charge.id,
            payment_intent=build_intent(failed),
            advice_code="try_again_later" if decline.code == "processing_error" else None,
        )

    def _end(self, intent: Intent, reason: str | None, topic: str, exchange: Exchange | None) -> Intent:
        charge = self._charge_of(intent)
        ended = replace(
            intent,
            status="canceled",
            amount_capturable=0,
            canceled_at=self._account.clock.wall(),
            cancellation_reason=reason,
        )
        if intent.status == "requires_capture" and charge is not None:
            released = replace(charge, released=True)
            self._account.put_charge(released, exchange)
            self._account.tell(topic, released, exchange)
        self._account.put_intent(ended, exchange)
        self._account.tell("payment_intent.canceled", ended, exchange)
        return ended

    def _give_back(
        self, intent: Intent, charge: Charge, terms: RefundTerms, amount: int, exchange: Exchange | None
    ) -> Refund:
        account = self._account
        made = Refund(
            account.new_id("re"),
            intent.id,
            charge.id,
            amount,
            intent.currency,
            account.clock.wall(),
            reason=terms.reason,
            metadata=dict(terms.metadata or {}),
        )
        refunded = replace(charge, amount_refunded=charge.amount_refunded + amount)
        account.put_refund(made, exchange)
        account.put_charge(refunded, exchange)
        account.put_intent(replace(intent, amount_refunded=intent.amount_refunded + amount), exchange)
        account.tell("refund.created", made, exchange)
        account.tell("charge.refunded", refunded, exchange)
        return made

    def _build_charge(self, intent: Intent) -> Charge:
        account = self._account
        return Charge(
            account.new_id("ch"),
            intent.id,
            intent.amount,
            intent.currency,
            account.clock.wall(),
            payment_method=intent.payment_method or "",
            metadata=intent.metadata,
        )

    def _charge_of(self, intent: Intent) -> Charge | None:
        return self._account.charges.get(intent.latest_charge) if intent.latest_charge else None


def unexpected(verb: str, intent: Intent) -> RefusedError:
    """Return the refusal of a step that the payment's state does not allow."""
    done = _PARTICIPLES[verb]
    if (verb, intent.status) == ("capture", "succeeded"):
        text = "This PaymentIntent could not be captured because it has already been captured."
    else:
        text = f"This PaymentIntent could not be {done} because it has a status of {intent.status}."
    return refuse("payment_intent_unexpected_state", text, payment_intent=build_intent(intent))
