"""What a measurement comes to: for each of the zoo and each sabotage one finding, and the score of them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from harness.core.verdict import Outcome, UnknownKind
from harness.zoo.inhabitant import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.core.result import Result
    from harness.zoo.inhabitant import Inhabitant

RowKind = Literal["broken", "correct", "sabotage"]


class Finding(StrEnum):
    """What was found of one row."""

    CAUGHT = "caught"  # broken: a clause it breaks is violated, and none it keeps
    MISSED = "missed"  # broken: none of the clauses it breaks is violated
    CLEARED = "cleared"  # correct: everything held
    ACCUSED = "accused"  # a clause is violated that is kept
    UNTOLD = "untold"  # correct: nothing violated, but not everything held; any: nothing could be run
    NOTICED = "noticed"  # sabotage: the verdict is unknown
    GREEN = "green"  # sabotage: the verdict is held


GOOD = frozenset({Finding.CAUGHT, Finding.CLEARED, Finding.NOTICED})
WRONG = frozenset({Finding.MISSED, Finding.ACCUSED, Finding.GREEN})


@dataclass(frozen=True, slots=True)
class Told:
    """One experiment that was not held: what was said of it, and of which kind where it is unknown."""

    id: str
    clause: str
    outcome: Outcome
    reason: str
    kind: UnknownKind | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """
    One of the zoo, or one sabotage, as it was found.

    `caught_by` are the clauses it breaks and is violated by, `ran` how many experiments it was given. `reproduce` is the command
    that shows it alone.
    """

    name: str
    kind: RowKind
    about: str
    stack: str
    finding: Finding
    why: str
    ran: int
    told: tuple[Told, ...] = ()
    clauses: tuple[str, ...] = ()
    caught_by: tuple[str, ...] = ()
    duration_s: float = 0.0
    reproduce: str = ""

    @classmethod
    def untold(cls, name: str, kind: RowKind, about: str, stack: str, why: str) -> Row:
        """Make the row of one that nothing was run with."""
        return cls(name, kind, about, stack, Finding.UNTOLD, why, 0)


@dataclass(frozen=True, slots=True)
class Score:
    """How many of each kind there are, by finding, and whether all is as it should be."""

    counts: dict[RowKind, Counter[Finding]]

    @property
    def wrong(self) -> int:
        """How many are missed, accused or green."""
        return sum(self.counts[kind][finding] for kind in self.counts for finding in WRONG)

    @property
    def untold(self) -> int:
        """Of how many nothing can be said."""
        return sum(counted[Finding.UNTOLD] for counted in self.counts.values())

    def of(self, kind: RowKind) -> tuple[int, int]:
        """Return how many of a kind are as they should be, and how many there are."""
        counted = self.counts.get(kind, Counter())
        return sum(counted[finding] for finding in GOOD), counted.total()


def count(rows: Iterable[Row]) -> Score:
    """Count findings by kind."""
    counts: dict[RowKind, Counter[Finding]] = {"broken": Counter(), "correct": Counter(), "sabotage": Counter()}
    for row in rows:
        counts[row.kind][row.finding] += 1
    return Score(counts)


def score_inhabitant(inhabitant: Inhabitant, results: Sequence[Result], *, duration_s: float, reproduce: str) -> Row:
    """Say of one of the zoo whether it was judged rightly."""
    told = tuple(tell(result) for result in results if result.verdict.outcome is not Outcome.HELD)
    violated = {each.clause: each for each in told if each.outcome is Outcome.VIOLATED}
    caught_by = tuple(clause for clause in inhabitant.clauses if clause in violated)
    wrongly = [each for clause, each in violated.items() if not inhabitant.may_break(clause)]
    finding, why = _judge(inhabitant, caught_by, wrongly, told, ran=len(results))
    return Row(
        name=inhabitant.name,
        kind=inhabitant.kind,
        about=inhabitant.about,
        stack=str(inhabitant.stack),
        finding=finding,
        why=why,
        ran=len(results),
        told=told,
        clauses=inhabitant.clauses,
        caught_by=caught_by,
        duration_s=duration_s,
        reproduce=reproduce,
    )


def score_sabotage(name: str, about: str, stack: str, result: Result, *, duration_s: float, reproduce: str) -> Row:
    """Say of a sabotage whether the verdict under it says nothing of the integration, as it must."""
    outcome, reason = result.verdict.outcome, result.verdict.reason
    findings = {Outcome.HELD: Finding.GREEN, Outcome.VIOLATED: Finding.ACCUSED, Outcome.UNKNOWN: Finding.NOTICED}
    told = () if outcome is Outcome.HELD else (tell(result),)
    kind = f"{result.verdict.kind}: " if result.verdict.kind is not None else ""
    return Row(
        name,
        "sabotage",
        about,
        stack,
        findings[outcome],
        f"{kind}{reason}",
        1,
        told,
        duration_s=duration_s,
        reproduce=reproduce,
    )


def tell(result: Result) -> Told:
    """Tell what was said of an experiment."""
    verdict, experiment = result.verdict, result.experiment
    return Told(experiment.id, experiment.clause, verdict.outcome, verdict.reason, verdict.kind)


def is_disturbed(row: Row) -> bool:
    """Tell whether a row would rather be measured again: it is not as it should be, and the machine had a hand in it."""
    return row.finding in {Finding.MISSED, Finding.UNTOLD} and any(
        each.kind is UnknownKind.INTERFERENCE for each in row.told
    )


def _judge(
    inhabitant: Inhabitant, caught_by: Sequence[str], wrongly: Sequence[Told], told: Sequence[Told], *, ran: int
) -> tuple[Finding, str]:
    if wrongly:
        return Finding.ACCUSED, "; ".join(f"{each.id}: {each.reason}" for each in wrongly)
    if caught_by:
        first = next(each for each in told if each.clause == caught_by[0] and each.outcome is Outcome.VIOLATED)
        return Finding.CAUGHT, f"{first.id}: {first.reason}"
    untold = [f"{each.id}: {each.reason}" for each in told] if ran else ["nothing was run"]
    if inhabitant.kind == BROKEN:
        return Finding.MISSED, "; ".join(untold) or "everything held"
    return (Finding.UNTOLD, "; ".join(untold)) if untold else (Finding.CLEARED, "everything held")
