"""
A schedule as an experiment: orders set in motion one after the other, faults armed and lifted between them.

What is asked of it is what holds whatever goes wrong: every order settles soon after the last fault and is found by the ledger
where it may stay, roles are told, and handoffs that no fault struck show no exception where faults stay where they strike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, longest_s, total_s
from harness.core.checks.containment import Neighbour, check_contained
from harness.core.compile.frame import HORIZON, LEAST_HORIZON_S, PATIENCE_S, build_ledger_rule
from harness.core.compile.menu import Offer, build_menu
from harness.core.compile.passage import build_start, is_driven, list_before
from harness.core.experiments import (
    Arm,
    Await,
    Check,
    Coverage,
    Experiment,
    LedgerRule,
    Lift,
    Step,
    Watch,
)
from harness.core.outcomes import Reconcile, Recover
from harness.core.schedule import EVERY
from harness.core.settling import Quiet, Settled, Told, check_settled, check_told
from harness.core.starts import choose_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.core.faults import Fault
    from harness.core.schedule import Schedule, Strike
    from harness.core.stack import Handoff, Stack

CLAUSE = "combined:conserved"
DECLARED = "whatever goes wrong together, every order is resolved or put aside once, and who has to know is told"
DIGITS = 10


def name_schedule(schedule: Schedule) -> str:
    """Name a schedule by what it says: the same strikes, wherever they were found, have one name."""
    said = "\n".join((str(schedule.slots), *(f"{each}|{each.order}|{each.attempt}" for each in schedule.strikes)))
    return hashlib.sha256(said.encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True, slots=True)
class Combiner:
    """Makes experiments of the schedules of one stack, whose menu is `menu`."""

    stack: Stack
    menu: Mapping[str, Offer]
    rule: LedgerRule

    def build(self, schedule: Schedule, *, location: str = "", proven: bool = False) -> Experiment:
        """
        Build the experiment of a schedule whose faults are all on the menu.

        While schedules are searched, most of their faults meet no call, and that is no matter. Of a schedule that is known to
        break a promise every fault matters: where it is `proven`, each must leave a receipt.
        """
        struck = self.list_struck(schedule)
        first = struck[0]
        faults = tuple(self._build_fault(f"f{n}", each, schedule, proven) for n, each in enumerate(schedule.strikes, 1))
        orders = tuple(range(1, schedule.slots + 1))
        within_s = max(_waiting_s(self.stack, handoff) for handoff in struck) + HANDLING_S * len(orders)
        told = self._list_told(struck)
        calls = tuple((each.id, each.operations) for each in struck if each.protocol == "api")
        observed = self.stack.integration.observe
        return Experiment(
            id=f"{first.id}/{CLAUSE}/{name_schedule(schedule)}",
            handoff=first.id,
            clause=f"{first.id}/{CLAUSE}",
            shape=name_schedule(schedule),
            declared=DECLARED,
            location=location or str(first.location),
            orders=schedule.slots,
            steps=(
                *chain.from_iterable(self._list_slot(schedule, slot, struck, faults) for slot in orders),
                *(Lift(f.id) for f, each in zip(faults, schedule.strikes, strict=True) if each.ends > schedule.slots),
                Await(Settled(self.rule), within_s=within_s + PATIENCE_S, declared_s=within_s),
                *(Await(each, within_s=PATIENCE_S, needs="dead_letters") for each in told),
                Watch(_longest_s(self.stack, struck), "a second effect", until=Quiet(calls)),
                Watch(LEAST_HORIZON_S, "a second effect"),
            ),
            checks=(
                Check("settled", partial(check_settled, rule=self.rule, within_s=within_s, patience_s=PATIENCE_S)),
                *(Check(f"told {t.handoff}", partial(check_told, told=t, patience_s=PATIENCE_S)) for t in told),
                *(self._list_contained(schedule, struck, orders) if observed.dead_letters is not None else ()),
            ),
            ledger=self.rule,
            faults=faults,
            operations=tuple(dict.fromkeys(chain.from_iterable(operations for _, operations in calls))),
            needs=frozenset({"dead_letters", "queues"}),
        )

    def list_struck(self, schedule: Schedule) -> list[Handoff]:
        """List the handoffs that a schedule strikes, in the order of the stack."""
        named = {self.menu[strike.fault].handoff.id for strike in schedule.strikes}
        return [handoff for handoff in self.stack.handoffs if handoff.id in named]

    def _build_fault(self, fault_id: str, strike: Strike, schedule: Schedule, proven: bool) -> Fault:
        # Attempts are counted for each order apart only where the orders are named.
        orders = tuple(range(1, schedule.slots + 1)) if strike.order == EVERY else (strike.order,)
        attempts = None if strike.attempt == EVERY else (strike.attempt,)
        return self.menu[strike.fault].build(fault_id, orders=orders, attempts=attempts, minimum=int(proven))

    def _list_slot(
        self, schedule: Schedule, slot: int, struck: list[Handoff], faults: tuple[Fault, ...]
    ) -> Iterator[Step]:
        """List what happens as a slot begins, and the wait for its order to come as far as it can."""
        strikes = list(zip(faults, schedule.strikes, strict=True))
        yield from (Lift(fault.id) for fault, strike in strikes if strike.ends == slot)
        yield from (Arm(fault.id) for fault, strike in strikes if strike.begins == slot)
        # All of them are set in motion by the same thing, or there is but one.
        yield from build_start(self.stack, struck[-1], (slot,))
        retries = [path.retry for handoff in struck for path in handoff.paths if path.retry is not None]
        for_s = max((total_s(retry, scale=self.stack.time.scale) for retry in retries), default=0.0) + HANDLING_S
        yield Await(Settled(self.rule, (slot,)), within_s=for_s, declared_s=for_s)

    def _list_told(self, struck: list[Handoff]) -> list[Told]:
        """List who has to be told of how many dead letters, where one rule goes for all of a handoff that is struck."""
        if self.stack.integration.observe.dead_letters is None:
            return []
        rules = [(handoff, handoff.dead_letter) for handoff in struck if handoff.dead_letter is not None]
        return [
            Told(handoff.id, rule.to, rule.escalate_after)
            for handoff, rule in rules
            if rule.to is not None
            and rule.escalate_after is not None
            and {path.dead_letter.to for path in handoff.paths if path.dead_letter is not None} <= {rule.to}
        ]

    def _list_contained(self, schedule: Schedule, struck: list[Handoff], orders: tuple[int, ...]) -> Iterator[Check]:
        """Ask that the other handoffs show no exception, where every fault of the schedule stays where it strikes."""
        if not all(self.menu[strike.fault].stays for strike in schedule.strikes):
            return
        beside = [
            handoff
            for handoff in self.stack.handoffs
            if handoff not in struck
            and is_driven(self.stack, handoff)
            and choose_start(handoff.resolved_when).subject == "order"
        ]
        neighbours = tuple(
            Neighbour(
                each.id,
                each.operations if each.protocol == "api" else (),
                starves=any(one.id in list_before(self.stack, each) for one in struck),
            )
            for each in beside
        )
        if neighbours:
            yield Check("contained", partial(check_contained, neighbours=neighbours, orders=orders))


def build_combiner(stack: Stack) -> Combiner:
    """Build what makes experiments of a stack's schedules."""
    return Combiner(stack, build_menu(stack), build_ledger_rule(stack))


