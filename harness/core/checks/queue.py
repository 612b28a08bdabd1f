"""Role queues: one case for the right role, told to it, nothing sent meanwhile, and what a decision leads to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.core.checks.session import UNAUTHORISED
from harness.core.durations import parse_duration
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.core.checks.retry import Sent
    from harness.core.ends import EndState
    from harness.core.history import History


def check_case(
    history: History, *, handoff: str, order: int, role: str, sla_s: float | None, horizon_s: float
) -> CheckResult:
    """
    Judge that exactly one case about an order was opened, for the declared role and with its SLA (production seconds).

    What the integration does not say about a case is not held against it, its role excepted.
    """
    declared = f"one case for {role}" + (f", to be decided within {sla_s:g} s" if sla_s is not None else "")
    if "queues" not in history.observable:
        return build_unknown("case", declared, "role queues are not observable", UnknownKind.NOT_OBSERVABLE)
    cases = history.cases(handoff, order)
    evidence = [_show(case) for case in cases]
    if not cases:
        if history.observed("queues") is None:
            return build_unknown("case", declared, "the role queues were never read", UnknownKind.NOT_OBSERVABLE)
        return build_violated("case", declared, f"none within {horizon_s:.2f} s")
    promised_s = _read_sla_s(cases[0])
    wrong = _wrong_cases(cases, role, sla_s, promised_s)
    if wrong:
        return build_violated("case", declared, wrong, evidence)
    if sla_s is not None and cases[0].get("sla_s") is not None and promised_s is None:
        observed = f"its SLA cannot be read: {cases[0]['sla_s']!r}; production seconds are expected"
        return build_unknown("case", declared, observed, UnknownKind.NOT_OBSERVABLE)
    return build_held("case", declared, f"one, {cases[0].get('state', 'open')}", evidence)


def _wrong_cases(cases: Sequence[Mapping[str, Any]], role: str, sla_s: float | None, promised_s: float | None) -> str:
    """Say what is wrong with the cases about one exception; nothing when there is one, as it must be."""
    if len(cases) > 1:
        return f"{len(cases)} cases for one exception"
    if cases[0].get("role") != role:
        return f"it is in the queue of {cases[0].get('role')}"
    if None not in {sla_s, promised_s} and promised_s != sla_s:
        return f"it is to be decided within {promised_s:g} s"
    return ""


def _read_sla_s(case: Mapping[str, Any]) -> float | None:
    """Read the SLA of a case in production seconds, as a number or a duration such as `4h`; None where it says none."""
    given: Any = case.get("sla_s")
    try:
        return float(given)
    except (TypeError, ValueError):
        pass  # a duration, or nothing that can be read
    try:
        return parse_duration(given) if isinstance(given, str) else None
    except ValueError:
        return None


def check_told(history: History, *, handoff: str, order: int, role: str, horizon_s: float) -> CheckResult:
    """
    Judge that the role was told of the case once, at the ops desk, by a ticket or alert that names handoff and order.

    Unknown where the only alerts there could be about it name one of the two not at all.
    """
    declared = f"{role} told once"
    told = [
        alert
        for alert in history.alerts
        if alert.handoff == handoff and history.order(order).is_named_in(alert.entity or "")
    ]
    evidence = [Evidence(f"{alert.channel} to {alert.role}: {alert.code} {alert.entity}", alert.t) for alert in told]
    nameless = [
        alert for alert in history.alerts if alert.handoff is None or (alert.handoff == handoff and not alert.entity)
    ]
    if not told and nameless:
        observed = f"{len(nameless)} alerts do not name handoff and order, so they cannot be attributed"
        return build_unknown("told", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if not told:
        return build_violated("told", declared, f"nobody within {horizon_s:.2f} s")
    # Who else hears of it, and on which further channel, is the integration's own affair.
    channels = Counter(alert.channel for alert in told if alert.role == role)
    if not channels:
        others = sorted({str(alert.role) for alert in told})
        return build_violated("told", declared, f"{', '.join(others)} was told", evidence)
    if max(channels.values()) > 1:
        return build_violated("told", declared, f"{max(channels.values())} times", evidence)
    return build_held("told", declared, f"once, by {' and '.join(sorted(channels))}", evidence)


def check_decided(history: History, *, handoff: str, order: int, decision: str) -> CheckResult:
    """Judge that the case about an order is open no more once its role has decided; unknown where nobody could decide it."""
    declared = f"closed by {decision}"
    if "queues" not in history.observable:
        return build_unknown("decided", declared, "role queues are not observable", UnknownKind.NOT_OBSERVABLE)
    if not history.cases(handoff, order):
        return build_unknown("decided", declared, "there was no case to decide", UnknownKind.VACUOUS)
    if history.lacks_way("decide", order):
        observed = "the integration has no way to decide one"
        return build_unknown("decided", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if history.open_cases(handoff, order):
        return build_violated("decided", declared, "it is still open")
    return build_held("decided", declared, "no case open")


def check_resumed_once(history: History, sent: Sent, *, handoff: str) -> CheckResult:
    """
    Judge that an order is sent exactly once more after its role decided, however often the decision arrived.

    A call that only showed that the session had expired meanwhile is none of them, and a client below may repeat it.
    """
    declared = "sent exactly once more, however often it is decided"
    since = history.when("decide")
    if since is None or not history.cases(handoff, sent.order):
        return build_unknown("resumed_once", declared, "there was no case to decide", UnknownKind.VACUOUS)
    if history.lacks_way("decide", sent.order):
        observed = "the integration has no way to decide one"
        return build_unknown("resumed_once", declared, observed, UnknownKind.NOT_OBSERVABLE)
    calls = [
        call
        for call in history.attempts(sent.operations, sent.order)
        if call.started >= since and call.status != UNAUTHORISED
    ]
    evidence = [Evidence(str(call), call.started, call.id) for call in calls]
    if not 1 <= len(calls) <= 1 + sent.client_retries:
        return build_violated("resumed_once", declared, f"sent {len(calls)} times after the decision", evidence)
    return build_held("resumed_once", declared, "sent once", evidence)


def check_not_resolved(history: History, *, end: EndState, order: int, horizon_s: float) -> CheckResult:
    """Judge that an order did not reach an end state, as when its role has turned it down."""
    declared = f"not in {end}"
    found = end.find(history, order)
    if found:
        evidence = [Evidence(f"{each.system}: {each.collection} {each.record_id}", each.t) for each in found]
        return build_violated("not_resolved", declared, f"{len(found)} in {end}", evidence)
    return build_held("not_resolved", declared, f"none within {horizon_s:.2f} s")


def _show(case: Mapping[str, Any]) -> Evidence:
    return Evidence(f"case {case.get('id')}: {case.get('code')} for {case.get('role')}, {case.get('state')}")
