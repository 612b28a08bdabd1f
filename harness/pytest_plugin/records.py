"""Records of a vendor about the orders of a story, and what can be claimed of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.core.backoff import HANDLING_S
from harness.core.checks.resolution import check_resolved_once
from harness.core.ends import EndState
from harness.core.experiments import Check
from harness.core.verdict import Outcome
from harness.pytest_plugin.telling import Unmet, describe_check, describe_orders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.story import Story


class Records:
    """The records about some orders that stand at a vendor now; there are none when it is false."""

    def __init__(self, story: Story, system: str, record: str, orders: Orders) -> None:
        self._story = story
        self._end = EndState(system, record)
        self._orders = orders

    def each_exactly_once(self, state: str = "exists_once", *, within: str | None = None) -> bool:
        """
        Claim that there is exactly one record about each order, and it is in this state; fails with declared beside observed.

        A record whose lines were written twice stands for two. `within` is how soon after the order was placed, in production
        time; the handling itself is allowed a moment more.
        """
        __tracebackhide__ = True
        end = EndState(self._end.system, self._end.record, state)
        within_s = None if within is None else self._story.lab_s(within) + HANDLING_S
        judge = partial(check_resolved_once, end=end, orders=self._orders.ordinals, within_s=within_s)
        checked, history = self._story.judge(Check(f"{end.system} {end}", judge))
        if checked.outcome is not Outcome.HELD:
            raise Unmet([*describe_check(checked), *describe_orders(history, self._story.rule, self._orders)])
        return True

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Yield them as the vendor's state shows them, order by order."""
        history = self._story.look()
        for order in self._orders.ordinals:
            yield from (change.record for change in history.records(self._end.collection, order, self._end.system))

    def __len__(self) -> int:
        """Count them."""
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        """Count them by their place."""
        return f"<{len(self)} {self._end.collection} at {self._end.system} about {len(self._orders)} orders>"
