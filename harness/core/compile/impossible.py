"""Why a path cannot be exercised: what cannot happen at its handoff, or cannot be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile.failures import ANNOUNCED
from harness.core.compile.healing import CRASH

if TYPE_CHECKING:
    from harness.core.stack import Handoff, Path, Stack

FILES = frozenset({"file_truncated", "file_duplicate", "file_missing", "file_rejected", "ack_missing"})
WEBHOOKS = frozenset(
    {"dropped", "subscription_removed", "duplicate", "out_of_order", "bad_signature", "stale", "receiver_down"}
)
IN_PART = "partial_allocation"


def explain_path(stack: Stack, handoff: Handoff, path: Path) -> str:
    """Say why nothing is asked of a path of a handoff that is driven."""
    condition = str(path.on.condition)
    if condition in FILES:
        return f"{condition} happens to files, and this handoff exchanges none"
    if handoff.protocol == "webhook":
        return f"{path.on.slug} happens to calls, and this handoff makes none"
    if condition in WEBHOOKS:
        return f"{condition} happens to webhooks, and this handoff makes calls"
    return _explain_call(stack, handoff, path, condition)


def _explain_call(stack: Stack, handoff: Handoff, path: Path, condition: str) -> str:
    """Say why nothing is asked of what a path does about a call."""
    if condition == CRASH:
        return f"{path.outcome_slug} is nothing that can be done about a crash: name `recover` or `reconcile`"
    if condition == IN_PART:
        target = stack.systems.get(handoff.target)
        if target is None or target.fake != "wms":
            return "only a warehouse (`fake: wms`) allocates a part of an order"
        return f"the warehouse has taken the order, so there is no failed call that {path.outcome_slug} could make good"
    specific = ANNOUNCED.get(path.on.status or 0)
    if specific in {other.on.condition for other in handoff.paths}:
        return f"the path for {specific} is the more specific one, and takes {path.on.status}"
    return f"every failure that can be brought about here has a path of its own beside {path.on.slug}"
