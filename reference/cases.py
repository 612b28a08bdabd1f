"""
Role queues: what a person of a role has to decide, and where each decision leads.

A case opens in the transaction that takes its item out of the queue, together with the ticket that tells the role. All functions run
inside a caller's transaction.
"""

import json
import uuid
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from reference.outbox import ZENDESK, add_message
from reference.policy import QueuePath, Way

LONGEST_LIST = 2000


class UnknownCaseError(Exception):
    """There is no case of this id."""


class UnknownDecisionError(Exception):
    """The case knows no such decision; `known` are those it does."""

    def __init__(self, known: tuple[str, ...]) -> None:
        super().__init__(", ".join(known))
        self.known = known


class DecidedError(Exception):
    """The case was decided before, and otherwise."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about which item of which handoff, and why."""

    handoff: str
    ref: str
    entity: str
    code: str
    text: str


def open_case(conn: Connection, question: Question, queue: QueuePath, *, now: float) -> str:
    """Open a case and raise its ticket; return its id."""
    case_id = f"case-{uuid.uuid4().hex[:12]}"
    decisions = json.dumps({decision: way.value for decision, way in queue.decisions.items()})
    conn.execute(
        "INSERT INTO cases (id, role, handoff, ref, entity, code, text, opened_at, sla_s, decisions, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        (
            case_id,
            queue.role,
            question.handoff,
            question.ref,
            question.entity,
            question.code,
            question.text,
            now,
            queue.sla_s,
            decisions,
        ),
    )
    ticket = json.dumps(_build_ticket(question, queue))
    add_message(conn, ZENDESK, role=queue.role, dedup_key=case_id, body=ticket, now=now)
    return case_id


def find(conn: Connection, case_id: str) -> Row | None:
    """Return one case, or None."""
    row: Row | None = conn.execute("SELECT * FROM cases WHERE id = ?", (case_id,)).fetchone()
    return row


def decide(conn: Connection, case_id: str, decision: str) -> tuple[Row, Way | None]:
    """
    Note a decision; return the case and where that leads, None when the same was decided before.

    Raises `UnknownCaseError`, `UnknownDecisionError`, or `DecidedError` when something else was decided before.
    """
    case = find(conn, case_id)
    if case is None:
        raise UnknownCaseError(case_id)
    ways: dict[str, str] = json.loads(case["decisions"])
    if decision not in ways:
        raise UnknownDecisionError(tuple(ways))
    if case["decision"] == decision:
        return case, None
    if case["state"] != "open":
        raise DecidedError(case_id)
    conn.execute("UPDATE cases SET state = 'decided', decision = ? WHERE id = ?", (decision, case_id))
    return case, Way(ways[decision])


def close_cases(conn: Connection, ref: str, *, handoff: str | None = None) -> None:
    """Close what was asked about an item, at one handoff or at all: it has been carried out, or there is nothing to ask any more."""
    if handoff is None:
        conn.execute("UPDATE cases SET state = 'done' WHERE ref = ? AND state <> 'done'", (ref,))
    else:
        conn.execute(
            "UPDATE cases SET state = 'done' WHERE ref = ? AND state <> 'done' AND handoff = ?", (ref, handoff)
        )


def list_all(conn: Connection) -> list[dict[str, object]]:
    """Return the undone cases and the latest done ones, the oldest first."""
    query = (
        "SELECT id, role, handoff, entity, code, text, opened_at, sla_s, decisions, state, decision FROM cases "
        "ORDER BY state = 'done', opened_at DESC LIMIT ?"
    )
    rows = [dict(row) for row in conn.execute(query, (LONGEST_LIST,))]
    return sorted(
        ({**row, "decisions": sorted(json.loads(row["decisions"]))} for row in rows), key=lambda row: row["opened_at"]
    )


def _build_ticket(question: Question, queue: QueuePath) -> dict[str, Any]:
    choices = ", ".join(queue.decisions)
    text = f"{question.handoff} waits for a decision about {question.entity} ({question.code}): {choices}.\n\n{question.text}"
    return {
        "ticket": {
            "external_id": f"{question.handoff}:{question.entity}",
            "group": queue.role,
            "subject": f"{question.entity}: {question.code} at {question.handoff}",
            "comment": {"body": text},
            "priority": "high",
            "tags": [f"handoff:{question.handoff}", f"code:{question.code}"],
        }
    }
