"""The verbs of a trace: each writes what every witness of such an event records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.core.ends import EXISTING, IN_SYNC, STATE_FIELDS, build_end
from harness.core.faults import Layer
from harness.core.golden.lines import LineError, read_number, read_whole
from harness.core.golden.scribe import HOP_S, Scribe
from harness.core.golden.shown import tell_breaker, tell_case, tell_letter, tell_shown
from harness.core.record import OPS_DESK, TAP
from harness.core.verdict import UnknownKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.core.ends import EndState
    from harness.core.golden.lines import Line

Fields: TypeAlias = dict[str, Any]

CALL_S = 0.01
# What the client and the vendor saw of a call, by the word that says so: status at the tap, its end, status at the fake.
ANSWERS: Mapping[str, tuple[int | None, str, int | None]] = {
    "lost": (None, "reset", 204),
    "hung": (None, "client_closed", 204),
    "reset": (None, "reset", None),
    "unreached": (None, "client_closed", None),
    "cut": (None, "client_closed", None),
    "refused": (None, "refused", None),
}
CALL_OPTIONS = ("took", "key", "body", "code", "seen", "only", "record", "system", "part", "back")
WEBHOOK_OPTIONS = ("topic", "id", "took", "body", "seen", "only", "system")
ALERT_OPTIONS = ("key", "handoff", "order", "code", "in")
ACTS = ("ship", "refund")
DESKS = ("alerts", "messages", "tickets")
METHODS = {"upsert": "PUT", "read": "GET", "list": "GET", "delete": "DELETE"}


def tell(scribe: Scribe, line: Line) -> None:
    """Write what a line tells; raise LineError when it cannot be understood."""
    if line.t < scribe.newest:
        raise LineError(f"{line.t:g} s comes after a line at {scribe.newest:g} s: lines stand in the order of time")
    scribe.newest = line.t
    if "." in line.verb:
        tell_call(scribe, line)
        return
    verb = VERBS.get(line.verb)
    if verb is None:
        raise LineError(f"there is no verb `{line.verb}`", expected=(*VERBS, "<operation>"), found=line.verb)
    verb(scribe, line)


def tell_call(scribe: Scribe, line: Line) -> None:
    """`<operation> <order or -> <answer> <fault>…`: a call, as the tap and the fake saw it."""
    line.expect(words=range(2, 6), options=CALL_OPTIONS)
    order = scribe.cast.order(line.words[0])
    seen, end, answered = _read_answer(line.words[1])
    caller = scribe.cast.find_caller(line.verb)
    end_state = build_end(caller.resolved_when)
    system, took_s = line.option("system", end_state.system), line.seconds("took", CALL_S)
    faults, rule = scribe.split_faults(line.words[2:], line.option("part", "0"))
    # What the vendor's own clock said, where that was set back meanwhile.
    back_s = line.seconds("back", 0.0)
    key = line.option("key", f"SHP-{order.number}" if order else "")
    entity = order.name if order else key or None
    body = line.option("body", f"order {order.ordinal}" if order else f"{line.verb} {len(scribe.entries)}")
    what: Fields = {
        "operation": line.verb,
        "method": METHODS.get(line.verb.rpartition(".")[2], "POST"),
        "path": f"/{line.verb.partition('.')[0]}/{key}".rstrip("/"),
        "request_sha256": scribe.cast.body(body),
    }
    if line.option("only", "tap") == "tap":
        status = read_whole(line.option("seen"), "`seen`") if line.option("seen") else seen
        # Of a call that is cut short the tap never saw the last byte.
        whole: Fields = {"request_mono": None} if line.words[1] == "cut" else {}
        saw: Fields = {**whole, "system": system, "direction": "outbound", "status": status, "end": end, "rule": rule}
        scribe.exchange(line.t, took_s, {**what, **saw})
    if line.option("only", "fake") == "fake" and answered is not None:
        got: Fields = {"status": answered, "code": line.option("code") or None, "faults": faults}
        got |= {"shared": entity is None, "key": key or None, "entity": entity}
        received = line.t + HOP_S - back_s
        scribe.write(received + took_s - 2 * HOP_S, system, "exchange", received=received, **what, **got)
    if line.option("record"):
        scribe.resolve(line.t + took_s - HOP_S - back_s, end_state, line.option("record"), entity)


def tell_webhook(scribe: Scribe, line: Line) -> None:
    """`webhook <order> <status, none or suppressed> <fault>…`: one delivery."""
    line.expect(words=range(2, 6), options=WEBHOOK_OPTIONS)
    order, answer = scribe.cast.order(line.words[0]), line.words[1]
    status = None if answer in {"none", "suppressed"} else read_whole(answer, "the answer")
    seen = read_whole(line.option("seen"), "`seen`") if line.option("seen") else status
    took_s, topic = line.seconds("took", CALL_S), line.option("topic", scribe.cast.topic)
    faults, rule = scribe.split_faults(line.words[2:], "0")
    sender = line.option("system", scribe.cast.find_sender(topic))
    body = scribe.cast.body(line.option("body", f"webhook {line.words[0]}"))
    if answer != "suppressed" and line.option("only", "tap") == "tap":
        end = "complete" if seen is not None else "reset" if rule else "refused"
        saw: Fields = {
            "system": sender,
            "direction": "inbound",
            "operation": None,
            "method": "POST",
            "path": f"/in/{sender}",
        }
        saw |= {"request_sha256": body, "status": seen, "end": end, "rule": rule}
        scribe.exchange(line.t + HOP_S, took_s - 2 * HOP_S, saw)
    if line.option("only", "fake") == "fake":
        webhook = line.option("id", f"{topic} {line.words[0]}")
        scribe.attempts[webhook] = scribe.attempts.get(webhook, 0) + 1
        good = status is not None and 200 <= status < 300
        sent: Fields = {
            "topic": topic,
            "webhook_id": webhook,
            "entity": order.name if order else None,
            "status": status,
        }
        sent |= {"attempt": scribe.attempts[webhook], "body_sha256": body, "faults": faults}
        sent["outcome"] = "suppressed" if answer == "suppressed" else "delivered" if good else "failed"
        scribe.write(line.t + took_s, sender, "delivery", sent=line.t, ended=line.t + took_s, **sent)


def tell_record(scribe: Scribe, line: Line) -> None:
    """
    `record <order> <id> <created, updated or deleted> <field>=<value>…`: a record changed.

    It is of the end state, or where `<system>/<collection>/<id>` says.
    """
    line.expect(words=range(2, 4), options=None)
    order, end = scribe.cast.order(line.words[0]), scribe.cast.end
    action = line.words[2] if len(line.words) > 2 else "created"
    shown = {name: _read_value(value) for name, value in line.options}
    system, collection, record_id = _read_place(line.words[1], end)
    at_end = (system, collection) == (end.system, end.collection) and end.state not in {*EXISTING, IN_SYNC}
    if at_end and action != "deleted" and shown.keys().isdisjoint(STATE_FIELDS):
        shown["state"] = end.state
    entity = order.name if order else None
    scribe.change(line.t, (system, collection, record_id), action, entity, **shown)


def tell_alert(scribe: Scribe, line: Line) -> None:
    """`alert <role or -> …`: an alert at the ops desk; with the `key` of one that stands there it triggers that again."""
    line.expect(words=range(1, 2), options=ALERT_OPTIONS)
    collection = line.option("in", "alerts")
    if collection not in DESKS:
        raise LineError(f"the ops desk has no `{collection}`", expected=DESKS, found=collection)
    key = line.option("key", f"key {len(scribe.alerts) + 1}")
    handoff = line.option("handoff", scribe.cast.experiment.handoff)
    order = scribe.cast.order(line.option("order", "-"))
    record: Fields = {
        "role": None if line.words[0] == "-" else line.words[0],
        "handoff": None if handoff == "none" else handoff,
        "entity": order.name if order else None,
        "code": line.option("code") or None,
        "dedup_key": key,
    }
    action = "updated" if key in scribe.alerts else "created"
    scribe.alerts.add(key)
    fields = {"collection": collection, "record_id": key, "entity": record["entity"], "record": record}
    scribe.write(line.t, OPS_DESK, "change", action=action, **fields)


def tell_place(scribe: Scribe, line: Line) -> None:
    """`place <order>…`: the driver placed orders."""
    line.expect(words=range(1, 100), options=("took",))
    orders = [order.ordinal for word in line.words if (order := scribe.cast.order(word))]
    _act(scribe, line, "place", orders=orders)


def tell_arm(scribe: Scribe, line: Line) -> None:
    """`arm <fault>`: the driver armed a fault, at each of its operations."""
    line.expect(words=range(1, 2), options=("took",))
    fault = scribe.fault(line.words[0])
    _act(scribe, line, "arm")
    for part in range(max(1, len(fault.operations))):
        name = scribe.armed_name(fault.id, str(part))
        if fault.layer in {Layer.VENDOR, Layer.WEBHOOK}:
            scribe.write(line.t, fault.system, "fault", fault=name, kind=fault.kind, event="armed")
        elif fault.layer is Layer.WIRE:
            scribe.write(line.t, TAP, "rule", rule=name, event="armed")


def tell_lift(scribe: Scribe, line: Line) -> None:
    """`lift <fault>`: the driver lifted a fault."""
    line.expect(words=range(1, 2), options=("took",))
    scribe.fault(line.words[0])
    _act(scribe, line, "lift")


def tell_act(scribe: Scribe, line: Line) -> None:
    """`act <ship or refund> <order>`: the driver had a vendor do something about an order."""
    line.expect(words=range(2, 3), options=("took",))
    if line.words[0] not in ACTS:
        raise LineError(f"`{line.words[0]}` is nothing a vendor does", expected=ACTS, found=line.words[0])
    order = scribe.cast.order(line.words[1])
    _act(scribe, line, "act", orders=[order.ordinal] if order else [])


def tell_decide(scribe: Scribe, line: Line) -> None:
    """`decide <order> <decision> [impossible]`: the driver decided the open cases of an order, where there is a way to."""
    line.expect(words=range(2, 4), options=("took",))
    _act_if_possible(scribe, line, "decide", line.words[2:])


def tell_replay(scribe: Scribe, line: Line) -> None:
    """`replay <order> [impossible]`: the driver replayed the dead letters of an order, where the integration has a way to."""
    line.expect(words=range(1, 3), options=("took",))
    _act_if_possible(scribe, line, "replay", line.words[1:])


def tell_restart(scribe: Scribe, line: Line) -> None:
    """`restart`: the integration is back, `took` seconds later."""
    line.expect(words=range(1), options=("took",))
    _act(scribe, line, "restart")


def tell_signal(scribe: Scribe, line: Line) -> None:
    """`signal <fault>`: the tap killed the integration."""
    line.expect(words=range(1, 2))
    name = scribe.armed_name(line.words[0])
    scribe.write(line.t, TAP, "signal", id=name, signal="KILL", exchange="x0", entity=None)


def tell_stall(scribe: Scribe, line: Line) -> None:
    """`stall <tap or system> <seconds>`: a witness was not scheduled for so long."""
    line.expect(words=range(2, 3))
    scribe.write(line.t, line.words[0], "stall", seconds=read_number(line.words[1], "the length of the stall"))


def tell_trouble(scribe: Scribe, line: Line) -> None:
    """`trouble <kind> <what>`: the engine found the lab or itself in disorder."""
    line.expect(words=range(2, 3))
    kind, what = line.words
    if kind not in set(UnknownKind):
        raise LineError(f"`{kind}` is no kind of unknown", expected=tuple(UnknownKind), found=kind)
    scribe.driver(line.t, "trouble", kind=kind, what=what)


def tell_disturbance(scribe: Scribe, line: Line) -> None:
    """`disturbance <seconds>`: the lab's own processes waited so long for a processor."""
    line.expect(words=range(1, 2))
    scribe.driver(line.t, "disturbance", seconds=read_number(line.words[0], "the disturbance"))


