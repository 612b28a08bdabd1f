"""What every vendor of a story has in common: its name, its own acts, and the trouble any vendor can make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.compile.failures import ANSWER_HANGS, HANG, NAMED, OUTAGES, ask_to_wait
from harness.core.durations import parse_duration
from harness.core.faults import Fault, Layer
from harness.pytest_plugin.records import Records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.compile.failures import Failure
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.story import Story


class System:
    """
    One vendor.

    Trouble is a fault to be armed. `at` aims it at the calls of a handoff or of one operation; without it, at those of every
    handoff that leads here. `orders` aims it at orders, `times` at the first calls: of each order, or of all where none are
    given. Times are those of production.
    """

    def __init__(self, story: Story, player: str) -> None:
        self._story = story
        self.name = story.find_system(player)

    def is_down(self, *, at: str | None = None) -> Fault:
        """Build an outage: every call, or those aimed at, is answered 503."""
        operations = () if at is None else self._aim(at)
        return self._build("status", operations, params={"status": OUTAGES[0]})

    def refuses(
        self, code: str, *, at: str | None = None, orders: Orders | None = None, times: int | None = None
    ) -> Fault:
        """Build refusals with an error code of the vendor's."""
        return self._build("error", self._aim(at), orders=orders, times=times, params={"code": code})

    def limits_rate(
        self, *, retry_after: str, at: str | None = None, orders: Orders | None = None, times: int | None = None
    ) -> Fault:
        """Build refusals for too many calls, with the word when to come again."""
        limited = ask_to_wait(NAMED["rate_limited"], parse_duration(retry_after))
        return self._fail(limited, at, orders, times)

    def times_out(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build calls that never arrive and are never answered, until the client gives up."""
        return self._fail(HANG, at, orders, times)

    def loses_answers(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build calls that are carried out and never answered, until the client gives up."""
        return self._fail(ANSWER_HANGS, at, orders, times)

    def act(self, verb: str, **params: Any) -> Mapping[str, Any]:
        """Have the vendor do something of its own accord, by a verb of its control plane."""
        return self._story.act(self.name, verb, **params)

    def state(self, collection: str) -> list[dict[str, Any]]:
        """Read what stands in a collection, of this story and of everything before it."""
        return self._story.read_state(self.name, collection)

    def records(self, record: str, orders: Orders) -> Records:
        """Return the records of one kind about some orders, such as `sales_order`."""
        return Records(self._story, self.name, record, orders)

    def __repr__(self) -> str:
        """Name it."""
        return f"<{self.name}>"

    def _fail(self, failure: Failure, at: str | None, orders: Orders | None, times: int | None) -> Fault:
        return self._build(
            failure.kind,
            self._aim(at),
            layer=failure.layer,
            orders=orders,
            times=times,
            params=failure.params,
            toxics=failure.toxics,
        )

    def _build(
        self,
        kind: str,
        operations: tuple[str, ...],
        *,
        orders: Orders | None = None,
        times: int | None = None,
        after: int = 0,
        **fields: Any,
    ) -> Fault:
        """Build a fault; by default one of the vendor's own making."""
        attempts = tuple(range(after + 1, after + 1 + times)) if times is not None else None
        return Fault(
            id=self._story.name_fault(),
            kind=kind,
            layer=fields.pop("layer", Layer.VENDOR),
            system=self.name,
            operations=operations,
            orders=orders.ordinals if orders is not None else (),
            attempts=attempts,
            **fields,
        )

    def _aim(self, at: str | None) -> tuple[str, ...]:
        """Return the operations of a handoff, of all that lead here, or the one that is named."""
        leading = {each.id: each.operations for each in self._story.stack.handoffs if each.target == self.name}
        if at is None:
            return tuple(dict.fromkeys(operation for operations in leading.values() for operation in operations))
        return leading.get(at, (at,))
