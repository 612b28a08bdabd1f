"""What has happened in a story: waiting for it, and asking about it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.core.backoff import Gap
from harness.core.compile.session import RENEWALS
from harness.core.durations import format_duration
from harness.core.experiments import Watch
from harness.engine.driver import DEAD_LETTERS, QUEUES
from harness.pytest_plugin.seen import Count, Seen
from harness.pytest_plugin.telling import Unmet, describe_orders, say_call

if TYPE_CHECKING:
    from harness.core.history import Exchange, History
    from harness.pytest_plugin.conditions import Until
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.story import Story
    from harness.pytest_plugin.system import System


class Past:
    """The history of a story."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def wait_until(self, *conditions: Until, within: str = "1m") -> None:
        """
        Wait until all of these conditions are met; fails with the orders' stories where they are not.

        `within` is in production time, as in the stack; a busy machine gets a moment more.
        """
        __tracebackhide__ = True
        if self._story.wait(conditions, within):
            return
        history = self._story.look(DEAD_LETTERS, QUEUES)
        missing = [words for condition in conditions for words in condition.list_unmet(history)]
        observed = [f"           {words}" for words in missing] or ["           they were met too late"]
        raise Unmet(
            [
                f"declared   {' and '.join(map(str, conditions))}, within {within}",
                f"observed   {observed[0].strip()}",
                *observed[1:],
                *describe_orders(history, self._story.rule),
            ]
        )

    def watch(self, production: str) -> None:
        """Let so much time of production pass, to see that something does not happen."""
        self._story.perform(Watch(self._story.lab_s(production), f"{production} of production"))

    def calls(self, operation: str, orders: Orders | None = None) -> Seen[Exchange]:
        """List the calls of an operation, or of a handoff by its id, in the order they began; those about some orders."""
        named = next((each.operations for each in self._story.stack.handoffs if each.id == operation), (operation,))
        wanted = None if orders is None else set(orders.ordinals)
        found = self.read().attempts(named)
        return Seen((call for call in found if wanted is None or call.order in wanted), say_call)

    def renewals(self, system: System) -> Count:
        """Count how often a new session was opened at a vendor."""
        opened = (call for call in self.read().attempts(RENEWALS) if call.system == system.name)
        return Count(Seen(opened, say_call))

    def waits(self, operation: str, orders: Orders, *, at_least: str) -> bool:
        """
        Tell that so long, in production time, lay between any two calls of an operation about the same order.

        Judged as the harness judges declared gaps; raises with what was seen where one was shorter, or no call followed another.
        """
        asked_s = self._story.lab_s(at_least)
        gaps = [
            later.started - before.ended
            for order in orders.ordinals
            for before, later in pairwise([call for call in self.calls(operation) if call.order == order])
        ]
        shortest = min(gaps, default=0.0)
        if Gap(asked_s, asked_s).is_early(shortest):
            seen = format_duration(round(shortest * self._story.stack.time.scale, 3))
            declared = f"declared   {at_least} at least between two calls of {operation} about one order"
            raise Unmet([declared, f"observed   {seen}, in {len(gaps)} gaps"])
        return True

    def read(self) -> History:
        """Return everything that has happened until now, as values."""
        return self._story.look()

    def __repr__(self) -> str:
        """Say how long it is."""
        return f"<history of {format_duration(round(self.read().now, 3))} in the lab>"
