"""The waits between the attempts of one order, as far as a policy alone decided them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.core.jitter import Wait

if TYPE_CHECKING:
    from harness.core.checks.retry import Sent
    from harness.core.history import Exchange, History

# What the driver does that has an order sent again without any wait.
PROMPTS = ("replay", "decide", "restart")


def list_waits(history: History, sent: Sent, *, breaker_failures: int = 0) -> tuple[Wait, ...]:
    """
    List the waits of one order, from the end of an attempt that failed to the first byte of the next.

    They end where the breaker of the handoff may have opened, and where the driver had the order sent again.
    """
    prompted = min((t for kind in PROMPTS if (t := history.when(kind)) is not None), default=history.now)
    waits: list[Wait] = []
    for ordinal, (before, after) in enumerate(pairwise(history.attempts(sent.operations, sent.order)), start=1):
        opens = breaker_failures and count_failures(history, sent, after) >= breaker_failures
        if before.succeeded or after.started >= prompted or after.started < before.ended or opens:
            break
        previous_s = waits[-1].waited_s if waits else 0.0
        waits.append(Wait(ordinal, after.started - before.ended, previous_s, history.disturbance_s / 4))
    return tuple(waits)


def count_failures(history: History, sent: Sent, call: Exchange) -> int:
    """Count the consecutive failures at the handoff when a call began."""
    count = 0
    for earlier in sorted(history.attempts(sent.operations), key=lambda exchange: exchange.ended):
        if earlier.ended <= call.started:
            count = 0 if earlier.succeeded else count + earlier.counts_for_breaker
    return count
