"""Which webhooks a lab subscribes the integration to, as its stack says or implies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.vendors import find_vendor

if TYPE_CHECKING:
    from harness.core.stack import Stack

REFUNDS = "refunds/create"
# Records that nobody writes before the merchant has given money back.
OWED_TO_REFUNDS = frozenset({"credit_memo", "refund"})


def list_topics(stack: Stack, system: str) -> list[str]:
    """
    List the topics that the receiver of a system's webhooks is subscribed to, each once.

    They are those its webhook handoffs name, else the vendor's usual ones. A shop tells of refunds too where a handoff
    from it ends in a record that only they call for.
    """
    fake = stack.systems[system].fake if system in stack.systems else None
    handoffs = [handoff for handoff in stack.handoffs if handoff.source == system]
    named = [name for handoff in handoffs if handoff.protocol == "webhook" for name in handoff.operations]
    vendor = find_vendor(fake)
    topics = named or list(vendor.usual if vendor is not None else ())
    ends = {handoff.resolved_when.record for handoff in handoffs if handoff.resolved_when is not None}
    if fake == "shopify" and ends & OWED_TO_REFUNDS:
        topics.append(REFUNDS)
    return list(dict.fromkeys(topics))
