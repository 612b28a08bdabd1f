"""What every family of experiments needs to know of the clause it compiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.backoff import longest_s
from harness.core.checks.retry import Sent
from harness.core.conditions import Condition, Resolved
from harness.core.experiments import Check, Experiment, LedgerRule, Place, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.faults import Fault
    from harness.core.outcomes import ResolvedWhen
    from harness.core.problems import Location
    from harness.core.stack import Handoff, Stack

# How long the driver waits for something that should have happened already before it gives up on it. It ends only the
# waiting for broken promises, so it is generous to a busy machine.
PATIENCE_S = 5.0
# Absence is watched for this much longer than the longest declared wait that could still produce it.
HORIZON = 1.25
# The least time absence is watched: what no declared wait bounds must at least have had time to cross the lab.
LEAST_HORIZON_S = 0.25


@dataclass(frozen=True, slots=True)
class Frame:
    """A clause in its handoff and stack; `clause` is its id, `declared` what it says in one line."""

    stack: Stack
    handoff: Handoff
    clause: str
    declared: str
    location: Location

    @property
    def scale(self) -> float:
        """By how much declared durations are divided in the lab."""
        return self.stack.time.scale

    def lab_s(self, declared_s: float) -> float:
        """Turn a declared duration into lab seconds."""
        return declared_s / self.scale

    @property
    def collection(self) -> str:
        """The state collection that shows whether an order is resolved."""
        return name_collection(self.handoff.resolved_when)

    @property
    def within_s(self) -> float:
        """The declared time to resolution, in lab seconds."""
        return self.lab_s(self.handoff.within_s)

    @property
    def horizon_s(self) -> float:
        """How long absence of a further send is watched: by the longest gap any path of the chain could produce."""
        chain = [handoff for handoff in self.stack.handoffs if self.handoff.id in {handoff.id, *handoff.after}]
        retries = [path.retry for handoff in chain for path in handoff.paths if path.retry is not None]
        longest = max((longest_s(retry, scale=self.scale) for retry in retries), default=0.0)
        return max(LEAST_HORIZON_S, HORIZON * longest)

    def resolved(self, *orders: int) -> Condition:
        """Build the condition that the orders are resolved."""
        return Resolved(self.collection, orders)

    def sent(self, order: int = 1) -> Sent:
        """Name the calls of this handoff about one order."""
        retries = self.stack.integration.client_retries.get(self.handoff.target, 0)
        return Sent(self.handoff.operations, order, retries)

    def build(
        self,
        shape: str,
        *,
        steps: Iterable[Step],
        checks: Iterable[Check],
        faults: Iterable[Fault] = (),
        needs: Iterable[str] = (),
        twins: bool = False,
    ) -> Experiment:
        """Build one experiment of this clause; the ledger is checked after every one."""
        steps = tuple(steps)
        faults = tuple(faults)
        placed = [order for step in steps if isinstance(step, Place) for order in step.orders]
        aimed = [order for fault in faults for order in fault.orders]
        return Experiment(
            id=f"{self.clause}/{shape}",
            handoff=self.handoff.id,
            clause=self.clause,
            shape=shape,
            declared=self.declared,
            location=str(self.location),
            orders=max([*placed, *aimed], default=0),
            steps=steps,
            checks=tuple(checks),
            ledger=build_ledger_rule(self.stack, self.handoff.resolved_when),
            faults=faults,
            operations=self.handoff.operations,
            needs=frozenset(needs),
            twins=twins,
        )


def build_ledger_rule(stack: Stack, resolved_when: ResolvedWhen | None = None) -> LedgerRule:
    """Say where the ledger looks: at an end state, or the first one the stack declares, and at every handoff."""
    declared = [resolved_when, *(handoff.resolved_when for handoff in stack.handoffs)]
    end_state = next((state for state in declared if state is not None), None)
    return LedgerRule(name_collection(end_state), tuple(handoff.id for handoff in stack.handoffs))


def name_collection(resolved_when: ResolvedWhen | None) -> str:
    """Name the state collection of an end state: the vendor's record in plural."""
    return f"{resolved_when.record}s" if resolved_when else "sales_orders"
