"""The verbs that tell what an integration shows of itself: dead letters, role-queue cases, breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.golden.lines import LineError, read_whole
from harness.core.golden.scribe import BREAKERS, CASES, LETTERS, Scribe

if TYPE_CHECKING:
    from harness.core.golden.lines import Line

LETTER_OPTIONS = ("id", "handoff", "attempts", "body", "state", "code", "entity")
CASE_OPTIONS = ("id", "handoff", "role", "code", "sla", "state", "decision", "entity")
WORDS = ("none", "unreadable", "gone")
VIEWS = {"letters": LETTERS, "cases": CASES, "breakers": BREAKERS}


def tell_letter(scribe: Scribe, line: Line) -> None:
    """`letter <order or -> <field>=<value>…`: the integration shows this dead letter from now on."""
    line.expect(words=range(1, 2), options=LETTER_OPTIONS)
    order = scribe.cast.order(line.words[0])
    handoff = line.option("handoff", scribe.cast.experiment.handoff)
    letter_id = line.option("id", f"letter {line.words[0]} {handoff}")
    letter: dict[str, Any] = {"id": letter_id}
    if letter_id not in scribe.shown[LETTERS]:
        letter |= {
            "handoff": handoff,
            "state": "waiting",
            "entity": line.option("entity", order.name if order else ""),
            "payload_sha256": scribe.cast.body(scribe.cast.payload(handoff, order)),
        }
    if line.option("attempts"):
        letter["attempts"] = read_whole(line.option("attempts"), "`attempts`")
    if line.option("body"):
        letter["payload_sha256"] = None if line.option("body") == "none" else scribe.cast.body(line.option("body"))
    letter |= {name: line.option(name) for name in ("state", "code") if line.option(name)}
    scribe.show(LETTERS, line.t, letter)


def tell_case(scribe: Scribe, line: Line) -> None:
    """`case <order> <field>=<value>…`: the integration shows this role-queue case from now on; `sla=none` says no SLA."""
    line.expect(words=range(1, 2), options=CASE_OPTIONS)
    order = scribe.cast.order(line.words[0])
    handoff = line.option("handoff", scribe.cast.experiment.handoff)
    case: dict[str, Any] = {"id": line.option("id", f"case {line.words[0]} {handoff}")}
    if case["id"] not in scribe.shown[CASES]:
        case |= {"handoff": handoff, "state": "open", "entity": line.option("entity", order.name if order else "")}
    if line.option("sla"):
        case["sla_s"] = line.seconds("sla", 0.0)
    case |= {name: line.option(name) for name in ("role", "code", "state", "decision") if line.option(name)}
    scribe.show(CASES, line.t, case)


def tell_breaker(scribe: Scribe, line: Line) -> None:
    """`breaker <closed, open or half_open>`: what the integration says of a handoff's breaker."""
    line.expect(words=range(1, 2), options=("handoff",))
    handoff = line.option("handoff", scribe.cast.experiment.handoff)
    scribe.show(BREAKERS, line.t, {"id": handoff, "handoff": handoff, "state": line.words[0]})


def tell_shown(scribe: Scribe, line: Line) -> None:
    """`letters none`, `letters unreadable`, `letters gone <id>`, and likewise `cases`, `breakers`: what asking may come to."""
    line.expect(words=range(1, 3))
    word, what = line.words[0], VIEWS[line.verb]
    if word not in WORDS:
        raise LineError(f"`{line.verb}` cannot be `{word}`", expected=WORDS, found=word)
    if word == "gone":
        scribe.shown[what].pop(line.words[-1], None)
    if word == "unreadable":
        scribe.unreadable.add(what)
    else:
        scribe.unreadable.discard(what)
    scribe.observe(what, line.t)
