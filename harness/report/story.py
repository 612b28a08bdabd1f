"""The timeline of an experiment: its history as events on lanes, for the report to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.backoff import build_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.experiments import Experiment
    from harness.core.history import Exchange, History

    Event = dict[str, Any]

# Actions of the driver that are worth a mark; placing, waiting and arming show in what they bring about.
ACTION_KINDS = {"arm": "fault", "lift": "fault", "replay": "replay", "restart": "restart", "watch": "horizon"}


def build_timeline(experiment: Experiment, history: History) -> dict[str, Any]:
    """Build the timeline of one experiment: events in time order, seconds since it began."""
    events = [
        *_deliveries(experiment, history),
        *_calls(experiment, history),
        *_ops(history),
        *_dead_letters(experiment, history),
        *_actions(history),
        *_crashes(experiment, history),
    ]
    events.sort(key=lambda event: event["t"])
    return {"duration_s": round(history.now, 3), "events": events, "gaps": list(_gaps(experiment, history))}


def _deliveries(experiment: Experiment, history: History) -> Iterator[Event]:
    for sent in history.deliveries:
        lane = "storefront → integration"
        acked = sent.status is not None and 200 <= sent.status < 300
        answer = sent.status if sent.status is not None else sent.outcome
        event = _event(
            sent.started, lane, "webhook", f"{sent.topic} attempt {sent.attempt} → {answer}", until=sent.ended
        )
        if sent.faults:
            event["fault"] = sent.faults[0]
        if sent.order:
            event["entity"] = history.order(sent.order).name
        yield event
        if acked and experiment.clause.endswith("crash:recover"):
            yield _event(sent.ended, lane, "ack", "acknowledged")


def _calls(experiment: Experiment, history: History) -> Iterator[Event]:
    about = set(experiment.operations)
    for call in history.exchanges:
        if call.system == "opsdesk":
            continue
        lane = f"integration → {call.system}"
        event = _event(call.started, lane, _kind(call, about), str(call), until=call.ended)
        if call.faults:
            event["fault"] = call.faults[0]
        if call.order:
            event["entity"] = history.order(call.order).name
        yield event


def _kind(call: Exchange, about: set[str]) -> str:
    if call.operation in about:
        return "attempt" if not call.succeeded else "answer_ok"
    if call.operation == "token.create":
        return "session"
    return "answer_ok" if call.succeeded else "answer_error"


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
    for ordinal, (before, after) in enumerate(zip(calls, calls[1:], strict=False), start=1):
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
