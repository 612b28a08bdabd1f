"""
Breaker: when a handoff must fall silent, for how long, and how it comes back.

What the breaker does is derived from the calls on the wire; what the integration says of its breaker is never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.backoff import EARLY_SHARE
from harness.core.checks.openings import UNDER_WAY_S, Opening, longest_run, trace_openings
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.history import Exchange, History
    from harness.core.outcomes import DeadLetter
    from harness.core.stack import Breaker

# Below this a pause leaves nothing to watch after what was under way.
SHORTEST_PAUSE_S = 3 * UNDER_WAY_S
CONTESTED = "a call under way succeeded just as it opened and may have been counted before"
TOO_SHORT = "the pause is too short to be told from calls under way: a lower time.scale makes it longer"


def check_opens(history: History, operations: tuple[str, ...], breaker: Breaker, *, scale: float) -> CheckResult:
    """
    Judge that the handoff falls silent after N consecutive failures, for the whole pause.

    Unknown when fewer than N consecutive failures were seen: then nothing had to open.
    """
    calls = history.attempts(operations)
    declared = f"silent for {breaker.pause_s / scale:.2f} s after {breaker.failures} consecutive failures"
    openings = trace_openings(calls, breaker, scale=scale)
    if _is_too_short(breaker, scale):
        return build_unknown("opens", declared, TOO_SHORT, UnknownKind.INTERFERENCE)
    if not openings:
        return _not_in_a_row("opens", declared, calls, breaker.failures)
    evidence = [_show(opening) for opening in openings]
    for opening in openings:
        if opening.intruders:
            first = opening.intruders[0]
            observed = f"{len(opening.intruders)} sent while it must be open, first {first.started - opening.opened:.2f} s after"
            if opening.contested:
                return build_unknown("opens", declared, f"{observed}; {CONTESTED}", UnknownKind.INTERFERENCE)
            shown = [Evidence(str(call), call.started, call.id) for call in opening.intruders]
            late_s = _strayed_s(opening, breaker)
            return build_violated("opens", declared, observed, [*evidence, *shown], margin_s=late_s)
        if history.now < opening.until and not opening.probes:
            return build_unknown("opens", declared, "the pause was not watched to its end", UnknownKind.VACUOUS)
    return build_held("opens", declared, f"none within {openings[0].until - openings[0].opened:.2f} s", evidence)


def check_stays_closed(
    history: History,
    operations: tuple[str, ...],
    breaker: Breaker,
    *,
    handoff: str,
    scale: float,
    rules: tuple[DeadLetter, ...] = (),
) -> CheckResult:
    """
    Judge that fewer than N consecutive failures do not pause the handoff.

    The sign of an opening is a silence as long as the pause while work was queued, or an alert that no dead letters
    account for by these `rules`.
    """
    declared = f"stays closed below {breaker.failures} consecutive failures"
    if _is_too_short(breaker, scale):
        return build_unknown("stays_closed", declared, TOO_SHORT, UnknownKind.INTERFERENCE)
    calls = history.attempts(operations)
    run = longest_run(calls)
    if run != breaker.failures - 1:
        return _not_in_a_row("stays_closed", declared, calls, breaker.failures - 1)
    alerts = [alert for alert in history.alerts if alert.handoff == handoff]
    if len(alerts) > _count_escalations(history, operations, handoff, rules):
        shown = [Evidence(f"alert to {alert.role}: {alert.code}", alert.t) for alert in alerts]
        return build_violated("stays_closed", declared, f"an alert after {run} failures", shown)
    last = max(call.ended for call in calls if call.counts_for_breaker)
    nexts = [call for call in calls if call.started >= last]
    pause_s = breaker.pause_s / scale
    if not nexts:
        return build_violated(
            "stays_closed", declared, f"nothing sent for {history.now - last:.2f} s after {run} failures"
        )
    quiet_s = nexts[0].started - last
    evidence = [Evidence(f"next call {quiet_s:.2f} s after the last failure", nexts[0].started, nexts[0].id)]
    shortest_s = pause_s * (1 - EARLY_SHARE)
    if quiet_s >= shortest_s:
        observed = f"paused for {quiet_s:.2f} s after {run} failures"
        return build_violated("stays_closed", declared, observed, evidence, margin_s=quiet_s - shortest_s)
    return build_held("stays_closed", declared, f"went on {quiet_s:.2f} s after failure {run}", evidence)


def check_probes(
    history: History, operations: tuple[str, ...], breaker: Breaker, *, scale: float, latest_s: float
) -> CheckResult:
    """
    Judge that after the pause at most the declared number of probes is sent before one of them ended, and that one is.

    `latest_s` is how long after the pause the first probe may take while work is queued.
    """
    plural = "s" if breaker.probes > 1 else ""
    declared = f"{breaker.probes} probe{plural} after {breaker.pause_s / scale:.2f} s"
    calls = history.attempts(operations)
    openings = trace_openings(calls, breaker, scale=scale)
    if not openings:
        return _not_in_a_row("probes", declared, calls, breaker.failures)
    evidence = [_show(opening) for opening in openings]
    for opening in openings:
        wrong = _misprobed(opening, breaker, latest_s, history.now)
        if wrong is not None:
            observed, margin_s = wrong
            if opening.contested:
                return build_unknown("probes", declared, f"{observed}; {CONTESTED}", UnknownKind.INTERFERENCE)
            return build_violated("probes", declared, observed, evidence, margin_s=margin_s)
    if not openings[0].probes:
        return build_unknown("probes", declared, "the pause was not watched to its end", UnknownKind.VACUOUS)
    return build_held("probes", declared, f"{len(openings[0].probes)} probe{plural}", evidence)


def _misprobed(opening: Opening, breaker: Breaker, latest_s: float, now: float) -> tuple[str, float | None] | None:
    """Say what is wrong with the probes of one opening, and by how much it is late where that is what is wrong."""
    if not opening.probes and opening.intruders:
        return f"{len(opening.intruders)} sent before the pause was over", _strayed_s(opening, breaker)
    if not opening.probes:
        waited_s = now - opening.until
        return None if waited_s < latest_s else (f"no probe within {waited_s:.2f} s after the pause", None)
    if len(opening.probes) > breaker.probes:
        return f"{len(opening.probes)} at once", None
    late_s = min(probe.started for probe in opening.probes) - opening.until
    return (f"first probe {late_s:.2f} s after the pause", late_s - latest_s) if late_s > latest_s else None


def check_reopened(history: History, operations: tuple[str, ...], breaker: Breaker, *, scale: float) -> CheckResult:
    """Judge that a failed probe opens the breaker again: silence for another pause."""
    declared = f"a failed probe opens it again for {breaker.pause_s / scale:.2f} s"
    if _is_too_short(breaker, scale):
        return build_unknown("reopens", declared, TOO_SHORT, UnknownKind.INTERFERENCE)
    openings = trace_openings(history.attempts(operations), breaker, scale=scale)
    again = next((opening for opening in openings if opening.reopened), None)
    if again is None:
        return build_unknown("reopens", declared, "no probe failed", UnknownKind.VACUOUS)
    evidence = [_show(opening) for opening in openings]
    if again.intruders:
        first = again.intruders[0]
        observed = f"sent {first.started - again.opened:.2f} s after the failed probe"
        return build_violated("reopens", declared, observed, evidence, margin_s=_strayed_s(again, breaker))
    if history.now < again.until and not again.probes:
        return build_unknown("reopens", declared, "the second pause was not watched to its end", UnknownKind.VACUOUS)
    return build_held("reopens", declared, "silent again for the whole pause", evidence)


def _strayed_s(opening: Opening, breaker: Breaker) -> float:
    """
    Return by how much the calls within a pause are beyond what a busy lab makes of calls that are in order.

    They were under way, where anything could be, or they are what probes after a pause that began before the tap wrote so.
    """
    calls = opening.intruders
    early_s = opening.until - (opening.until - opening.opened) * EARLY_SHARE - calls[0].started
    if opening.reopened and breaker.probes == 1:
        return early_s
    return min(early_s, max(call.started for call in calls) - opening.opened - UNDER_WAY_S)


def check_one_alert(
    history: History,
    operations: tuple[str, ...],
    breaker: Breaker,
    *,
    handoff: str,
    scale: float,
    rules: tuple[DeadLetter, ...] = (),
) -> CheckResult:
    """
    Judge that each opening told the declared role once.

    An opening that follows a failed probe may be told as one of its own or as part of the same outage. Dead letters may
    have raised alerts beside it, by these `rules`.
    """
    declared = f"one alert to {breaker.alert} per opening"
    calls = history.attempts(operations)
    openings = trace_openings(calls, breaker, scale=scale)
    alerts = [alert for alert in history.alerts if alert.handoff == handoff]
    evidence = [Evidence(f"alert to {alert.role or 'nobody known'}: {alert.code}", alert.t) for alert in alerts]
    if not openings:
        return _not_in_a_row("one_alert", declared, calls, breaker.failures)
    fresh = sum(not opening.reopened for opening in openings)
    if sum(alert.t >= openings[0].opened - UNDER_WAY_S for alert in alerts) < fresh:
        observed = f"{len(alerts)} alerts for {fresh} openings"
        doubt = _doubt_silence(history, openings)
        if doubt is not None:
            return build_unknown("one_alert", declared, f"{observed}; {doubt[0]}", doubt[1])
        return build_violated("one_alert", declared, observed, evidence)
    beside = _count_escalations(history, operations, handoff, rules)
    if len(alerts) > len(openings) + beside:
        return build_violated("one_alert", declared, f"{len(alerts)} alerts for {len(openings)} openings", evidence)
    wrong = [alert for alert in alerts if alert.role != breaker.alert]
    if len(wrong) > beside:
        observed = f"told {wrong[0].role or 'a key that no role has'} instead of {breaker.alert}"
        return build_violated("one_alert", declared, observed, evidence)
    return build_held("one_alert", declared, f"{len(alerts)} for {len(openings)} openings", evidence)


def _doubt_silence(history: History, openings: Sequence[Opening]) -> tuple[str, UnknownKind] | None:
    """Say why an alert that is missing proves nothing: one that names no handoff may be it, or there was no opening."""
    if any(alert.handoff is None for alert in history.alerts):
        return "an alert names no handoff", UnknownKind.NOT_OBSERVABLE
    if any(opening.contested for opening in openings):
        return CONTESTED, UnknownKind.INTERFERENCE
    return None


def _not_in_a_row(name: str, declared: str, calls: Sequence[Exchange], needed: int) -> CheckResult:
    """
    Say that the failures which a breaker would have had to count did not come in a row.

    Where there were enough of them, another call slipped in between: that is the timing of the lab, and worth a rerun.
    """
    failures = sum(call.counts_for_breaker for call in calls)
    observed = f"{longest_run(calls)} consecutive failures, {needed} needed"
    kind = UnknownKind.VACUOUS if failures < needed else UnknownKind.INTERFERENCE
    return build_unknown(name, declared, observed, kind)


def _is_too_short(breaker: Breaker, scale: float) -> bool:
    """Tell whether the pause is so short in the lab that silence cannot be told from calls that were under way."""
    return breaker.pause_s / scale < SHORTEST_PAUSE_S


def _count_escalations(
    history: History, operations: tuple[str, ...], handoff: str, rules: tuple[DeadLetter, ...]
) -> int:
    """
    Count the alerts that dead letters of the handoff may have raised: once a rule whose number of them was reached.

    What earlier experiments left behind counts too. Where nobody shows them, every order that was given up may be one.
    """
    if history.observed("dead_letters") is None:
        last = {call.order: call for call in history.attempts(operations)}
        given_up = any(not call.succeeded for call in last.values())
        return sum(rule.escalate_after is not None and given_up for rule in rules)
    held = sum(bool(history.dead_letters(handoff, order.ordinal)) for order in history.orders)
    held += len(history.left_over(handoff)) if held else 0
    return sum(rule.escalate_after is not None and held >= rule.escalate_after for rule in rules)


def _show(opening: Opening) -> Evidence:
    word = "opened again" if opening.reopened else "opened"
    probes = f"{len(opening.probes)} probes" if opening.probes else "no probe yet"
    return Evidence(f"{word}, silent until {opening.until:.2f} s, {probes}", opening.opened)
