"""Who takes part in a trace: the systems of its stack, its orders, and the hashes that stand for bodies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.core.absence import leave_out
from harness.core.compile import compile_stack
from harness.core.compile.combined import compile_regressions
from harness.core.ends import EndState, build_end
from harness.core.golden.lines import LineError, read_whole
from harness.core.history import Order
from harness.core.loading import load_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.experiments import Experiment
    from harness.core.regression import Regression
    from harness.core.stack import Handoff, Stack

SHOP = "shopify"
NEW_ORDER = "orders/create"
# When the experiment of a trace began, on the clock of its entries.
ORIGIN = 1_000.0
# An order more than the experiment plans: the one that goes through last, while the lab is brought to rest.
SPARE_ORDERS = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """A stack and all its experiments by id, and what is left of both where systems are absent, once that was asked."""

    stack: Stack
    experiments: Mapping[str, Experiment]
    _without: dict[tuple[str, ...], Stage] = field(default_factory=dict, repr=False, compare=False)

    def leave_out(self, absent: tuple[str, ...]) -> Stage:
        """Return what is left where these systems are absent."""
        if not absent:
            return self
        if absent not in self._without:
            self._without[absent] = _compile(leave_out(self.stack, dict.fromkeys(absent, "it is absent")))
        return self._without[absent]

    def strike(self, regression: Regression) -> Stage:
        """Return it with the experiment of a stored schedule; without, where the stack has not all of its faults."""
        found, _ = compile_regressions(replace(self.stack, regressions=(regression,)))
        return Stage(self.stack, {**self.experiments, **{experiment.id: experiment for experiment in found}})


def build_stage(text: str, *, file: str) -> Stage:
    """Load and compile the text of a stack; raise StackError with everything that is wrong with it."""
    return _compile(load_stack(text, file=file))


def _compile(stack: Stack) -> Stage:
    return Stage(stack, {experiment.id: experiment for experiment in compile_stack(stack).experiments})


@dataclass(frozen=True, slots=True)
class Cast:
    """A stack and one of its experiments, and what a trace may leave unsaid about them."""

    stack: Stack
    experiment: Experiment

    @property
    def orders(self) -> tuple[Order, ...]:
        """List the orders, with names that a shop could have given them."""
        count = self.experiment.orders + SPARE_ORDERS
        return tuple(Order(n, f"#41100{n}", f"641100{n}", f"41100{n}") for n in range(1, count + 1))

    @property
    def storefront(self) -> str:
        """Name the system that orders come from."""
        shops = (name for name, system in self.stack.systems.items() if system.fake == SHOP)
        return next(shops, "storefront")

    @property
    def handoff(self) -> Handoff:
        """The handoff under test."""
        return self.stack.handoff(self.experiment.handoff)

    @property
    def end(self) -> EndState:
        """What shows that an order is resolved."""
        return build_end(self.handoff.resolved_when)

    def find_caller(self, operation: str) -> Handoff:
        """Find the handoff that makes a call, or that a topic begins; the one under test where none says so."""
        others = (each for each in self.stack.handoffs if operation in each.operations)
        return self.handoff if operation in self.handoff.operations else next(others, self.handoff)

    @property
    def topic(self) -> str:
        """Name the webhook that begins the handoff under test; that of a new order where none does."""
        return self.handoff.operations[0] if self.handoff.protocol == "webhook" else NEW_ORDER

    def find_sender(self, topic: str) -> str:
        """Name the system that sends a topic; the storefront where no handoff says so."""
        senders = (
            each.source for each in self.stack.handoffs if each.protocol == "webhook" and topic in each.operations
        )
        return next(senders, self.storefront)

    def order(self, word: str) -> Order | None:
        """Find the order a word names by its ordinal; None for `-`; raise LineError when there is no such order."""
        if word == "-":
            return None
        ordinal = read_whole(word, "an order")
        if not 1 <= ordinal <= len(self.orders):
            raise LineError(f"order {ordinal} is not in the plan, which has {len(self.orders)} with the spare one")
        return self.orders[ordinal - 1]

    def body(self, name: str) -> str:
        """Return the hash that stands for a body."""
        return hashlib.sha256(name.encode()).hexdigest()

    def payload(self, handoff: str, order: Order | None) -> str:
        """Name the body a dead letter of a handoff holds unless the trace says otherwise."""
        inbound = any(each.id == handoff and each.protocol == "webhook" for each in self.stack.handoffs)
        ordinal = order.ordinal if order else 0
        return f"webhook {ordinal}" if inbound else f"order {ordinal}"
