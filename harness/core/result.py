"""What one experiment came to: its verdict, the history it rests on, and where its time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.checks.ledger import Entry as LedgerEntry
    from harness.core.experiments import Experiment
    from harness.core.history import History
    from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Timing:
    """
    Where the time of an experiment went, in seconds.

    `inherent_s` lies inside declared waits and horizons of absence, `integration_s` is the integration's own, `overhead_s`
    what the harness spent on settling, arming, noticing, collecting and judging; they add up to `duration_s`.
    """

    duration_s: float
    inherent_s: float
    integration_s: float
    overhead_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """One experiment, run and judged; `rerun_of` is the first run, when that was disturbed."""

    experiment: Experiment
    verdict: Verdict
    history: History
    timing: Timing
    ledger: tuple[LedgerEntry, ...] = ()
    lab: int = 0
    rerun_of: Result | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """
    An experiment that was not run, and why.

    One that is not `applicable` cannot be run with this integration at all; leaving it out makes no run incomplete.
    """

    id: str
    reason: str
    applicable: bool = True