def compile_regressions(stack: Stack) -> tuple[list[Experiment], list[Coverage]]:
    """Compile the regressions of a stack, as far as its faults are on the menu; one row of coverage a handoff."""
    if not stack.regressions:
        return [], []
    combiner = build_combiner(stack)
    found: dict[str, Experiment] = {}
    for each in stack.regressions:
        if all(strike.fault in combiner.menu for strike in each.schedule.strikes):
            experiment = combiner.build(each.schedule, location=each.file, proven=True)
            found.setdefault(experiment.id, experiment)
    rows: dict[str, Coverage] = {}
    for experiment in found.values():
        row = rows.get(experiment.clause) or Coverage(
            experiment.handoff, experiment.clause, DECLARED, experiment.location, ()
        )
        rows[experiment.clause] = replace(row, experiments=(*row.experiments, experiment.id))
    return list(found.values()), list(rows.values())


def _longest_s(stack: Stack, struck: list[Handoff]) -> float:
    """Return how long what was not heard of may take to be sent again, in lab seconds."""
    retries = [path.retry for handoff in struck for path in handoff.paths if path.retry is not None]
    return HORIZON * max((longest_s(retry, scale=stack.time.scale) for retry in retries), default=0.0) + HANDLING_S


def _waiting_s(stack: Stack, handoff: Handoff) -> float:
    """Return how long what a handoff declares may still hold an order up once nothing goes wrong any more, in lab seconds."""
    scale = stack.time.scale
    retried_s = sum(total_s(path.retry, scale=scale) for path in handoff.paths if path.retry is not None)
    pauses = [each.breaker.pause_s * (each.breaker.probes + 1) for each in stack.handoffs if each.breaker is not None]
    healed = [path.outcome.within_s for path in handoff.paths if isinstance(path.outcome, Reconcile | Recover)]
    return (retried_s + (max(pauses, default=0.0) + max(healed, default=0.0)) / scale) * HORIZON
