"""Variants that do again what was decided once."""

from collections.abc import Callable

from reference import handoffs
from reference.backlog import Item
from reference.lane import Send
from reference.outcomes import Outcome
from reference.parts import Parts
from scenarios.zoo.variant import Variant


def decided_sent_again() -> Parts:
    """Send an order that goes on by a decision twice, as the same record."""
    return Parts(wrap_send=_wrap(_send_decided_again))


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


REPEATING: tuple[Variant, ...] = (
    Variant(
        "sends-decided-again",
        "broken",
        "sends an approved order twice, which leaves one record all the same",
        decided_sent_again,
        (f"{handoffs.ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
)
