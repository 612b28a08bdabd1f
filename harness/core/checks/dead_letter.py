"""Dead letters: what was put aside, with the exact payload, who was told and when, and what a replay does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.core.checks.retry import Sent
    from harness.core.history import Alert, Exchange, History

UNAUTHORISED = 401
NO_REPLAY = "the integration has no way to replay one"


def check_dead_letter(history: History, sent: Sent, *, handoff: str, horizon_s: float) -> CheckResult:
    """
    Judge that an order which could not be sent is in the dead letters exactly once, with the payload that failed.

    It must wait, its hash must be that of a body seen on the wire, and its attempts, where it tells them, must equal the
    calls the tap counted.
    """
    declared = "one dead letter with the payload that failed"
    if "dead_letters" not in history.observable:
        return build_unknown("dead_letter", declared, "dead letters are not observable", UnknownKind.NOT_OBSERVABLE)
    letters = history.dead_letters(handoff, sent.order)
    calls = history.attempts(sent.operations, sent.order)
    evidence = [_show(letter) for letter in letters]
    if not letters:
        return _none(history, declared, horizon_s)
    if len(letters) > 1:
        return build_violated("dead_letter", declared, f"{len(letters)} dead letters for one failure", evidence)
    letter = letters[0]
    wrong = _wrong_letter(history, letter, calls, sent)
    if wrong:
        return build_violated("dead_letter", declared, wrong, evidence)
    if not letter.get("payload_sha256"):
        return build_unknown("dead_letter", declared, "it shows no payload_sha256", UnknownKind.NOT_OBSERVABLE)
    return build_held("dead_letter", declared, f"one after {len(calls)} attempts, payload matches", evidence)


def _wrong_letter(history: History, letter: Mapping[str, Any], calls: Sequence[Exchange], sent: Sent) -> str:
    """Say what is wrong with the one dead letter of an order; nothing when it is as it must be."""
    digest, counted = letter.get("payload_sha256"), letter.get("attempts")
    bodies = {call.body_sha256 for call in calls if call.body_sha256}
    if digest and bodies and digest not in bodies:
        return f"its payload {_short(digest)} is none that was sent"
    if counted is not None and str(counted) != str(len(calls)) and not sent.client_retries:
        return f"it claims {counted} attempts, the wire shows {len(calls)}"
    if letter not in history.waiting(str(letter.get("handoff")), sent.order):
        return f"it does not wait: {letter.get('state')}"
    return ""


def check_no_dead_letter(history: History, *, handoff: str, orders: tuple[int, ...]) -> CheckResult:
    """Judge that none of the orders was put aside."""
    declared = "no dead letter"
    if "dead_letters" not in history.observable:
        return build_unknown("no_dead_letter", declared, "dead letters are not observable", UnknownKind.NOT_OBSERVABLE)
    letters = [letter for order in orders for letter in history.dead_letters(handoff, order)]
    if letters:
        return build_violated(
            "no_dead_letter", declared, f"{len(letters)} dead letters", [_show(item) for item in letters]
        )
    if history.observed("dead_letters") is None:
        return build_unknown("no_dead_letter", declared, "the dead letters were never read", UnknownKind.NOT_OBSERVABLE)
    return build_held("no_dead_letter", declared, "none")


def check_payload_kept(
    history: History, *, handoff: str, order: int, horizon_s: float, topics: tuple[str, ...] = ()
) -> CheckResult:
    """Judge that a webhook which could not be understood is in the dead letters once, byte for byte as it came."""
    declared = "one dead letter with the webhook's exact payload"
    if "dead_letters" not in history.observable:
        return build_unknown("dead_letter", declared, "dead letters are not observable", UnknownKind.NOT_OBSERVABLE)
    sent = {delivery.body_sha256 for delivery in history.sent_by(order, topics)}
    letters = [item for item in history.dead_letters(handoff) if item.get("payload_sha256") in sent]
    if not letters:
        return _none(history, declared, horizon_s)
    evidence = [_show(letter) for letter in letters]
    if len(letters) > 1:
        return build_violated("dead_letter", declared, f"{len(letters)} dead letters for one webhook", evidence)
    return build_held("dead_letter", declared, "one, payload matches", evidence)


def check_escalation(
    history: History,
    *,
    handoff: str,
    role: str,
    expected: int,
    after: int,
    horizon_s: float,
    waiting: int | None = None,
) -> CheckResult:
    """
    Judge how often the dead letters of a handoff were escalated, and to whom.

    `expected` is 0 while fewer than `after` are held and 1 from then on, however many follow. Alerts count as distinct
    open alerts at the ops desk. `waiting` is how many dead letters there must have been for that; with fewer, silence
    proves nothing. What earlier experiments left behind counts too: it may complete the number, and where it does so by
    itself, the role was told then and need not be told again. Unknown where nobody can tell what was held.
    """
    plural = "s" if after > 1 else ""
    declared = f"escalated once to {role} when {after} dead letter{plural} wait{'' if after > 1 else 's'}, not before"
    alerts = [alert for alert in history.alerts if alert.handoff == handoff]
    evidence = [_show_alert(alert) for alert in alerts]
    left = len(history.left_over(handoff))
    expected = int(left + (waiting or 1) >= after) if left else expected
    if len(alerts) > (1 if history.observed("dead_letters") is None else expected):
        return build_violated("escalation", declared, f"{len(alerts)} alerts, expected {expected}", evidence)
    wrong = [alert for alert in alerts if alert.role != role]
    if wrong:
        observed = f"escalated to {wrong[0].role or 'a key that no role has'} instead of {role}"
        return build_violated("escalation", declared, observed, evidence)
    doubt = _doubt(history, handoff, len(alerts), expected=expected, waiting=0 if left >= after else waiting)
    if doubt is not None:
        return build_unknown("escalation", declared, *doubt)
    if len(alerts) < expected and left < after:
        return build_violated("escalation", declared, f"no alert within {horizon_s:.1f} s", evidence)
    beside = f", beside {left} dead letters of earlier experiments" if left else ""
    told = f"{len(alerts)} alert{'s' if len(alerts) != 1 else ''}{beside}"
    return build_held("escalation", declared, told, evidence)


def _doubt(
    history: History, handoff: str, alerts: int, *, expected: int, waiting: int | None
) -> tuple[str, UnknownKind] | None:
    """Say why so many alerts prove nothing: nobody can tell what they are about, or how many dead letters were held."""
    nameless = sum(alert.handoff is None for alert in history.alerts)
    if nameless:
        return f"{nameless} alerts name no handoff, so they cannot be attributed", UnknownKind.NOT_OBSERVABLE
    if history.observed("dead_letters") is None:
        if alerts == expected and (alerts or waiting is None):
            return None
        return f"{'an' if alerts else 'no'} alert, but dead letters are not observable", UnknownKind.NOT_OBSERVABLE
    held = sum(bool(history.dead_letters(handoff, order.ordinal)) for order in history.orders)
    if not alerts and waiting is not None and held < waiting:
        return f"no alert, but only {held} dead letters were held, {waiting} needed", UnknownKind.VACUOUS
    return None


def check_replay(history: History, *, handoff: str, order: int) -> CheckResult:
    """Judge that a replayed dead letter no longer waits, whether it is still shown or not."""
    declared = "replaying it resolves it"
    if "dead_letters" not in history.observable:
        return build_unknown("replay", declared, "dead letters are not observable", UnknownKind.NOT_OBSERVABLE)
    letters = history.dead_letters(handoff, order)
    if not letters:
        return build_unknown("replay", declared, "there was nothing to replay", UnknownKind.VACUOUS)
    if history.lacks_way("replay", order):
        return build_unknown("replay", declared, NO_REPLAY, UnknownKind.NOT_OBSERVABLE)
    waiting = history.waiting(handoff, order)
    if waiting:
        return build_violated("replay", declared, "it still waits", [_show(letter) for letter in waiting])
    return build_held("replay", declared, "it waits no more", [_show(letter) for letter in letters])


def check_replayed_once(history: History, sent: Sent, *, handoff: str) -> CheckResult:
    """
    Judge that a replay sent the order exactly once more; unknown when nothing could be replayed.

    A call that only showed that the session had expired meanwhile is none of them.
    """
    declared = "a replay sends it exactly once more"
    if "dead_letters" not in history.observable:
        return build_unknown("replayed_once", declared, "dead letters are not observable", UnknownKind.NOT_OBSERVABLE)
    since = history.when("replay")
    if since is None or not history.dead_letters(handoff, sent.order):
        return build_unknown("replayed_once", declared, "there was nothing to replay", UnknownKind.VACUOUS)
    if history.lacks_way("replay", sent.order):
        return build_unknown("replayed_once", declared, NO_REPLAY, UnknownKind.NOT_OBSERVABLE)
    calls = [
        call
        for call in history.attempts(sent.operations, sent.order)
        if call.started >= since and call.status != UNAUTHORISED
    ]
    evidence = [Evidence(str(call), call.started, call.id) for call in calls]
    if len(calls) != 1:
        return build_violated("replayed_once", declared, f"sent {len(calls)} times after the replay", evidence)
    return build_held("replayed_once", declared, "sent once", evidence)


def _none(history: History, declared: str, horizon_s: float) -> CheckResult:
    observation = history.observed("dead_letters")
    if observation is None:
        return build_unknown("dead_letter", declared, "the dead letters could not be read", UnknownKind.NOT_OBSERVABLE)
    return build_violated("dead_letter", declared, f"no dead letter within {horizon_s:.1f} s")


def _show(letter: Mapping[str, Any]) -> Evidence:
    known = {
        key: letter.get(key) for key in ("id", "entity", "code", "attempts", "state") if letter.get(key) is not None
    }
    text = ", ".join(f"{key} {value}" for key, value in known.items())
    return Evidence(f"dead letter {text}, payload {_short(letter.get('payload_sha256'))}")


def _show_alert(alert: Alert) -> Evidence:
    return Evidence(
        f"alert to {alert.role or 'nobody known'}: {alert.code or 'no code'} {alert.entity or ''}".strip(), alert.t
    )


def _short(digest: object) -> str:
    return str(digest)[:12] if digest else "without a hash"
