"""The timeline of an experiment: its history as events on lanes, for the report to draw."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.core.backoff import build_gap
from harness.core.faults import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.experiments import Experiment
    from harness.core.history import History

    Event = dict[str, Any]

INBOUND = "storefront → integration"
# Actions of the driver that are worth a mark; placing and waiting show in what they bring about.
ACTION_KINDS = {"replay": "replay", "restart": "restart", "watch": "horizon"}


def build_timeline(experiment: Experiment, history: History) -> dict[str, Any]:
    """Build the timeline of one experiment: events in time order, seconds since it began."""
    events = [
        *_deliveries(history),
        *_calls(experiment, history),
        *_faults(experiment, history),
        *_ops(history),
        *_dead_letters(experiment, history),
        *_actions(history),
        *_crashes(experiment, history),
    ]
    events.sort(key=lambda event: event["t"])
    return {"duration_s": round(history.now, 3), "events": events, "gaps": list(_gaps(experiment, history))}


def _deliveries(history: History) -> Iterator[Event]:
    """Yield each webhook where it left and, below it, how it was answered."""
    for sent in history.deliveries:
        about = _about(history, sent.order, sent.faults)
        yield _event(sent.started, INBOUND, "webhook", f"{sent.topic}, attempt {sent.attempt}") | about
        if sent.outcome == "suppressed":
            continue
        acked = sent.status is not None and 200 <= sent.status < 300
        answer = str(sent.status) if sent.status is not None else "no answer"
        yield _event(sent.ended, INBOUND, "ack" if acked else "answer_error", answer) | about


def _calls(experiment: Experiment, history: History) -> Iterator[Event]:
    """Yield the calls of the handoff as attempt and answer; others, which are context, where they ended."""
    operations = set(experiment.operations)
    for call in history.exchanges:
        if call.system == "opsdesk":
            continue
        lane, about = _outbound(call.system), _about(history, call.order, call.faults)
        request, _, answer = str(call).partition(" → ")
        kind = "answer_ok" if call.succeeded else "answer_error"
        if call.operation in operations:
            yield _event(call.started, lane, "attempt", request) | about
            yield _event(call.ended, lane, kind, answer) | about
        elif call.operation == "token.create":
            yield _event(call.started, lane, "session", str(call)) | about
        else:
            yield _event(call.ended, lane, kind, str(call)) | about


def _faults(experiment: Experiment, history: History) -> Iterator[Event]:
    """Yield how long each fault was armed: until it was lifted, or hit for the last time, or the end."""
    for fault in experiment.faults:
        armed = _acted(history, "arm", fault.id)
        if armed is None:
            continue
        hits = [hit.t for hit in history.hits(fault.id)]
        until = _acted(history, "lift", fault.id) or max(hits, default=history.now)
        lane = INBOUND if fault.layer is Layer.WEBHOOK else _outbound(fault.system)
        what = fault.params.get("status") or fault.params.get("code") or fault.kind.replace("_", " ")
        yield _event(armed, lane, "fault", f"{fault.id}: {what}", until=until) | {"fault": fault.id}


def _acted(history: History, kind: str, fault: str) -> float | None:
    return next(
        (action.t for action in history.actions if action.kind == kind and action.what == f"{kind} {fault}"), None
    )


def _outbound(system: str) -> str:
    return f"integration → {system}"


def _about(history: History, order: int | None, faults: tuple[str, ...]) -> Event:
    about: Event = {"fault": faults[0]} if faults else {}
    return about | {"entity": history.order(order).name} if order else about


def _ops(history: History) -> Iterator[Event]:
    for alert in history.alerts:
        yield _event(
            alert.t, "ops desk", "alert", f"alert to {alert.role or 'nobody known'}: {alert.code or ''}".rstrip(": ")
        )


def _dead_letters(experiment: Experiment, history: History) -> Iterator[Event]:
    seen: set[str] = set()
    for observation in history.observations:
        if observation.what != "dead_letters":
            continue
        for item in observation.items:
            if item.get("handoff") == experiment.handoff and str(item.get("id")) not in seen:
                seen.add(str(item.get("id")))
                label = f"dead letter {item.get('entity') or ''}: {item.get('code') or ''}".rstrip(": ")
                yield _event(observation.t, "dead letters", "dead_letter", label)


def _actions(history: History) -> Iterator[Event]:
    for action in history.actions:
        kind = ACTION_KINDS.get(action.kind)
        if kind is not None:
            yield _event(action.t, "harness", kind, action.what, until=action.until)


def _crashes(experiment: Experiment, history: History) -> Iterator[Event]:
    for fault in experiment.faults:
        if fault.kind == "crash":
            yield from (_event(hit.t, "integration", "kill", "killed") for hit in history.hits(fault.id))


def _gaps(experiment: Experiment, history: History) -> Iterator[dict[str, Any]]:
    """Pair each gap between the attempts of the first order with what was declared for it, where a check says so."""
    for check in experiment.checks:
        retry = getattr(check.judge, "keywords", {}).get("retry")
        if check.name != "backoff" or retry is None:
            continue
        yield from _declared_gaps(experiment, history, check.judge)


def _declared_gaps(experiment: Experiment, history: History, judge: Any) -> Iterator[dict[str, Any]]:
    calls = history.attempts(experiment.operations, judge.keywords["sent"].order)
    previous_s = 0.0
    for ordinal, (before, after) in enumerate(pairwise(calls), start=1):
        gap = build_gap(judge.keywords["retry"], ordinal, scale=judge.keywords["scale"], previous_s=previous_s)
        previous_s = after.started - before.ended
        yield {
            "from_t": round(before.ended, 4),
            "to_t": round(after.started, 4),
            "declared_min_s": round(gap.lowest_s, 4),
            "declared_max_s": round(gap.highest_s, 4),
            "observed_s": round(previous_s, 4),
        }


def _event(t: float, lane: str, kind: str, label: str, *, until: float | None = None) -> Event:
    event: Event = {"t": round(t, 4), "lane": lane, "kind": kind, "label": label}
    if until is not None and until > t:
        event["until_t"] = round(until, 4)
    return event
