"""Resolution: whether an order reached the declared end state, exactly once, or stayed untouched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.core.checks.excess import count_live, select_live
from harness.core.checks.quantities import describe_growth
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from harness.core.ends import EndState
    from harness.core.history import Change, History

# What identifies a record or an order and therefore differs between two records that are otherwise the same.
IDENTIFYING = frozenset(
    {"id", "entity", "revision", "modified_at", "created_at", "updated_at", "last_modified_date", "created_date"}
)


READS = frozenset({"GET", "HEAD"})
# Moments differ between two records without any difference in what happened to them.
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")


def check_resolved_once(
    history: History, *, end: EndState, orders: tuple[int, ...], within_s: float | None = None, since: str = "place"
) -> CheckResult:
    """
    Judge whether each order is exactly once in the end state, within `within_s` of being placed.

    A record whose lines were written twice stands for two; one that failed or was called off, beside another, for none, as in
    the ledger, which asks too whether there ever were two. The time counts, in lab seconds, from the driver's first action
    of the kind `since` about the order, or from the end of one that names none; None leaves it to other checks.
    """
    declared = f"exactly one record in {end}" + (f" within {within_s:.2f} s" if within_s is not None else "")
    missing, doubled, late = [], [], []
    evidence: list[Evidence] = []
    for order in orders:
        records = end.find(history, order)
        evidence += [_show(record) for record in records]
        if not records:
            missing.append(order)
        elif count_live(history, order, end, records) > 1 or describe_growth(history, end, order):
            doubled.append(order)
        elif within_s is not None and _age_s(history, order, end, since) > within_s:
            late.append(order)
    if doubled:
        grown = next(filter(None, (describe_growth(history, end, order) for order in doubled)), "")
        observed = f"doubled: {_names(history, doubled)}{f', where {grown}' if grown else ''}"
        return build_violated("resolved_once", declared, observed, evidence)
    for kind, done in (("replay", "replayed"), ("decide", "decided about")):
        if missing and all(history.lacks_way(kind, order) for order in missing):
            observed = f"{_names(history, missing)} had to be {done}, and the integration has no way to"
            return build_unknown("resolved_once", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if missing:
        observed = f"not in {end} within {history.now:.1f} s: {_names(history, missing)}"
        return build_violated("resolved_once", declared, observed, evidence)
    if late and within_s is not None:
        slowest = max(_age_s(history, order, end, since) for order in late)
        return build_violated(
            "resolved_once",
            declared,
            f"too late ({slowest:.2f} s): {_names(history, late)}",
            evidence,
            margin_s=slowest - within_s,
        )
    plural = "s" if len(orders) > 1 else ""
    return build_held("resolved_once", declared, f"{len(orders)} order{plural} once each in {end}", evidence)


def check_recovered(history: History, *, end: EndState, within_s: float, topics: tuple[str, ...] = ()) -> CheckResult:
    """
    Judge that every order acknowledged before a crash is resolved within `within_s` of the integration being back.

    What it never acknowledged it owes nobody: the sender brings that again.
    """
    crashed = history.when("restart")
    declared = f"what was acknowledged is in {end} within {within_s:.2f} s of the restart"
    if crashed is None:
        return build_unknown("recovered", declared, "the integration was not restarted", UnknownKind.VACUOUS)
    # An acknowledgement on the wire may arrive a moment after the driver has noticed the death, so its beginning tells.
    acked = {
        sent.order
        for sent in history.deliveries
        if sent.order is not None
        and (not topics or sent.topic in topics)
        and sent.started <= crashed
        and sent.status is not None
        and 200 <= sent.status < 300
    }
    if not acked:
        return build_unknown("recovered", declared, "nothing was acknowledged before it died", UnknownKind.VACUOUS)
    orders = tuple(sorted(acked))
    judged = check_resolved_once(history, end=end, orders=orders, within_s=within_s, since="restart")
    return replace(judged, name="recovered", declared=declared)


def check_untouched(history: History, *, orders: tuple[int, ...], horizon_s: float) -> CheckResult:
    """Judge that nothing changed anywhere because of these orders: no call about them but reads, no record, no alert."""
    declared = "nothing changes anywhere"
    about = frozenset(orders)
    calls = [call for call in history.exchanges if call.order in about and call.method not in READS]
    evidence = [Evidence(str(call), call.started, call.id) for call in calls]
    # What the vendors knew of an order before anything was done, such as its authorised payment, nobody has changed.
    began = min((action.t for action in history.actions), default=0.0)
    evidence += [
        _show(change)
        for change in history.changes
        if change.order in about and change.system != "storefront" and change.t >= began
    ]
    evidence += [
        Evidence(f"alert to {alert.role} about {alert.entity}", alert.t)
        for alert in history.alerts
        if not about.isdisjoint(history.named_in(alert.entity or ""))
    ]
    if evidence:
        return build_violated("untouched", declared, evidence[0].what, evidence)
    return build_held("untouched", declared, f"no call, record or alert within {horizon_s:.2f} s")


def check_same_end_state(history: History, *, end: EndState, order: int, twin: int) -> CheckResult:
    """Judge that an order ended in the same state as its twin, which met no fault, names and times aside."""
    declared = "the same end state as in order"
    records = {ordinal: select_live(end, end.find(history, ordinal)) for ordinal in (order, twin)}
    if not all(len(found) == 1 for found in records.values()):
        counts = ", ".join(f"{_names(history, [ordinal])}: {len(found)}" for ordinal, found in records.items())
        return build_violated("same_end_state", declared, f"records in {end}: {counts}")
    mine, theirs = (_anonymous(history, ordinal, found[0]) for ordinal, found in records.items())
    evidence = [_show(found[0]) for found in records.values()]
    different = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
    if different:
        observed = "; ".join(f"{key}: {mine.get(key)!r} instead of {theirs.get(key)!r}" for key in different)
        return build_violated("same_end_state", declared, observed, evidence)
    if not mine:
        return build_unknown(
            "same_end_state", declared, "the records show nothing to compare", UnknownKind.NOT_OBSERVABLE
        )
    return build_held("same_end_state", declared, f"{len(mine)} fields equal", evidence)


def _anonymous(history: History, order: int, change: Change) -> Mapping[str, Any]:
    """Take identity out of a record, so that it can be compared with another order's."""
    names = history.order(order)
    kept = {key: value for key, value in change.record.items() if key not in IDENTIFYING}
    text = json.dumps(kept, default=_unpack)
    for alias in sorted({names.name, *names.aliases}, key=len, reverse=True):
        text = text.replace(alias, "·")
    text = MOMENT.sub("·", text)
    anonymous: dict[str, Any] = json.loads(text)
    return anonymous


def _unpack(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _age_s(history: History, order: int, end: EndState, since: str) -> float:
    own = history.did(since, order)
    if own:
        return end.reached_at(history, order) - own[0].t
    return end.reached_at(history, order) - next((each.until for each in history.actions if each.kind == since), 0.0)


def _names(history: History, orders: list[int]) -> str:
    return ", ".join(history.order(order).name for order in orders)


def _show(change: Change) -> Evidence:
    return Evidence(f"{change.system}: {change.collection} {change.record_id} {change.action}", change.t)
