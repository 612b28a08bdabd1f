"""zoo.json: a measurement as one document; docs/detection.md describes it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.core.verdict import Outcome, UnknownKind
from harness.wire.privacy import OURS
from harness.zoo.scoring import Finding, Row, RowKind, count

SCHEMA: Literal["handoff-zoo/1"] = "handoff-zoo/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Machine(_Part):
    """What it was measured on."""

    cpus: int
    memory_gib: float
    platform: str
    python: str
    handoff: str


class Measured(_Part):
    """What was measured, how and when; `part` is `K/N` where it is one of N parts, `most` about how many experiments each was given."""

    zoo: str
    seed: int
    labs: int
    part: str | None
    most: int | None
    started_at: dt.datetime
    finished_at: dt.datetime
    interrupted: bool
    machine: Machine


class ShownTold(_Part):
    """An experiment that was not held."""

    id: str
    clause: str
    verdict: Outcome
    unknown_kind: UnknownKind | None
    reason: str


class ShownRow(_Part):
    """One of the zoo, or one sabotage."""

    name: str
    kind: RowKind
    about: str
    stack: str
    finding: Finding
    why: str
    clauses: list[str]
    caught_by: list[str]
    experiments: int = Field(description="how many were run")
    not_held: list[ShownTold]
    duration_s: float
    reproduce: str


class Kept(_Part):
    """How many of a kind are as they should be, and how many there are."""

    right: int
    total: int


class Summary(_Part):
    """The score; `wrong` counts what is missed, accused or green, `untold` what nothing can be said of."""

    broken: Kept
    correct: Kept
    sabotage: Kept
    experiments: int
    wrong: int
    untold: int


class Document(Measured):
    """The whole of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["handoff-zoo/1"] = Field(default=SCHEMA, alias="schema")
    rows: list[ShownRow]
    left_out: dict[str, str] = Field(description="why what could not be measured here was not, by name")
    summary: Summary


def build_document(measured: Measured, rows: Sequence[Row], left_out: Mapping[str, str]) -> dict[str, Any]:
    """Build the document of a measurement, as JSON values without secrets; every number of the summary is counted from the rows."""
    score = count(rows)
    summary = Summary(
        **{kind: Kept(right=right, total=total) for kind in score.counts for right, total in [score.of(kind)]},
        experiments=sum(row.ran for row in rows),
        wrong=score.wrong,
        untold=score.untold,
    )
    document = Document(
        **measured.model_dump(), rows=[_show(row) for row in rows], left_out=dict(left_out), summary=summary
    )
    return OURS.redact_fields(document.model_dump(mode="json"))


def build_schema() -> dict[str, Any]:
    """Build the JSON Schema of the document."""
    return Document.model_json_schema()


def _show(row: Row) -> ShownRow:
    return ShownRow(
        name=row.name,
        kind=row.kind,
        about=row.about,
        stack=row.stack,
        finding=row.finding,
        why=row.why,
        clauses=list(row.clauses),
        caught_by=list(row.caught_by),
        experiments=row.ran,
        not_held=[
            ShownTold(id=told.id, clause=told.clause, verdict=told.outcome, unknown_kind=told.kind, reason=told.reason)
            for told in row.told
        ],
        duration_s=round(row.duration_s, 2),
        reproduce=row.reproduce,
    )
