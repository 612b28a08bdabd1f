"""The PaymentIntents side of the API: one handler an operation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.gateway.cards import is_known
from fakes.gateway.errors import invalid, missing, refuse
from fakes.gateway.execution import Work
from fakes.gateway.expansion import expand, read_expansions
from fakes.gateway.listing import answer_list, answer_object, cut, read_limit, read_page
from fakes.gateway.model import Intent
from fakes.gateway.objects import build_intent
from fakes.gateway.params import Params, read_params
from fakes.gateway.search import read_query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from fakes.gateway.account import Account
    from fakes.gateway.execution import Executor
    from fakes.gateway.payments import Payments
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange

PATH = "/v1/payment_intents"
_STORED = ("customer", "description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor")
_IGNORED = (
    *(
        "amount_details",
        "application_fee_amount",
        "confirmation_token",
        "error_on_requires_action",
        "excluded_payment_method_types",
    ),
    *(
        "automatic_payment_methods",
        "hooks",
        "mandate",
        "mandate_data",
        "off_session",
        "on_behalf_of",
        "payment_details",
    ),
    *("payment_method_configuration", "payment_method_options", "payment_method_types", "radar_options", "return_url"),
    *("statement_descriptor_suffix", "transfer_data", "transfer_group", "use_stripe_sdk", "confirmation_method"),
)
_CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


class IntentRoutes:
    """Handlers of PaymentIntents."""

    def __init__(self, account: Account, payments: Payments, executor: Executor) -> None:
        self._account = account
        self._payments = payments
        self._executor = executor

    def build(self) -> dict[str, Callable[[Exchange], Answer | Awaitable[Answer]]]:
        """Return the handlers by operation."""
        writes = {
            "create": self.create,
            "update": self.update,
            "confirm": self.confirm,
            "capture": self.capture,
            "cancel": self.cancel,
        }
        return {
            "payment_intent.list": self.list_page,
            "payment_intent.search": self.search,
            "payment_intent.read": self.read,
            **{f"payment_intent.{name}": self._executor.wrap(prepare) for name, prepare in writes.items()},
        }

    def create(self, exchange: Exchange) -> Work:
        """Begin a payment, and confirm it at once if asked to."""
        params = read_params(exchange)
        currency = params.currency()
        amount = params.new_amount(currency or "")
        if amount is None or currency is None:
            name = "amount" if amount is None else "currency"
            raise refuse("parameter_missing", f"Missing required param: {name}.", param=name)
        confirm = params.boolean("confirm")
        draft = Intent(
            self._account.new_id("pi"),
            "",
            amount,
            currency,
            self._account.clock.wall(),
            capture_method=params.choice("capture_method", _CAPTURE_METHODS) or "automatic_async",
            payment_method=_take_method(params),
            metadata=params.metadata({}),
            extra=params.keep(_STORED),
        )
        draft = replace(draft, secret=f"{draft.id}_secret_{self._account.ids.text('secret', length=25)}")
        fields = _finish(params)

        def run() -> Answer:
            made = self._payments.create(draft, exchange, entity=exchange.entity)
            return self._show(self._payments.confirm(made, None, exchange) if confirm else made, fields)

        return Work(run)

    def read(self, exchange: Exchange) -> Answer:
        """Answer one payment."""
        params = read_params(exchange)
        params.drop(("client_secret",))
        return self._show(self._find(exchange), _finish(params))

    def update(self, exchange: Exchange) -> Work:
        """Change a payment."""
        held, params = self._find(exchange), read_params(exchange)
        currency = params.currency()
        changes: dict[str, Any] = {
            "currency": currency,
            "amount": params.new_amount(currency or held.currency),
            "payment_method": _take_method(params),
            "capture_method": params.choice("capture_method", _CAPTURE_METHODS),
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        # Merged when it is executed: another call may change the payment before.
        metadata = params.take("metadata")
        Params({"metadata": metadata}).metadata(held.metadata)
        extra = params.keep(_STORED)
        fields = _finish(params)

        def run() -> Answer:
            now = self._find(exchange)
            if metadata is not None:
                changes["metadata"] = Params({"metadata": metadata}).metadata(now.metadata)
            if extra:
                changes["extra"] = {**now.extra, **extra}
            return self._show(self._payments.update(now, exchange, **changes), fields)

        return Work(run, lock=held.id)

    def confirm(self, exchange: Exchange) -> Work:
        """Confirm a payment."""
        held, params = self._find(exchange), read_params(exchange)
        method = _take_method(params)
        params.drop((*_STORED, "client_secret", "capture_method"))
        fields = _finish(params)
        return Work(
            lambda: self._show(self._payments.confirm(self._find(exchange), method, exchange), fields), lock=held.id
        )

    def capture(self, exchange: Exchange) -> Work:
        """Capture a payment, all of what is held or less."""
        held, params = self._find(exchange), read_params(exchange)
        amount = params.amount("amount_to_capture", held.currency)
        if params.boolean("final_capture") is False:
            raise invalid("This payment is not eligible for multiple captures.", param="final_capture")
        metadata = params.take("metadata")
        Params({"metadata": metadata}).metadata(held.metadata)
        params.drop(_STORED)
        fields = _finish(params)

        def run() -> Answer:
            done = self._payments.capture(self._find(exchange), amount, exchange)
            if metadata is not None:
                merged = Params({"metadata": metadata}).metadata(done.metadata)
                done = self._payments.update(done, exchange, metadata=merged)
            return self._show(done, fields)

        return Work(run, lock=held.id)

    def cancel(self, exchange: Exchange) -> Work:
        """Cancel a payment."""
        held, params = self._find(exchange), read_params(exchange)
        reason = params.choice("cancellation_reason", _REASONS)
        fields = _finish(params)
        return Work(
            lambda: self._show(self._payments.cancel(self._find(exchange), reason, exchange), fields), lock=held.id
        )

    def list_page(self, exchange: Exchange) -> Answer:
        """Answer one page of payments, the newest first."""
        params = read_params(exchange)
        page, customer = read_page(params), params.text("customer")
        fields = _finish(params, listed=True)
        held = [one for one in self._account.intents if customer in (None, one.extra.get("customer"))]
        shown, more = cut(held, page, what="payment_intent")
        return answer_list(PATH, shown, lambda one: self._build(one, fields), more=more)

    def search(self, exchange: Exchange) -> Answer:
        """Answer what the search index knows: payments are in it some time after they were made."""
        params = read_params(exchange)
        query, limit, token = read_query(params.required("query")), read_limit(params), params.text("page")
        fields = _finish(params, listed=True)
        indexed = self._account.clock.wall() - self._account.settings.search_lag_s / self._account.time_scale
        found = [one for one in reversed(list(self._account.intents)) if one.created <= indexed and query.fits(one)]
        start = _read_token(token, found)
        shown, more = found[start : start + limit], len(found) > start + limit
        return answer_object(
            {
                "object": "search_result",
                "data": [self._build(one, fields) for one in shown],
                "has_more": more,
                "next_page": f"after_{shown[-1].id}" if more else None,
                "url": f"{PATH}/search",
            }
        )

    def _find(self, exchange: Exchange) -> Intent:
        held = self._account.intents.get(exchange.params["id"])
        if held is None:
            raise missing("payment_intent", exchange.params["id"], param="intent")
        return held

    def _show(self, intent: Intent, fields: Sequence[str]) -> Answer:
        return answer_object(self._build(intent, fields))

    def _build(self, intent: Intent, fields: Sequence[str]) -> dict[str, Any]:
        return expand(self._account, build_intent(intent), fields)


def _take_method(params: Params) -> str | None:
    method, data = params.text("payment_method"), params.take("payment_method_data")
    if method is None:
        return None if data is None else "pm_card_visa"
    if not is_known(method):
        raise missing("PaymentMethod", method, param="payment_method")
    return method


def _finish(params: Params, *, listed: bool = False) -> tuple[str, ...]:
    fields = read_expansions(params, "payment_intent", listed=listed)
    if not listed:
        params.drop(_IGNORED)
    params.finish()
    return fields


def _read_token(token: str | None, found: Sequence[Intent]) -> int:
    if token is None:
        return 0
    for place, one in enumerate(found):
        if token == f"after_{one.id}":
            return place + 1
    raise invalid("Invalid page token.", param="page")
