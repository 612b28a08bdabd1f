"""A short summary for the job page of a pipeline or a merge request."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.report.model import Experiment
from harness.report.phrases import plural, say_first_try, say_seconds, say_support
from harness.report.view import LeftOut, RunView, build_view

_SHOWN = 25
_NAMED = 6
_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def write_markdown(run: Mapping[str, Any], path: Path, *, report: str = "") -> Path:
    """Write the summary of a parsed run.json to `path`, folders included, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_markdown(run, report=report), encoding="utf-8", errors="replace")
    return path


def render_markdown(run: Mapping[str, Any], *, report: str = "") -> str:
    """Return the summary of a parsed run.json as Markdown; `report` is a path or address of the full report."""
    view = build_view(run)
    return (
        "\n".join(
            [*_head(view), *_broken(view), *_undecided(view), *_undeclared(view), *_aside(view), *_foot(view, report)]
        )
        + "\n"
    )


def _head(view: RunView) -> Iterator[str]:
    yield f"### handoff: {_escape(view.stack or 'run')}"
    yield ""
    yield _escape(view.headline)
    yield ""
    totals = view.totals
    yield "| held | violated | unknown | accepted | skipped | clauses exercised |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    yield (
        f"| {totals.held} | {totals.violated} | {totals.unknown} | {totals.accepted} | {totals.skipped} "
        f"| {view.exercised} of {view.clauses} |"
    )
    for line in view.mismatches:
        yield f"\n**Does not add up:** {_escape(line)}"


def _broken(view: RunView) -> Iterator[str]:
    if not view.broken:
        return
    yield "\n#### What broke\n"
    yield "| experiment | declared | observed | receipts |"
    yield "| --- | --- | --- | --- |"
    for item in view.broken[:_SHOWN]:
        e = item.experiment
        yield (
            f"| {_code(e.id)}<br>{_code(e.location)} | {_escape(e.declared)} | {_escape(e.observed or e.reason)} "
            f"| {_escape(say_support(e))} |"
        )
    yield from _more(len(view.broken))
    yield "\nReproduce:\n"
    for item in view.broken[:_SHOWN]:
        yield f"- {_code(item.experiment.reproduce)}"


def _undecided(view: RunView) -> Iterator[str]:
    if not view.undecided:
        return
    yield "\n#### What could not be judged\n"
    for e in view.undecided[:_SHOWN]:
        kind = e.unknown_kind.replace("_", " ") or "kind not stated"
        yield f"- {_code(e.id)} ({_escape(kind)}): {_escape(e.reason or 'the run does not say why')}"
    yield from _more(len(view.undecided))


def _undeclared(view: RunView) -> Iterator[str]:
    if not view.undeclared:
        return
    yield "\n#### Met, declared nowhere\n"
    for met in view.undeclared[:_SHOWN]:
        often = f", {met.count} times" if met.count is not None and met.count > 1 else ""
        first = f": {_code(met.experiments[0])}" if met.experiments else ""
        yield f"- {_escape(met.what)} at {_escape(met.where)}{often}{first}"
    yield from _more(len(view.undeclared))


def _aside(view: RunView) -> Iterator[str]:
    lines = [_say_accepted(e) for e in view.accepted]
    lines += [f"- run again {_code(e.id)}: {_escape(say_first_try(e))}" for e in view.first_tries]
    lines += [f"- {group.state} {_name(group)}: {_escape(group.why)}" for group in view.left_out]
    if lines:
        yield "\n#### Lived with, left out\n"
        yield from lines[:_SHOWN]
        yield from _more(len(lines))


def _say_accepted(e: Experiment) -> str:
    until = f" until {_escape(e.accepted.until)}" if e.accepted and e.accepted.until else ""
    reason = e.accepted.reason if e.accepted else ""
    return f"- accepted{until} {_code(e.id)} ({e.verdict}): {_escape(reason)}"


def _name(group: LeftOut) -> str:
    named = ", ".join(_code(name) for name in group.names[:_NAMED])
    more = len(group.names) - _NAMED
    return f"{named} and {more} more" if more > 0 else named


def _more(n: int) -> Iterator[str]:
    if n > _SHOWN:
        yield f"\nand {n - _SHOWN} more in the report"


def _foot(view: RunView, report: str) -> Iterator[str]:
    ledger = view.ledger
    facts = []
    if ledger is not None and ledger.orders is not None:
        unseen = f", {ledger.unseen} not to be seen" if ledger.unseen else ""
        facts.append(
            f"ledger: {plural(ledger.orders, 'order')}, {_say(ledger.lost)} lost, {_say(ledger.duplicated)} doubled{unseen}"
        )
    if view.times.median_overhead_s is not None:
        facts.append(f"median overhead {say_seconds(view.times.median_overhead_s)}")
    if view.seed:
        facts.append(f"seed {_escape(view.seed)}")
    if report:
        facts.append(f"report: {_code(report)}")
    if facts:
        yield ""
        yield " · ".join(facts)


def _say(n: int | None) -> str:
    return "an unknown number" if n is None else str(n)


def _escape(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no mention of people, no table cell."""
    flat = " ".join(text.split())
    safe = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", safe).replace("@", "&#64;").replace("://", ":&#47;&#47;")


def _code(text: str) -> str:
    """Return text as a code span, also inside a table; backticks in it become apostrophes."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{flat}`" if flat else ""
