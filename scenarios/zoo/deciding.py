"""Variants that ask a person once more than they should, or do not heed the answer."""

from dataclasses import replace
from decimal import Decimal

from reference import policies
from reference.backlog import Item
from reference.handoffs import ORDER_TO_ERP, PAYMENT_CAPTURE
from reference.lane import Send
from reference.outcomes import Failure, Kind, Outcome
from reference.parts import Parts
from reference.policy import QueuePath, Way
from scenarios.zoo.variant import Variant

CENT = Decimal("0.01")


def rejection_ignored() -> Parts:
    """Go on with an order whatever is decided about it."""
    policy = policies.ORDER_TO_ERP
    path = policy.path(Kind.RESTRICTED)
    assert isinstance(path, QueuePath)
    decisions = dict.fromkeys(path.decisions, Way.CONTINUE)
    return Parts(
        order_to_erp=replace(policy, paths={**policy.paths, Kind.RESTRICTED: replace(path, decisions=decisions)})
    )


def asked_again() -> Parts:
    """Ask once more when the first call after a decision fails, whatever that is by."""
    return Parts(wrap_send=_ask_again)


def asked_at_the_limit() -> Parts:
    """Ask about an amount that is just within the limit."""
    policy = policies.PAYMENT_CAPTURE
    assert policy.threshold is not None
    threshold = replace(policy.threshold, above=policy.threshold.above - CENT)
    return Parts(payment_capture=replace(policy, threshold=threshold))


def _ask_again(handoff: str, send: Send) -> Send:
    if handoff != ORDER_TO_ERP:
        return send

    async def carry(item: Item) -> Outcome:
        outcome = await send(item)
        decided = item.trigger.startswith("decision:")
        return replace(outcome, kind=Kind.RESTRICTED) if decided and isinstance(outcome, Failure) else outcome

    return carry


DECIDING: tuple[Variant, ...] = (
    Variant(
        "goes-on-when-rejected",
        "broken",
        "posts a restricted product whatever is decided about it",
        rejection_ignored,
        (f"{ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
    Variant(
        "asks-again-after-a-decision",
        "broken",
        "asks once more when the first call after a decision fails",
        asked_again,
        (f"{ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
    Variant(
        "asks-at-the-limit",
        "broken",
        "asks about an amount of just the limit, not only of more",
        asked_at_the_limit,
        (f"{PAYMENT_CAPTURE}/amount>500.00EUR:queue",),
        stack="chain",
    ),
)
