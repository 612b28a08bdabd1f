"""Which experiments tell whether somebody in the zoo is judged rightly."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harness.core.faults import draw
from harness.zoo.inhabitant import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.core.experiments import Experiment
    from harness.zoo.inhabitant import Inhabitant

ELSEWHERE = 3
"""How many experiments of other handoffs a broken one runs beside all of its own."""
FAIR = 30
"""How many experiments a correct one runs, spread over all handoffs."""


def choose(
    experiments: Sequence[Experiment],
    inhabitant: Inhabitant,
    *,
    seed: int,
    elsewhere: int = ELSEWHERE,
    fair: int = FAIR,
    most: int | None = None,
) -> tuple[Experiment, ...]:
    """
    Choose the experiments of one of the zoo, in the order of the plan.

    Of a broken one everything about the handoffs it breaks, and a sample of the rest; of a correct one a sample that takes from
    every handoff in turn. Where that is more than `most`, what is about its handoffs, but not about the clauses it breaks, is
    sampled too. Samples depend on the seed and the name alone.
    """
    ranked = sorted(experiments, key=lambda each: draw(seed, inhabitant.name, each.id))
    if inhabitant.kind == BROKEN:
        telling = [each for each in ranked if inhabitant.breaks(each.clause)]
        beside = [each for each in ranked if each.handoff in inhabitant.handoffs and not inhabitant.breaks(each.clause)]
        rest = [each for each in ranked if each.handoff not in inhabitant.handoffs][:elsewhere]
        room = len(beside) if most is None else max(0, most - len(telling) - len(rest))
        picked = [*telling, *beside[:room], *rest]
    else:
        picked = _deal(ranked)[: fair if most is None else min(fair, most)]
    chosen = {each.id for each in picked}
    return tuple(each for each in experiments if each.id in chosen)


def _deal(ranked: Iterable[Experiment]) -> list[Experiment]:
    """Deal experiments so that every handoff gives its first before any gives its second."""
    turns: defaultdict[str, int] = defaultdict(int)
    dealt: list[tuple[int, Experiment]] = []
    for each in ranked:
        dealt.append((turns[each.handoff], each))
        turns[each.handoff] += 1
    return [each for _, each in sorted(dealt, key=lambda turn: turn[0])]


def list_unknown_clauses(experiments: Iterable[Experiment], inhabitant: Inhabitant) -> tuple[str, ...]:
    """List the clauses somebody says to break that the stack exercises nowhere."""
    known = {each.clause for each in experiments}
    return tuple(clause for clause in inhabitant.clauses if clause not in known)
