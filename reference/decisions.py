"""Carrying out what a person decided about a case: the item goes on, as it was or elsewhere, or its order is undone."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from reference import backlog, cases
from reference.backlog import Wake
from reference.graph import Graph
from reference.policy import Way
from reference.store import Store


@dataclass(frozen=True, slots=True)
class Decider:
    """Takes decisions; what they lead to is committed with them."""

    store: Store
    graph: Graph
    wake: Callable[[Iterable[Wake]], None]

    async def decide(self, case_id: str, decision: str) -> bool:
        """
        Take a decision; False when it had been taken before.

        Raises `cases.UnknownCaseError`, `cases.UnknownDecisionError`, or `cases.DecidedError` when another was taken.
        """
        new, wakes = await self.store.write(lambda conn: self._decide(conn, case_id, decision))
        self.wake(wakes)
        return new

    def _decide(self, conn: Connection, case_id: str, decision: str) -> tuple[bool, list[Wake]]:
        now = time.time()
        case, way = cases.decide(conn, case_id, decision)
        trigger = f"decision:{case_id}"
        if way is None:
            return False, []
        if way is Way.CANCEL_AND_REFUND:
            return True, self.graph.cancel(conn, case["ref"], trigger=trigger, now=now)
        if way is Way.PICKUP_POINT:
            self.graph.redirect(conn, case["entity"], case["ref"])
        goes_on = backlog.requeue_held(conn, case["handoff"], case["ref"], trigger=trigger, now=now)
        return True, [Wake(case["handoff"], case["ref"])] if goes_on else []
