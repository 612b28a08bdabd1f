"""The detection score as Markdown: the tables of docs/detection.md, drawn from zoo.json."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LONGEST = 160


def render_detection(document: Mapping[str, Any]) -> str:
    """Return the tables of a measurement: the score, then the broken ones by handoff, the correct ones, the sabotages."""
    rows = document["rows"]
    lines = [
        *_head(document),
        *_broken([row for row in rows if row["kind"] == "broken"]),
        *_correct([row for row in rows if row["kind"] == "correct"]),
        *_sabotages([row for row in rows if row["kind"] == "sabotage"]),
        *_left_out(document["left_out"]),
    ]
    return "\n".join(lines) + "\n"


def say_score(document: Mapping[str, Any]) -> str:
    """Say the score in one line."""
    summary = document["summary"]
    broken, correct, sabotage = (summary[kind] for kind in ("broken", "correct", "sabotage"))
    return (
        f"{broken['right']} of {broken['total']} broken integrations caught, "
        f"{correct['total'] - correct['right']} of {correct['total']} correct ones not cleared, "
        f"{sabotage['total'] - sabotage['right']} of {sabotage['total']} sabotages not noticed; "
        f"{summary['experiments']:,} experiments"
    )


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    machine, summary = document["machine"], document["summary"]
    yield "| | |"
    yield "| --- | --- |"
    yield f"| begun | {document['started_at'][:16].replace('T', ' ')} UTC, ended {document['finished_at'][11:16]} |"
    yield (
        f"| machine | {machine['cpus']} processors, {machine['memory_gib']:.0f} GiB, {machine['platform']}, Python {machine['python']} |"
    )
    yield f"| command | `{_say_command(document)}` |"
    yield f"| experiments | {summary['experiments']:,} |"
    for kind, what in (
        ("broken", "broken, caught"),
        ("correct", "correct, cleared"),
        ("sabotage", "sabotages noticed"),
    ):
        yield f"| {what} | **{summary[kind]['right']} of {summary[kind]['total']}** |"


def _say_command(document: Mapping[str, Any]) -> str:
    given = (
        ("--part", document["part"]),
        ("--most", document["most"]),
        ("--seed", document["seed"]),
        ("-n", document["labs"]),
    )
    return " ".join(["handoff zoo", *(f"{name} {value}" for name, value in given if value is not None)])


def _broken(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "\n### Broken integrations\n"
    for handoff, group in groupby(sorted(rows, key=_handoff), key=_handoff):
        yield f"\n**{handoff}**\n"
        yield "| integration | what it does | found | caught by | experiments |"
        yield "| --- | --- | --- | --- | ---: |"
        for row in group:
            by = ", ".join(f"`{_escape(clause)}`" for clause in row["caught_by"]) or _shorten(row["why"])
            yield f"| `{row['name']}` | {_escape(row['about'])} | {row['finding']} | {by} | {row['experiments']} |"


def _correct(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "\n### Correct ones that do it differently\n"
    yield "| integration | what it does | found | experiments |"
    yield "| --- | --- | --- | ---: |"
    for row in rows:
        why = "" if row["finding"] == "cleared" else f": {_shorten(row['why'])}"
        yield f"| `{row['name']}` | {_escape(row['about'])} | {row['finding']}{why} | {row['experiments']} |"


def _sabotages(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "\n### Sabotages of the harness\n"
    yield "| sabotage | what it does | found | the verdict says |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        yield f"| `{row['name']}` | {_escape(row['about'])} | {row['finding']} | {_shorten(row['why'])} |"


def _left_out(left_out: Mapping[str, str]) -> Iterable[str]:
    if not left_out:
        return ()
    rows = (f"| `{name}` | {_escape(why)} |" for name, why in left_out.items())
    return ("\n### Not measured here\n", "| name | why |", "| --- | --- |", *rows)


def _handoff(row: Mapping[str, Any]) -> str:
    return str(row["clauses"][0]).partition("/")[0]


def _shorten(text: str) -> str:
    return _escape(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
