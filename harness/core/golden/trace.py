"""A golden trace as a value, its judgement, and how that differs from what it must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.core.gates import list_gates, run_check
from harness.core.judging import list_lasting
from harness.core.record import build_history
from harness.core.verdict import Outcome, merge

if TYPE_CHECKING:
    from harness.core.experiments import Check, Experiment
    from harness.core.history import History
    from harness.core.problems import Location, Problem
    from harness.core.record import Entry, Scope
    from harness.core.verdict import CheckResult, UnknownKind, Verdict


# What is asked at rest, whatever the clause.
LASTING = ("ledger", "stock")


class TraceError(Exception):
    """Carry everything that is wrong with one trace, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problem.render() for problem in problems))


@dataclass(frozen=True, slots=True)
class Expected:
    """
    The verdict a trace must get.

    `by` names what decides: the first failed gate, or every check with that outcome in the order of the experiment; empty
    when it is held. `says` are words of the reason.
    """

    outcome: Outcome
    kind: UnknownKind | None = None
    by: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A story, the experiment it happened in, the record it left, and its verdict; `rest` is what followed the judgement."""

    story: str
    experiment: Experiment
    scope: Scope
    entries: tuple[Entry, ...]
    expected: Expected
    location: Location
    rest: tuple[Entry, ...] = ()
    raising: str = ""

    @property
    def history(self) -> History:
        """Build the history that is judged."""
        return build_history(self.entries, self.scope)

    @property
    def rested(self) -> History:
        """Build the history the ledger is asked of: what is judged, and what came after."""
        return build_history((*self.entries, *self.rest), self.scope)


def judge_trace(trace: Trace) -> Verdict:
    """Judge a trace as the engine judges an experiment: gates, checks, and ledger and stock once everything is at rest."""
    history, rested = trace.history, trace.rested
    lasting = list_lasting(trace.experiment, rested)
    asked = [*((check, history) for check in trace.experiment.checks), *((check, rested) for check in lasting)]
    results = [run_check(_raising(check) if check.name == trace.raising else check, seen) for check, seen in asked]
    return merge(list_gates(trace.experiment, history), results)


def find_deciding(verdict: Verdict) -> tuple[str, ...]:
    """Name what decided a verdict: the first failed gate, or the checks of its outcome; nothing when it is held."""
    failed = next((gate.name for gate in verdict.gates if not gate.passed), None)
    if failed is not None:
        return (failed,)
    if verdict.outcome is Outcome.HELD:
        return ()
    return tuple(check.name for check in verdict.checks if check.outcome is verdict.outcome)


def list_differences(trace: Trace, verdict: Verdict) -> tuple[str, ...]:
    """List, in words, where a verdict is not what the trace must get; empty when it is."""
    must = trace.expected
    pairs = (
        ("verdict", must.outcome, verdict.outcome),
        ("kind", must.kind, verdict.kind),
        ("decided by", ", ".join(must.by), ", ".join(find_deciding(verdict))),
    )
    found = [f"{what}: {is_} instead of {should}" for what, should, is_ in pairs if should != is_]
    if must.says not in verdict.reason:
        found.append(f"reason: does not say {must.says!r}")
    if found:
        found.append(f"reason given: {verdict.reason}")
    return tuple(found)


def _raising(check: Check) -> Check:
    def judge(history: History) -> CheckResult:
        raise RuntimeError(f"made to raise after {history.now:g} s")

    return replace(check, judge=judge)
