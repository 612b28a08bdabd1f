"""
What must be true of every order whatever went wrong, and however much of it at once: it settles, and who has to know is told.

Settled is an order that the ledger finds where it may stay. The rest of what always holds is the ledger's own, at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.checks.ledger import RESTING, Row, build_ledger
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.experiments import LedgerRule
    from harness.core.history import History

# What is there twice does not become less by waiting.
SETTLED = RESTING | {Row.DUPLICATED}


@dataclass(frozen=True, slots=True)
class Settled:
    """The condition that each of these orders is resolved or put aside; of all that were placed where none are given."""

    rule: LedgerRule
    orders: tuple[int, ...] = ()

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Look at the ledger."""
        entries = build_ledger(history, self.rule)
        return all(entry.row in SETTLED for entry in entries if not self.orders or entry.order in self.orders)

    def __str__(self) -> str:
        """Name the orders."""
        whose = f"order {', '.join(map(str, self.orders))}" if self.orders else "every order"
        return f"{whose} resolved or put aside"


@dataclass(frozen=True, slots=True)
class Quiet:
    """
    The condition that nothing more is to be expected of the calls of some handoffs: each order's last one got through, or it is put aside.

    Where an answer is lost, an order is resolved before it is sent again.
    """

    calls: tuple[tuple[str, tuple[str, ...]], ...]

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Look at the last call of each order at each handoff."""
        return all(
            self.is_over(history, handoff, operations, order.ordinal)
            for handoff, operations in self.calls
            for order in history.orders
        )

    def is_over(self, history: History, handoff: str, operations: tuple[str, ...], order: int) -> bool:
        """Tell whether an order is done with at a handoff, as far as its calls show."""
        calls = history.attempts(operations, order)
        aside = history.waiting(handoff, order) or history.open_cases(handoff, order)
        return not calls or calls[-1].succeeded or bool(aside)

    def __str__(self) -> str:
        """Say it."""
        return "nothing is to be sent again"


@dataclass(frozen=True, slots=True)
class Told:
    """The condition that a role was alerted where so many dead letters of a handoff wait, which is how many it takes."""

    handoff: str
    role: str
    after: int

    def is_met(self, history: History, since: float) -> bool:  # noqa: ARG002 - one signature for all conditions
        """Count what waits, and look for an alert."""
        return self.count_waiting(history) < self.after or self.is_told(history)

    def count_waiting(self, history: History) -> int:
        """Count the dead letters of this experiment that wait; none where earlier ones wait as well: then the role knows."""
        return 0 if history.left_over(self.handoff) else len(history.waiting(self.handoff))

    def is_told(self, history: History) -> bool:
        """Look for an alert of the handoff to the role, whatever it was raised for."""
        return any(alert.handoff == self.handoff and alert.role == self.role for alert in history.alerts)

    def __str__(self) -> str:
        """Name the role."""
        return f"{self.role} told of the dead letters of {self.handoff}"


def check_settled(history: History, *, rule: LedgerRule, within_s: float, patience_s: float) -> CheckResult:
    """
    Judge that every order was resolved or put aside within `within_s` lab seconds of the last fault.

    It is asked `patience_s` later than that, so a lab that was held up for less has no part in it. Unknown while an order is
    missing and what was put aside could not be read.
    """
    declared = f"every order resolved or put aside within {within_s:.1f} s of the last fault"
    entries = build_ledger(history, rule)
    stuck = [entry for entry in entries if entry.row not in SETTLED]
    unseen = [entry for entry in stuck if entry.row is Row.UNSEEN]
    if unseen:
        names = ", ".join(entry.name for entry in unseen)
        observed = f"not resolved, and what is put aside could not be read: {names}"
        return build_unknown("settled", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if stuck:
        evidence = [Evidence(f"{entry.name}: {entry.row} ({'; '.join(entry.story)})") for entry in stuck]
        observed = f"neither resolved nor put aside: {', '.join(entry.name for entry in stuck)}"
        return build_violated("settled", declared, observed, evidence, margin_s=patience_s)
    return build_held("settled", declared, f"all of {len(entries)} orders")


def check_told(history: History, *, told: Told, patience_s: float) -> CheckResult:
    """
    Judge that the role was told once as many dead letters wait as it takes; of fewer nothing is asked.

    Unknown where alerts do not say what they are about, or the dead letters could not be read.
    """
    declared = f"{told.role} told when {told.after} dead letters wait at {told.handoff}"
    if history.observed("dead_letters") is None:
        return build_unknown("told", declared, "the dead letters could not be read", UnknownKind.NOT_OBSERVABLE)
    waiting = told.count_waiting(history)
    if told.is_met(history, 0.0):
        return build_held("told", declared, f"{waiting} waited")
    if any(alert.handoff is None for alert in history.alerts):
        return build_unknown("told", declared, "an alert names no handoff", UnknownKind.NOT_OBSERVABLE)
    observed = f"{waiting} waited, and {told.role} was not told"
    return build_violated("told", declared, observed, margin_s=patience_s)
