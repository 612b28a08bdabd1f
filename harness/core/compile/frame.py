"""What every family of experiments needs to know of the clause it compiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, longest_s, total_s
from harness.core.checks.retry import Sent
from harness.core.compile.passage import build_start, is_driven, list_before
from harness.core.conditions import Condition, Resolved
from harness.core.ends import EndState, build_end
from harness.core.experiments import Check, Experiment, LedgerRule, Passage, Place, Station, Step
from harness.core.starts import Start, choose_start
from harness.core.undeclared import check_declared
from harness.core.vendors import find_vendor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.core.faults import Fault
    from harness.core.outcomes import Queue
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
    def end(self) -> EndState:
        """What shows that an order is resolved."""
        return build_end(self.handoff.resolved_when)

    @property
    def begins(self) -> Start:
        """What sets the handoff in motion."""
        return choose_start(self.handoff.resolved_when)

    @property
    def within_s(self) -> float:
        """The declared time to resolution, in lab seconds."""
        return self.lab_s(self.handoff.within_s)

    @property
    def horizon_s(self) -> float:
        """How long absence of a further send is watched: by the longest gap any path of the chain could produce."""
        chain = [each for each in self.stack.handoffs if each.id == self.handoff.id or self._follows(each)]
        retries = [path.retry for handoff in chain for path in handoff.paths if path.retry is not None]
        longest = max((longest_s(retry, scale=self.scale) for retry in retries), default=0.0)
        return max(LEAST_HORIZON_S, HORIZON * longest)

    @property
    def refused_s(self) -> float:
        """How long a call that is refused again and again may go on, until it is put aside: by the path that takes it."""
        chain = [each for each in self.stack.handoffs if each.id == self.handoff.id or self._follows(each)]
        unnamed = [path.retry for each in chain for path in each.paths if path.on.condition == "any" and path.retry]
        return HORIZON * max((total_s(retry, scale=self.scale) for retry in unnamed), default=0.0) + HANDLING_S

    @property
    def holders(self) -> tuple[str, ...]:
        """The handoffs that may put an order of this one aside: itself, and those after it that end in the same record."""
        return (self.handoff.id, *(each.id for each in self.stack.handoffs if self._follows(each)))

    @property
    def patience_s(self) -> float:
        """How long the driver waits for the first sign of work: a job that looks for it comes round in its own time."""
        return PATIENCE_S + (self.within_s if self.begins is Start.ADJUSTED else 0.0)

    @property
    def topics(self) -> tuple[str, ...]:
        """The webhook topics of the handoff, the one that begins it first."""
        vendor = find_vendor(self.source_fake)
        return self.handoff.operations or (vendor.usual if vendor is not None else ())

    @property
    def source_fake(self) -> str | None:
        """Which fake plays the system the handoff comes from."""
        return self._find_fake(self.handoff.source)

    @property
    def target_fake(self) -> str | None:
        """Which fake plays the system the handoff goes to."""
        return self._find_fake(self.handoff.target)

    @property
    def is_mapped(self) -> bool:
        """Whether mappings play the system the handoff goes to."""
        system = self.stack.systems.get(self.handoff.target)
        return system is not None and system.is_mapped

    @property
    def asks_roles(self) -> bool:
        """Whether a failure of the handoff that is no code or value of its own may lead to a role queue."""
        own = (path for path in self.handoff.paths if path.on.code is None and path.on.when is None)
        return any(path.queue is not None for path in own)

    def _find_fake(self, name: str) -> str | None:
        system = self.stack.systems.get(name)
        return system.fake if system is not None else None

    def _follows(self, handoff: Handoff) -> bool:
        """Tell whether a handoff after this one still decides whether an order is resolved."""
        return self.handoff.id in handoff.after and build_end(handoff.resolved_when) == self.end

    def find_sla_s(self, queue: Queue) -> float | None:
        """Find how soon a case of a queue is to be decided, in production seconds: its own SLA, else its role's."""
        role = self.stack.roles.get(queue.role)
        return queue.sla_s if queue.sla_s is not None else role.sla_s if role is not None else None

    def start(self, *orders: int) -> list[Step]:
        """List the steps that set the handoff in motion for these orders."""
        return build_start(self.stack, self.handoff, orders)

    def resolved(self, *orders: int, end: EndState | None = None) -> Condition:
        """Build the condition that the orders are resolved; by another end state where a path declares its own."""
        return Resolved(end or self.end, orders)

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
        totals: Mapping[int, str] | None = None,
    ) -> Experiment:
        """Build one experiment of this clause; the ledger is checked after every one."""
        steps = tuple(steps)
        checks = tuple(checks)
        faults = tuple(faults)
        needs = frozenset(needs)
        # What is looked for in the dead letters may as well lie before a role.
        needs |= {"queues"} if "dead_letters" in needs and self.asks_roles else set()
        placed = [order for step in steps if isinstance(step, Place) for order in step.orders]
        aimed = [order for fault in faults for order in fault.orders]
        orders = max([*placed, *aimed], default=0)
        named = {check.name for check in checks}
        return Experiment(
            id=f"{self.clause}/{shape}",
            handoff=self.handoff.id,
            clause=self.clause,
            shape=shape,
            declared=self.declared,
            location=str(self.location),
            orders=orders,
            steps=steps,
            checks=(*checks, *(check for check in self._list_forbidding() if check.name not in named)),
            ledger=build_ledger_rule(self.stack),
            faults=faults,
            operations=self.handoff.operations,
            needs=needs,
            twins=twins,
            subject=self.begins.subject,
            totals=totals or {},
            canary=Passage(tuple(self.start(orders + 1)), self.resolved(orders + 1)),
        )

    def _list_forbidding(self) -> list[Check]:
        """List what every experiment is asked where the stack forbids anything that is declared nowhere."""
        return [Check("declared", partial(check_declared, stack=self.stack))] if self.stack.forbid else []


def build_ledger_rule(stack: Stack) -> LedgerRule:
    """List the stations of a stack: every handoff an order may pass, and what shows that it has."""
    return LedgerRule(
        tuple(
            Station(
                handoff.id,
                start=choose_start(handoff.resolved_when),
                after=list_before(stack, handoff),
                end=build_end(handoff.resolved_when) if is_driven(stack, handoff) else None,
                queues=any(path.queue is not None for path in handoff.paths),
                others=tuple(dict.fromkeys(_list_other_ends(handoff))),
            )
            for handoff in stack.handoffs
        )
    )


def _list_other_ends(handoff: Handoff) -> Iterator[EndState]:
    """List the ends in another record that paths of a handoff declare: an order that is there is not lost."""
    own = build_end(handoff.resolved_when)
    for end in (build_end(each) for path in handoff.paths for each in path.ends):
        if (end.system, end.record) != (own.system, own.record):
            yield end
