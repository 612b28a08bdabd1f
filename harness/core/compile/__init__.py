"""
Compile a stack into experiments and the coverage matrix.

Every clause (a resolution path, a breaker, the handoff's dead letters, what it owes undisturbed and under ambiguity) goes to
the family that knows its boundaries. A clause no family can exercise stays in the matrix with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile.branch import compile_branch
from harness.core.compile.breaker import compile_breaker
from harness.core.compile.clauses import Clause, list_clauses
from harness.core.compile.combined import compile_regressions
from harness.core.compile.containment import compile_containment
from harness.core.compile.dead_letter import compile_at_once, compile_escalation, compile_own_escalation
from harness.core.compile.effects import compile_clean, compile_exactly_once
from harness.core.compile.frame import Frame
from harness.core.compile.healing import compile_healing
from harness.core.compile.herd import compile_herd
from harness.core.compile.impossible import explain_path
from harness.core.compile.kinds import find_placebo, list_absent
from harness.core.compile.negative import compile_negative
from harness.core.compile.pairs import begins_journey, compile_pairs
from harness.core.compile.passage import explain_undriven, is_unseen
from harness.core.compile.queue import compile_asked_after, compile_queue
from harness.core.compile.retry import compile_retry
from harness.core.compile.session import compile_session
from harness.core.compile.threshold import compile_threshold
from harness.core.compile.webhook import compile_webhook
from harness.core.experiments import Coverage, Experiment, Gap, Plan
from harness.core.outcomes import Branch, DeadLetter, Queue, Renew, Retry
from harness.core.stack import Breaker, Handoff, Path, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


# What a handoff owes without a path of its own, by the name its clause carries.
OWED: Mapping[str, Callable[[Frame], Iterator[Experiment | Gap]]] = {
    "clean": compile_clean,
    "exactly_once": compile_exactly_once,
    "contained": compile_containment,
    "pairs": compile_pairs,
}


def compile_stack(stack: Stack) -> Plan:
    """
    Compile every clause of every handoff.

    Ids are unique and depend on the declarations alone: same stack, same ids, in the same order.
    """
    experiments: list[Experiment] = []
    parts: list[tuple[Handoff, Clause, list[Experiment], tuple[Gap, ...]]] = []
    for handoff in stack.handoffs:
        for clause in list_clauses(handoff, journey=begins_journey(stack, handoff)):
            frame = Frame(stack, handoff, clause.id, clause.declared, clause.location)
            driven = explain_undriven(stack, handoff) is None and not _ends_unseen(clause.subject)
            compiled = tuple(_compile(frame, clause.subject)) if driven else ()
            asked = [each for each in compiled if isinstance(each, Experiment)]
            gaps = tuple(each for each in compiled if isinstance(each, Gap))
            experiments += asked
            parts.append((handoff, clause, asked, gaps))
    exercised = frozenset(clause.id for _, clause, asked, _ in parts if asked)
    coverage = [_cover(stack, *part, exercised) for part in parts]
    regressions, rows = compile_regressions(stack)
    return Plan((*experiments, *regressions), (*coverage, *rows))


def _cover(
    stack: Stack,
    handoff: Handoff,
    clause: Clause,
    asked: list[Experiment],
    gaps: tuple[Gap, ...],
    exercised: frozenset[str],
) -> Coverage:
    """Build the row of a clause, of all that are `exercised`; where nothing is asked of it, the first gap says why."""
    ids = tuple(experiment.id for experiment in asked)
    place = (handoff.id, clause.id, clause.declared, str(clause.location), ids)
    if ids:
        absent = list_absent(stack, handoff, clause, asked, gaps, exercised)
        return Coverage(*place, gaps=gaps, placebo=find_placebo(handoff.id, clause.id, asked), absent=absent)
    return Coverage(*place, not_exercised=gaps[0].why if gaps else _why_not(stack, handoff, clause))


def _compile(frame: Frame, subject: object) -> Iterable[Experiment | Gap]:
    match subject:
        case Path():
            return _compile_path(frame, subject)
        case Breaker():
            return compile_breaker(frame, subject) if frame.handoff.protocol == "api" else ()
        case DeadLetter():
            return compile_escalation(frame, subject) if frame.handoff.protocol == "api" else ()
        case str():
            return OWED[subject](frame)
        case _:
            return ()


def _compile_path(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    if frame.handoff.protocol == "webhook":
        yield from compile_webhook(frame, path)
        return
    if path.on.when is not None:
        yield from compile_threshold(frame, path, path.on.when)
        return
    match path.outcome:
        case Retry():
            yield from compile_retry(frame, path, path.outcome)
            yield from compile_herd(frame, path, path.outcome)
            yield from compile_own_escalation(frame, path)
            if isinstance(path.then, Queue):
                yield from compile_asked_after(frame, path, path.outcome, path.then)
        case Renew():
            yield from compile_session(frame, path, path.outcome)
            yield from compile_own_escalation(frame, path)
            if isinstance(path.then, Queue):
                yield Gap("what is decided then", "it is asked of the cases that a retry or an answer leads to")
        case Branch():
            yield from compile_branch(frame, path, path.outcome)
        case DeadLetter():
            yield from compile_at_once(frame, path, path.dead_letter or path.outcome)
        case Queue():
            yield from compile_queue(frame, path, path.outcome)
        case _:
            yield from compile_healing(frame, path)
    yield from compile_negative(frame, path)


def _ends_unseen(subject: object) -> bool:
    """Tell whether a path, or a decision of its queue, ends where nobody but the integration shows it."""
    return isinstance(subject, Path) and any(map(is_unseen, subject.ends))


def _why_not(stack: Stack, handoff: Handoff, clause: Clause) -> str:
    undriven = explain_undriven(stack, handoff)
    if undriven is not None:
        return undriven
    if _ends_unseen(clause.subject):
        return "nobody but the integration shows where it ends"
    match clause.subject:
        case Breaker() | DeadLetter() if handoff.protocol == "webhook":
            return "it counts calls, and this handoff makes none"
        case DeadLetter():
            return "no failure fills the dead letters without opening the breaker, or none is declared to lead there"
        case Path():
            return explain_path(stack, handoff, clause.subject)
        case _:
            return "nothing of it can be brought about at this handoff"
