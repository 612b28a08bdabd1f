"""
What can be said of a promise, and how single findings become one verdict.

Gates come first: when one fails, nothing that was seen counts and the verdict is unknown. Behind the gates the checks
merge and the worst wins: violated, then unknown, then held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.core.jitter import Wait


class Outcome(StrEnum):
    """The three values of a verdict."""

    HELD = "held"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class UnknownKind(StrEnum):
    """Why nothing can be said; docs/contract.md §5 defines the kinds."""

    VACUOUS = "vacuous"
    ENVIRONMENT = "environment"
    INTERFERENCE = "interference"
    NOT_OBSERVABLE = "not_observable"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing seen: a sentence, when (seconds since the experiment began), and the exchange it was seen on."""

    what: str
    t: float | None = None
    exchange: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """
    What one check says, with declared beside observed; `kind` is set when it is unknown.

    `margin_s` is set when a promise was broken by being late, and says by how much beyond all tolerance. `waits` are what a
    backoff was judged by.
    """

    name: str
    outcome: Outcome
    declared: str
    observed: str
    evidence: tuple[Evidence, ...] = ()
    kind: UnknownKind | None = None
    margin_s: float | None = None
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition without which an experiment proves nothing; `kind` is what a failed one makes the verdict."""

    name: str
    passed: bool
    kind: UnknownKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one experiment, with everything it rests on."""

    outcome: Outcome
    reason: str
    gates: tuple[Gate, ...]
    checks: tuple[CheckResult, ...]
    kind: UnknownKind | None = None


def build_held(name: str, declared: str, observed: str, evidence: Iterable[Evidence] = ()) -> CheckResult:
    """Say that a check was satisfied, and by what."""
    return CheckResult(name, Outcome.HELD, declared, observed, tuple(evidence))


def build_violated(
    name: str, declared: str, observed: str, evidence: Iterable[Evidence] = (), *, margin_s: float | None = None
) -> CheckResult:
    """Say that a promise was broken, and how; by how many seconds where it was broken by being late."""
    return CheckResult(name, Outcome.VIOLATED, declared, observed, tuple(evidence), margin_s=margin_s)


def build_unknown(name: str, declared: str, observed: str, kind: UnknownKind) -> CheckResult:
    """Say that a check could not decide, and why."""
    return CheckResult(name, Outcome.UNKNOWN, declared, observed, kind=kind)


def merge(gates: Sequence[Gate], checks: Sequence[CheckResult]) -> Verdict:
    """
    Make one verdict of gates and checks.

    A failed gate makes it unknown whatever the checks say; an experiment without a single check proves nothing and is
    unknown too.
    """
    failed = next((gate for gate in gates if not gate.passed), None)
    if failed is not None:
        return _verdict(Outcome.UNKNOWN, failed.detail or failed.name, gates, checks, failed.kind)
    for outcome in (Outcome.VIOLATED, Outcome.UNKNOWN):
        worst = next((check for check in checks if check.outcome is outcome), None)
        if worst is not None:
            return _verdict(outcome, worst.observed, gates, checks, worst.kind)
    if not checks:
        return _verdict(Outcome.UNKNOWN, "nothing was checked", gates, checks, UnknownKind.VACUOUS)
    return _verdict(Outcome.HELD, checks[0].observed, gates, checks, None)


def _verdict(
    outcome: Outcome,
    reason: str,
    gates: Sequence[Gate],
    checks: Sequence[CheckResult],
    kind: UnknownKind | None,
) -> Verdict:
    return Verdict(outcome, reason, tuple(gates), tuple(checks), kind)
