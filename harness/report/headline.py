"""The sentence for the head of operations: how much holds, whether orders are safe, and what leads to what."""

from collections.abc import Mapping, Sequence
from operator import itemgetter

from harness.report.effects import FALLBACK_EFFECT, say_effects
from harness.report.model import Experiment, Handoff, Ledger
from harness.report.phrases import join_words, plural, say_cause
from harness.report.rows import Totals

_TOLD = 2


def build_headline(
    totals: Totals,
    ledger: Ledger | None,
    broken: Sequence[Experiment],
    handoffs: Mapping[str, Handoff],
    *,
    untested: int,
    interrupted: bool,
) -> str:
    """
    Build one sentence without a technical word that the reader would have to look up.

    `untested` is how many clauses met no experiment.

    "67 of 68 promises hold; orders are not lost, but ERP rate limits lead to a fifth attempt and no dead letter."
    """
    if not totals.judged:
        return _say_empty(totals, interrupted=interrupted)
    parts = [_say_share(totals, interrupted=interrupted)]
    if totals.unknown:
        parts.append(f"{totals.unknown:,} could not be judged")
    if totals.accepted:
        parts.append(f"{totals.accepted:,} {'is' if totals.accepted == 1 else 'are'} knowingly lived with")
    if untested:
        parts.append(f"{plural(untested, 'clause')} {'was' if untested == 1 else 'were'} not tested")
    orders, stories = _say_orders(ledger), _say_stories(broken, handoffs)
    link = ", but " if ledger and ledger.is_clean else ", and "
    last = link.join(part for part in (orders, stories) if part)
    return "; ".join(part for part in (", ".join(parts), last) if part) + "."


def _say_empty(totals: Totals, *, interrupted: bool) -> str:
    if interrupted:
        return "The run was interrupted before the first promise was tested."
    if totals.skipped:
        return f"Nothing was tested: {plural(totals.skipped, 'experiment')} skipped."
    return "Nothing was tested: the run has no experiments."


def _say_share(totals: Totals, *, interrupted: bool) -> str:
    held, judged = totals.held, totals.judged
    start = "The run was interrupted; so far " if interrupted else ""
    if held == judged:
        share = "the one promise tested holds" if held == 1 else f"all {held:,} promises hold"
    elif held == 0:
        share = "the one promise tested does not hold" if judged == 1 else f"none of {judged:,} promises holds"
    else:
        share = f"{held:,} of {judged:,} promises {'holds' if held == 1 else 'hold'}"
    return start + share if start else share[0].upper() + share[1:]


def _say_orders(ledger: Ledger | None) -> str:
    if ledger is None or (ledger.lost is None and ledger.duplicated is None and not ledger.violations):
        return ""
    bad = [
        f"{plural(n, 'order')} {'is' if n == 1 else 'are'} {fate}"
        for n, fate in ((ledger.lost or 0, "lost"), (ledger.duplicated or 0, "doubled"))
        if n
    ]
    if bad:
        return join_words(bad)
    if ledger.violations:
        n = len(ledger.violations)
        return f"{plural(n, 'order')} {'is' if n == 1 else 'are'} in a state that is not allowed"
    if ledger.unseen:
        return (
            f"of {plural(ledger.unseen, 'order')} nobody can say where {'it is' if ledger.unseen == 1 else 'they are'}"
        )
    return "orders are not lost" if ledger.orders else ""


def _say_stories(broken: Sequence[Experiment], handoffs: Mapping[str, Handoff]) -> str:
    groups: dict[str, list[Experiment]] = {}
    for experiment in broken:
        cause = say_cause(experiment.clause, handoffs.get(experiment.handoff))
        groups.setdefault(cause, []).append(experiment)
    vague = [all(say_effects(item) == (FALLBACK_EFFECT,) for item in group) for group in groups.values()]
    ranked = [group for _, group in sorted(zip(vague, groups.values(), strict=True), key=itemgetter(0))]
    told = [say_broken(group, handoffs) for group in ranked[:_TOLD]]
    more = len(groups) - len(told)
    if more:
        told.append(f"{more} more {'thing goes' if more == 1 else 'things go'} wrong")
    return join_words(told) if not more else ", ".join(told[:-1]) + f", and {told[-1]}"


def say_broken(experiments: Sequence[Experiment], handoffs: Mapping[str, Handoff]) -> str:
    """Tell what violated experiments of one cause say: "ERP rate limits lead to a fifth attempt and no dead letter"."""
    first = experiments[0]
    effects = dict.fromkeys(effect for experiment in experiments for effect in say_effects(experiment))
    return f"{say_cause(first.clause, handoffs.get(first.handoff))} lead to {join_words(list(effects)[:3])}"
