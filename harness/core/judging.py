"""The judgement of one experiment, the same whether it has just been run or is judged again from its record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.checks.ledger import RESTING, Row, audit_ledger, check_ledger
from harness.core.checks.stock import check_stock, has_stock
from harness.core.experiments import Check, LedgerRule
from harness.core.gates import list_gates, run_check
from harness.core.verdict import merge

if TYPE_CHECKING:
    from harness.core.checks.ledger import Entry as LedgerEntry
    from harness.core.experiments import Experiment
    from harness.core.history import History
    from harness.core.verdict import Verdict

# The gates that can also fail after the steps, while the lab is brought to rest.
_TROUBLES = frozenset({"environment", "harness healthy"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on an experiment, and where each of its orders was found at rest."""

    verdict: Verdict
    ledger: tuple[LedgerEntry, ...]


def judge_whole(experiment: Experiment, driven: History, rested: History) -> Judgement:
    """
    Judge an experiment by its history when its steps were done, and by what must be true once the lab was at rest.

    Gates are asked of the first; a trouble that came up only while the lab was brought to rest counts as well.
    """
    late = {gate.name: gate for gate in list_gates(experiment, rested) if not gate.passed and gate.name in _TROUBLES}
    gates = [late.get(gate.name, gate) for gate in list_gates(experiment, driven)]
    checks = [run_check(check, driven) for check in experiment.checks]
    orders = _list_orders(experiment, rested)
    checks += [run_check(check, rested) for check in list_lasting(experiment, rested, orders)]
    troubled = any(gate.name in _TROUBLES and not gate.passed for gate in gates)
    return Judgement(merge(gates, checks), tuple(_doubt(entry) if troubled else entry for entry in orders or ()))


def _list_orders(experiment: Experiment, rested: History) -> tuple[LedgerEntry, ...] | None:
    """Say where every order is; None where nobody can, which is for the ledger's check to tell."""
    try:
        return audit_ledger(rested, select_stations(experiment)) if experiment.subject == "order" else ()
    except Exception:  # noqa: BLE001 - a record that no vendor would write must not end the run
        return None


def list_lasting(experiment: Experiment, rested: History, orders: tuple[LedgerEntry, ...] | None = None) -> list[Check]:
    """
    List the checks that are asked at rest whatever the clause: the ledger, of orders alone, and the stock that moved.

    `orders` is where every order was found, where that is known already.
    """
    ledger = Check("ledger", partial(check_ledger, rule=select_stations(experiment), entries=orders))
    stock = Check("stock", check_stock)
    return [*([ledger] if experiment.subject == "order" else []), *([stock] if has_stock(rested) else [])]


def _doubt(entry: LedgerEntry) -> LedgerEntry:
    """Take back what the ledger says against an order: where the lab was not in order, it may only have been cut short."""
    return entry if entry.row in RESTING else replace(entry, row=Row.UNSEEN)


def select_stations(experiment: Experiment) -> LedgerRule:
    """Select what the ledger asks of orders: they pass no station that items pass."""
    return LedgerRule(tuple(each for each in experiment.ledger.stations if each.start.subject == "order"))
