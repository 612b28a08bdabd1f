"""Session: an expired one is renewed once, by whoever meets it, and the work goes on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.core.checks.openings import UNDER_WAY_S
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.history import History

UNAUTHORISED = 401


def check_renewed(
    history: History, *, system: str, renewals: tuple[str, ...], fault: str, at_most: int = 1
) -> CheckResult:
    """
    Judge how often the session was renewed after it expired.

    `renewals` are the operations that get a new session. `at_most` is 1 for one expiry, however many workers meet it at
    the same time, and higher where the vendor goes on refusing new sessions.
    """
    declared = "the session renewed once" if at_most == 1 else f"the session renewed at most {at_most} times"
    met = history.hits(fault)
    if not met:
        return build_unknown("renewed", declared, "nobody met the expired session", UnknownKind.VACUOUS)
    since = min(receipt.t for receipt in met)
    calls = [call for call in history.attempts(renewals) if call.system == system and call.ended >= since]
    evidence = [Evidence(str(call), call.started, call.id) for call in calls]
    if not calls:
        return build_violated("renewed", declared, "never renewed", evidence)
    if len(calls) > at_most:
        return build_violated("renewed", declared, f"renewed {len(calls)} times", evidence)
    return build_held("renewed", declared, f"renewed {'once' if len(calls) == 1 else f'{len(calls)} times'}", evidence)


def check_no_storm(
    history: History,
    *,
    system: str,
    renewals: tuple[str, ...],
    operations: tuple[str, ...],
    orders: tuple[int, ...],
    attempts: int,
) -> CheckResult:
    """
    Judge that nobody goes on with a session that has been renewed, and that no order is sent more often than declared.

    Calls that began just as the session was renewed were under way.
    """
    declared = f"no order sent more than {attempts} times, none with the old session once it is renewed"
    calls = [call for order in orders for call in history.attempts(operations, order)]
    refused = [call for call in calls if call.status == UNAUTHORISED]
    if not refused:
        return build_unknown("no_storm", declared, "nobody met the expired session", UnknownKind.VACUOUS)
    sent = Counter(call.order for call in calls)
    worst = max(sent.values())
    if worst > attempts:
        observed = f"an order sent {worst} times, {len(refused)} calls refused"
        shown = [Evidence(str(call), call.started, call.id) for call in calls if sent[call.order] == worst]
        return build_violated("no_storm", declared, observed, shown)
    since = min(call.started for call in refused)
    renewed = next(
        (
            call.ended
            for call in history.attempts(renewals)
            if call.system == system and call.succeeded and call.started >= since
        ),
        None,
    )
    later = [call for call in refused if renewed is not None and call.started > renewed + UNDER_WAY_S]
    if renewed is not None and later:
        shown = [Evidence(str(call), call.started, call.id) for call in later]
        late_s = max(call.started for call in later) - renewed - UNDER_WAY_S
        observed = f"{len(later)} sent with the old session after it was renewed"
        return build_violated("no_storm", declared, observed, shown, margin_s=late_s)
    return build_held("no_storm", declared, f"{len(refused)} of {len(calls)} calls refused, none after the renewal")
