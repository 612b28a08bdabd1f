"""Variants that do the same thing again: what was decided once, and what a refused session was answered before."""

from collections import Counter
from collections.abc import Callable

import httpx2

from reference import handoffs
from reference.backlog import Item
from reference.config import Settings
from reference.lane import Send
from reference.outcomes import Failure, Kind, Outcome
from reference.parts import Parts
from reference.session import ErpSession
from scenarios.zoo.variant import Variant

KNOCKS = 3


def decided_sent_again() -> Parts:
    """Send an order that goes on by a decision twice, as the same record."""
    return Parts(wrap_send=_wrap(_send_decided_again))


def old_session_tried_on() -> Parts:
    """Try a refused session on before asking for a new one."""
    return Parts(wrap_send=_wrap(_knock_again), make_session=StubbornSession)


class StubbornSession(ErpSession):
    """A session that is not given up before it was refused some times."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, *, timeout_s: float) -> None:
        super().__init__(http, settings, timeout_s=timeout_s)
        self._refused: Counter[str] = Counter()

    def reject(self, token: str) -> None:
        """Forget a token that is refused once more than it may be."""
        self._refused[token] += 1
        if self._refused[token] > KNOCKS:
            super().reject(token)


def _wrap(build: Callable[[Send], Send]) -> Callable[[str, Send], Send]:
    def wrap(handoff: str, send: Send) -> Send:
        return build(send) if handoff == handoffs.ORDER_TO_ERP else send

    return wrap


def _send_decided_again(send: Send) -> Send:
    async def carry(item: Item) -> Outcome:
        if item.trigger.startswith("decision:"):
            await send(item)
        return await send(item)

    return carry


def _knock_again(send: Send) -> Send:
    async def carry(item: Item) -> Outcome:
        outcome = await send(item)
        for _ in range(KNOCKS):
            if isinstance(outcome, Failure) and outcome.kind is Kind.SESSION_EXPIRED:
                outcome = await send(item)
        return outcome

    return carry


REPEATING: tuple[Variant, ...] = (
    Variant(
        "sends-decided-again",
        "broken",
        "sends an approved order twice, which leaves one record all the same",
        decided_sent_again,
        (f"{handoffs.ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
    Variant(
        "knocks-with-the-old-session",
        "broken",
        "tries a refused session on again and again before it asks for a new one",
        old_session_tried_on,
        (f"{handoffs.ORDER_TO_ERP}/session_expired:renew_session",),
        (f"{handoffs.ORDER_TO_ERP}/",),
    ),
)
