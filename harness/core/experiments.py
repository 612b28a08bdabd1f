"""
An experiment as a value: what is armed, driven, awaited, and which checks judge the history it leaves.

The engine interprets the steps and judges nothing; the checks judge and drive nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.starts import Start, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.core.conditions import Condition
    from harness.core.ends import EndState
    from harness.core.faults import Fault
    from harness.core.history import History
    from harness.core.verdict import CheckResult


# The kind of action by which the driver says that what it waited for in vain decides that nothing further is done.
HALT = "halt"


@dataclass(frozen=True, slots=True)
class Arm:
    """Arm a fault of the experiment."""

    fault: str

    def __str__(self) -> str:
        """Say it."""
        return f"arm {self.fault}"


@dataclass(frozen=True, slots=True)
class Lift:
    """Lift a fault of the experiment."""

    fault: str

    def __str__(self) -> str:
        """Say it."""
        return f"lift {self.fault}"


@dataclass(frozen=True, slots=True)
class Place:
    """Place orders at the storefront, at once."""

    orders: tuple[int, ...]

    def __str__(self) -> str:
        """Say it."""
        return f"place {', '.join(map(str, self.orders))}"


@dataclass(frozen=True, slots=True)
class Await:
    """
    Wait until a condition is met, for at most `within_s` lab seconds; `declared_s` of them are declared waiting.

    `needs` names an observe endpoint without which the condition can never be met: then the wait is left out. Where it is
    `decisive` and not met, the rest of the steps is pointless and left out.
    """

    condition: Condition
    within_s: float
    declared_s: float = 0.0
    needs: str | None = None
    decisive: bool = False

    def __str__(self) -> str:
        """Say it."""
        return f"wait until {self.condition}"


@dataclass(frozen=True, slots=True)
class Watch:
    """Watch for `for_s` lab seconds that something does not happen; `until` ends it early, once that is decided."""

    for_s: float
    what: str
    until: Condition | None = None

    def __str__(self) -> str:
        """Say it."""
        return f"watch {self.for_s:.2f} s for {self.what}"


@dataclass(frozen=True, slots=True)
class Act:
    """
    Have a vendor do something.

    A parameter `"order"` names an ordinal; the engine gives the vendor the order's id as `id` and its name as `entity`.
    """

    system: str
    verb: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it."""
        return f"{self.system}: {self.verb}"


@dataclass(frozen=True, slots=True)
class Replay:
    """Replay the waiting dead letters of an order."""

    handoff: str
    order: int

    def __str__(self) -> str:
        """Say it."""
        return f"replay the dead letter of order {self.order}"


@dataclass(frozen=True, slots=True)
class Decide:
    """Take a decision on the open role-queue cases of an order, and tell the integration of it so many `times`."""

    handoff: str
    order: int
    decision: str
    times: int = 1

    def __str__(self) -> str:
        """Say it."""
        return f"decide {self.decision} for order {self.order}"


@dataclass(frozen=True, slots=True)
class Restart:
    """Bring the integration back after it died, and wait until it is healthy."""

    def __str__(self) -> str:
        """Say it."""
        return "restart the integration"


Step = Arm | Lift | Place | Await | Watch | Act | Replay | Decide | Restart


@dataclass(frozen=True, slots=True)
class Check:
    """A named judgement over a history; the same signature for every family."""

    name: str
    judge: Callable[[History], CheckResult]


@dataclass(frozen=True, slots=True)
class Station:
    """
    One handoff as the ledger sees it: what makes it due, the handoffs before it, and the record it ends in.

    `end` is None where the handoff says no end state: it may still hold orders back. `others` are the ends that its branches
    and decisions declare instead. `queues` tells that a path of it leads to a role queue.
    """

    handoff: str
    start: Start = Start.PLACED
    after: tuple[str, ...] = ()
    end: EndState | None = None
    queues: bool = False
    others: tuple[EndState, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerRule:
    """What the ledger of a stack asks of every order: the stations it passes, in the order of the stack."""

    stations: tuple[Station, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """How one order passes the handoff under test: the steps that set it in motion and the condition that it is through."""

    steps: tuple[Step, ...]
    end: Condition


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    One experiment on one clause.

    `id` is `<handoff>/<trigger>:<outcome>/<shape>`, unique and stable. `orders` is how many orders the plan uses.
    `operations` are the calls of the handoff under test; `needs` what the integration must let us observe. `ledger` is
    asked once everything is at rest again; `twins` places equal orders. `subject` is what the ordinals count; `totals`
    fixes what single orders add up to, as decimal text. `canary` is how one order more passes once the faults are lifted.
    """

    id: str
    handoff: str
    clause: str
    shape: str
    declared: str
    location: str
    orders: int
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    ledger: LedgerRule
    faults: tuple[Fault, ...] = ()
    operations: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    twins: bool = False
    subject: Subject = "order"
    totals: Mapping[int, str] = field(default_factory=dict)
    canary: Passage | None = None

    def fault(self, fault_id: str) -> Fault:
        """Return one of its faults."""
        return next(fault for fault in self.faults if fault.id == fault_id)


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a clause that no experiment asks for, and why: it says nothing of the rest of the clause."""

    what: str
    why: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    A row of the coverage matrix: a clause, the experiments on it, or why it has none.

    `gaps` are the parts of an exercised clause that none of them asks for, `absent` the kinds of which it has none, by name.
    `placebo` is the experiment that does the same without a fault; empty where it is that itself.
    """

    handoff: str
    clause: str
    declared: str
    location: str
    experiments: tuple[str, ...]
    not_exercised: str = ""
    gaps: tuple[Gap, ...] = ()
    placebo: str = ""
    absent: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stack compiles to."""

    experiments: tuple[Experiment, ...]
    coverage: tuple[Coverage, ...]
