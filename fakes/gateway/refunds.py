"""The refunds and charges side of the API: one handler an operation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.gateway.account import build_object
from fakes.gateway.errors import invalid, missing
from fakes.gateway.execution import Work
from fakes.gateway.expansion import expand, read_expansions
from fakes.gateway.listing import answer_list, answer_object, cut, read_page
from fakes.gateway.params import Params, read_params
from fakes.gateway.payments import RefundTerms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from fakes.gateway.account import Account
    from fakes.gateway.execution import Executor
    from fakes.gateway.model import Charge, Intent, Refund
    from fakes.gateway.payments import Payments
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_IGNORED = ("instructions_email", "origin", "refund_application_fee", "reverse_transfer")


class RefundRoutes:
    """Handlers of refunds and charges."""

    def __init__(self, account: Account, payments: Payments, executor: Executor) -> None:
        self._account = account
        self._payments = payments
        self._executor = executor

    def build(self) -> dict[str, Callable[[Exchange], Answer | Awaitable[Answer]]]:
        """Return the handlers by operation."""
        return {
            "refund.create": self._executor.wrap(self.create),
            "refund.update": self._executor.wrap(self.update),
            "refund.list": self.list_refunds,
            "refund.read": self.read_refund,
            "charge.list": self.list_charges,
            "charge.read": self.read_charge,
        }

    def create(self, exchange: Exchange) -> Work:
        """Give money back."""
        params = read_params(exchange)
        intent = self._take_payment(params)
        terms = RefundTerms(
            params.amount("amount", intent.currency), params.choice("reason", _REASONS), params.metadata({})
        )
        params.drop(_IGNORED)
        fields = read_expansions(params, "refund")
        params.finish()

        def run() -> Answer:
            now = self._account.intents.get(intent.id) or intent
            return self._show(self._payments.refund(now, terms, exchange), fields)

        return Work(run, lock=intent.id)

    def update(self, exchange: Exchange) -> Work:
        """Change a refund's metadata."""
        held, params = self._find_refund(exchange), read_params(exchange)
        metadata = params.take("metadata")
        Params({"metadata": metadata}).metadata(held.metadata)
        fields = read_expansions(params, "refund")
        params.finish()

        def run() -> Answer:
            now = self._find_refund(exchange)
            changed = replace(now, metadata=Params({"metadata": metadata}).metadata(now.metadata))
            self._account.put_refund(changed, exchange)
            self._account.tell("refund.updated", changed, exchange)
            return self._show(changed, fields)

        return Work(run, lock=held.id)

    def read_refund(self, exchange: Exchange) -> Answer:
        """Answer one refund."""
        return self._read(exchange, self._find_refund(exchange), "refund")

    def read_charge(self, exchange: Exchange) -> Answer:
        """Answer one charge."""
        charge = self._account.charges.get(exchange.params["id"])
        if charge is None:
            raise missing("charge", exchange.params["id"])
        return self._read(exchange, charge, "charge")

    def list_refunds(self, exchange: Exchange) -> Answer:
        """Answer one page of refunds, of one payment if asked."""
        params = read_params(exchange)
        page, intent, charge = read_page(params), params.text("payment_intent"), params.text("charge")
        fields = read_expansions(params, "refund", listed=True)
        params.finish()
        refunds = self._account.refunds
        held = refunds if intent is None else refunds.find("intent", intent)
        shown, more = cut([one for one in held if charge in (None, one.charge)], page, what="refund")
        return answer_list("/v1/refunds", shown, lambda one: self._build(one, fields), more=more)

    def list_charges(self, exchange: Exchange) -> Answer:
        """Answer one page of charges, of one payment if asked."""
        params = read_params(exchange)
        page, intent = read_page(params), params.text("payment_intent")
        fields = read_expansions(params, "charge", listed=True)
        params.finish()
        charges = self._account.charges
        shown, more = cut(charges if intent is None else charges.find("intent", intent), page, what="charge")
        return answer_list("/v1/charges", shown, lambda one: self._build(one, fields), more=more)

    def _take_payment(self, params: Params) -> Intent:
        intent_id, charge_id = params.text("payment_intent"), params.text("charge")
        if (intent_id is None) == (charge_id is None):
            raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
        if charge_id is not None:
            charge = self._account.charges.get(charge_id)
            if charge is None:
                raise missing("charge", charge_id, param="charge")
            intent_id = charge.intent
        intent = self._account.intents.get(intent_id or "")
        if intent is None:
            raise missing("payment_intent", intent_id or "", param="payment_intent")
        return intent

    def _find_refund(self, exchange: Exchange) -> Refund:
        held = self._account.refunds.get(exchange.params["id"])
        if held is None:
            raise missing("refund", exchange.params["id"])
        return held

    def _read(self, exchange: Exchange, held: Refund | Charge, what: str) -> Answer:
        params = read_params(exchange)
        fields = read_expansions(params, what)
        params.finish()
        return self._show(held, fields)

    def _show(self, held: Refund | Charge, fields: Sequence[str]) -> Answer:
        return answer_object(self._build(held, fields))

    def _build(self, held: Refund | Charge, fields: Sequence[str]) -> dict[str, Any]:
        return expand(self._account, build_object(held), fields)
