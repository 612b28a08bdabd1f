"""The gateway, put together."""

from __future__ import annotations

from fakes.gateway.account import Account
from fakes.gateway.catalogue import CATALOGUE
from fakes.gateway.execution import Executor
from fakes.gateway.gate import Gate, build_subject
from fakes.gateway.intents import IntentRoutes
from fakes.gateway.notices import NoticeRoutes
from fakes.gateway.payments import Payments
from fakes.gateway.refunds import RefundRoutes
from fakes.gateway.replies import build_replies
from fakes.gateway.seed import GatewayActs
from fakes.gateway.settings import Settings
from fakes.gateway.webhooks import WebhookSender
from fakes.kit.clock import SystemClock
from fakes.kit.fake import Fake


def build_gateway(*, nonce: str, settings: Settings | None = None, time_scale: float = 1.0) -> Fake:
    """Return a gateway with an account of its own."""
    account = Account(SystemClock(), nonce=nonce, settings=settings or Settings(), time_scale=time_scale)
    payments = Payments(account)
    executor = Executor(account)
    sender = WebhookSender(account)
    gate = Gate(account)
    acts = GatewayActs(account, payments, sender, gate)
    routes = (
        IntentRoutes(account, payments, executor),
        RefundRoutes(account, payments, executor),
        NoticeRoutes(account, executor),
    )

    def reset() -> None:
        account.reset()
        executor.keys.reset()
        gate.reset()
        sender.reset()

    return Fake(
        system="gateway",
        catalogue=CATALOGUE,
        journal=account.journal,
        board=account.board,
        entities=account.entities,
        collections=(account.intents, account.charges, account.refunds, account.events, account.endpoints),
        handlers={name: handler for one in routes for name, handler in one.build().items()},
        replies=build_replies(account, executor.keys),
        subject_of=lambda exchange: build_subject(account, exchange),
        acts=acts.build(),
        seeds=acts.build_seeds(),
        guard=gate.check,
        dress=gate.dress,
        reset=reset,
        close=sender.outbox.reset,
        bad_request=b'{"error":{"message":"Bad Request","type":"invalid_request_error"}}',
    )
