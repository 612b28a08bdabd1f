"""
Which resolution path a failure takes, and what comes next on it.

The latest failure picks the path, while attempts count over the order's whole run at the handoff: an order that was rate limited
twice and then met an error has made two of the three attempts errors allow. So no mix of failures can send an order more often
than the path it is on allows, and a run always ends.
"""

from dataclasses import dataclass

from tenacity import RetryCallState
from tenacity.wait import wait_base

from reference.outcomes import Failure
from reference.policy import HandoffPolicy, QueuePath


@dataclass(frozen=True, slots=True)
class Again:
    """Send the same once more, `wait_s` production seconds after the failure."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Park:
    """Give up: the item becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Ask a person: the item waits in a role queue."""

    queue: QueuePath


def decide(policy: HandoffPolicy, failure: Failure, attempts: int) -> Again | Park | Hold:
    """Decide what follows a failure, `attempts` being the sends of this run including the one that failed."""
    path = policy.path(failure.kind)
    if isinstance(path, QueuePath):
        return Hold(path)
    if attempts >= path.attempts:
        return Park()
    wait_s = compute_wait(path.wait, attempts)
    return Again(max(wait_s, failure.retry_after_s) if path.honour_retry_after else wait_s)


def compute_wait(wait: wait_base, attempts: int) -> float:
    """
    Ask a tenacity strategy how long to wait after `attempts` sends, in production seconds.

    Only the strategies are used, not tenacity's retry loop: a loop keeps its count in memory and sleeps, whereas a wait here has
    to outlive the process, so it becomes a due time in the queue.
    """
    # The state wants the decorated function it belongs to; strategies look at the number of the attempt alone.
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = attempts
    return wait(state)
