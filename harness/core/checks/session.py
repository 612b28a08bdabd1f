"""Session: an expired one is renewed once, by whoever meets it, and the work goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.history import History


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