VERBS: Mapping[str, Callable[[Scribe, Line], None]] = {
    "place": tell_place,
    "arm": tell_arm,
    "lift": tell_lift,
    "act": tell_act,
    "decide": tell_decide,
    "replay": tell_replay,
    "restart": tell_restart,
    "webhook": tell_webhook,
    "record": tell_record,
    "letter": tell_letter,
    "letters": tell_shown,
    "case": tell_case,
    "cases": tell_shown,
    "breaker": tell_breaker,
    "breakers": tell_shown,
    "alert": tell_alert,
    "signal": tell_signal,
    "stall": tell_stall,
    "trouble": tell_trouble,
    "disturbance": tell_disturbance,
}


def _act_if_possible(scribe: Scribe, line: Line, kind: str, how: tuple[str, ...]) -> None:
    order = scribe.cast.order(line.words[0])
    if how not in ((), ("impossible",)):
        raise LineError(f"`{how[0]}` is no way a {line.verb} goes", expected=("impossible",), found=how[0])
    _act(scribe, line, kind, orders=[order.ordinal] if order else [], met=not how)


def _act(scribe: Scribe, line: Line, kind: str, **fields: Any) -> None:
    until = line.t + line.seconds("took", 0.0)
    what = " ".join((line.verb, *line.words))
    scribe.driver(until, "action", what=what, kind=kind, began=line.t, until=until, **fields)


def _read_answer(word: str) -> tuple[int | None, str, int | None]:
    if word in ANSWERS:
        return ANSWERS[word]
    if not (word.isascii() and word.isdigit()):
        raise LineError(f"`{word}` is no answer", expected=("<status>", *ANSWERS), found=word)
    return int(word), "complete", int(word)


def _read_place(word: str, end: EndState) -> tuple[str, str, str]:
    """Read where a record is: its id alone where that is the end state."""
    if "/" not in word:
        return end.system, end.collection, word
    parts = word.split("/")
    if len(parts) != 3 or not all(parts):
        raise LineError(f"a record is `<id>` or `<system>/<collection>/<id>`, not `{word}`")
    return parts[0], parts[1], parts[2]


def _read_value(text: str) -> Any:
    """Read a number or list as JSON does, and anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
