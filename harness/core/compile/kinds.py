"""
Kinds of experiments: what each is there to show of its clause, its placebo, and which kinds a clause has none of and why.

A kind that is missing is noticed only where all of them are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.core.compile.pairs import begins_journey
from harness.core.experiments import Gap
from harness.core.outcomes import DeadLetter
from harness.core.stack import Path
from harness.core.starts import choose_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.core.compile.clauses import Clause
    from harness.core.experiments import Experiment
    from harness.core.stack import Handoff, Stack

Kind = Literal["placebo", "positive", "boundary", "exhausted", "recovery", "negative", "interaction"]
KINDS: tuple[Kind, ...] = ("positive", "boundary", "exhausted", "recovery", "negative", "interaction")
CLEAN = "clean:resolve"

# What is no positive, by the shape of the experiment, and where the shape does not tell, by the end of its clause.
SHAPES: Mapping[str, Kind] = {
    **dict.fromkeys(("last", "below", "at", "beyond", "reset", "within-limit", "beyond-limit", "within"), "boundary"),
    "exhausted": "exhausted",
    **dict.fromkeys(("closes", "drained", "replay"), "recovery"),
    **dict.fromkeys(("other-text", "other-code", "unlisted-code", "unlisted-status", "late-rung"), "negative"),
    **dict.fromkeys(("probe-answer-lost", "interrupted", "burst", "resumed-once"), "interaction"),
    **dict.fromkeys(("contained", "others-go-on"), "interaction"),
}
DECIDED = "decided-"
ENDS: Mapping[str, Kind] = {
    CLEAN: "placebo",
    "pairs:resolve": "interaction",
    "combined:conserved": "interaction",
    ":reconcile": "recovery",
    ":recover": "recovery",
}
# Which kind a part of a clause is of that nothing asks for: then the reason for that is the reason.
PARTS: Mapping[str, Kind] = {
    "every attempt failing": "exhausted",
    "another code": "negative",
    "other-text": "negative",
    "other-code": "negative",
    "a code that no path names": "negative",
    "trouble while somebody decides": "interaction",
    "old, but signed afresh": "negative",
    "just within its age": "boundary",
}
ANYWHERE: Mapping[Kind, str] = {
    "positive": "what it declares shows in its other experiments",
    "boundary": "it counts nothing, so there is no one more and no one less",
    "exhausted": "it counts no attempts that could all fail",
    "recovery": "it holds nothing up that would have to go on",
    "negative": "no other failure could be taken for its trigger: each has a path of its own, or none",
}
# What holds instead of a clause that ends so.
INSTEAD: Mapping[str, Mapping[Kind, str]] = {
    ":retry": {
        "positive": "its only attempt is its last",
        "boundary": "there is no attempt between the first and the last",
        "recovery": "the attempt that gets through is its recovery",
    },
    ":resend": {
        "boundary": "there is no attempt between the first and the last",
        "recovery": "the attempt that gets through is its recovery",
    },
    ":renew_session": {
        "boundary": "how often the session is renewed is bounded in every one of its experiments",
        "recovery": "the attempt that gets through is its recovery",
    },
    ":queue": {"recovery": "no decision is declared after which the order would go on"},
    ":reconcile": {"positive": "what it declares is the recovery"},
    ":recover": {"positive": "what it declares is the recovery"},
    ":exactly_once": {"recovery": "the order is resolved when its answer is lost"},
    ":escalate": {
        "positive": "the number it declares is a boundary",
        "boundary": "no `escalate_after` is declared",
        "negative": "what is no dead letter of the handoff counts for nothing",
    },
    "/breaker": {
        "boundary": "one failure opens it, so there is none below",
        "exhausted": "every probe that fails is one more pause (`reopens`)",
        "negative": "a success between failures is a boundary (`reset`)",
    },
    ":contain": {"positive": "it declares what goes on meanwhile and what happens afterwards, and nothing else"},
    "pairs:resolve": {
        "positive": "each failure by itself is asked of the clause that declares it",
        "recovery": "the order has to get over both failures in every one of its experiments",
    },
}


def find_kind(clause: str, shape: str) -> Kind:
    """Find what an experiment of a clause is there to show."""
    if shape in SHAPES:
        return SHAPES[shape]
    if shape.startswith(DECIDED):
        return "recovery"
    return next((kind for end, kind in ENDS.items() if clause.endswith(end)), "positive")


def find_placebo(handoff: str, clause: str, asked: Sequence[Experiment]) -> str:
    """Find the experiment that does what those of a clause do, without a fault: with one order, or several where all need more."""
    if clause.endswith(CLEAN) or not asked:
        return ""
    return f"{handoff}/{CLEAN}/{'one' if any(each.orders == 1 for each in asked) else 'several'}"


def list_absent(
    stack: Stack,
    handoff: Handoff,
    clause: Clause,
    asked: Sequence[Experiment],
    gaps: Sequence[Gap],
    exercised: frozenset[str],
) -> tuple[Gap, ...]:
    """
    List the kinds of which an exercised clause has no experiment, each with the reason; the placebo lacks nothing.

    `exercised` are the clauses of the whole stack that have experiments.
    """
    if not asked or clause.id.endswith(CLEAN):
        return ()
    there = {find_kind(each.clause, each.shape) for each in asked}
    return tuple(
        Gap(kind, _explain(stack, handoff, clause, gaps, exercised, kind)) for kind in KINDS if kind not in there
    )


def _explain(
    stack: Stack, handoff: Handoff, clause: Clause, gaps: Sequence[Gap], exercised: frozenset[str], kind: Kind
) -> str:
    told = next((gap.why for gap in gaps if PARTS.get(gap.what) == kind), None)
    if told is not None:
        return told
    own = next((reasons.get(kind) for end, reasons in INSTEAD.items() if clause.id.endswith(end)), None)
    return own or next(_list_reasons(stack, handoff, clause, exercised, kind))


def _list_reasons(
    stack: Stack, handoff: Handoff, clause: Clause, exercised: frozenset[str], kind: Kind
) -> Iterator[str]:
    """List reasons, the most telling first; there is always one."""
    if kind == "interaction" and choose_start(handoff.resolved_when).subject != "order":
        yield "it moves items, and two failures are asked of orders"
    if kind == "interaction":
        first = next((each.id for each in stack.handoffs if begins_journey(stack, each)), None)
        if f"{first}/pairs:resolve" in exercised:
            yield f"two failures of one order are asked of {first}/pairs:resolve"
        elif first is not None:
            yield "no two handoffs that orders pass get over a failure by themselves"
        yield "orders pass no other handoff: `handoff explore` draws faults of this one together"
    if kind == "recovery" and isinstance(clause.subject, Path) and isinstance(clause.subject.outcome, DeadLetter):
        shown = handoff.dead_letter is not None and handoff.protocol == "api"
        yield f"a replay is asked of {handoff.id}/dead_letter:escalate" if shown else "no replay of these is declared"
    yield ANYWHERE.get(kind, "")
