"""Variants that tell people at another time, more often, or of less."""

from collections.abc import Iterable
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

from reference.alerts import Alert, add_alert
from reference.backlog import Item
from reference.capture import Captured, Delivery, Intake, record_delivery
from reference.handoffs import ORDER_CAPTURE, ORDER_TO_ERP
from reference.lane import Lane, LaneParts
from reference.outcomes import Failure
from reference.parts import Parts
from reference.policies import ECOMMERCE_OPS
from reference.policies import ORDER_CAPTURE as CAPTURING
from reference.policies import ORDER_TO_ERP as POSTING
from reference.policy import Escalation
from reference.store import Store
from scenarios.zoo.variant import Variant

LETTERS, MALFORMED = "dead-letters", "malformed"
FURTHER = range(2, 10)


def escalated_early() -> Parts:
    """Tell of two dead letters, not of three."""
    return Parts(order_to_erp=replace(POSTING, escalations=_change(POSTING.escalations, LETTERS, after=2)))


def retriggered() -> Parts:
    """Trigger the alert about dead letters again with each further one, under the key it has."""
    return Parts(order_to_erp=replace(POSTING, escalations=_change(POSTING.escalations, LETTERS, each=True)))


def every_malformed_answer_told() -> Parts:
    """Raise an alert of its own for every answer that cannot be understood."""
    return Parts(order_to_erp=replace(POSTING, escalations=_multiply(POSTING.escalations, MALFORMED)))


def every_malformed_webhook_told() -> Parts:
    """Raise an alert of its own for every webhook that cannot be read."""
    return Parts(capture=replace(CAPTURING, escalations=_multiply(CAPTURING.escalations, MALFORMED)))


def told_once_a_cause() -> Parts:
    """Raise no ticket about a case while another one of the same cause is open."""
    return Parts(make_lane=_make_sparing_lane)


def every_order_told() -> Parts:
    """Raise an alert about every order that comes in, although nothing is wrong with it."""
    return Parts(record=_record_and_tell)


class SparingLane(Lane):
    """A lane that tells a role of the first case of a cause alone."""

    def _commit_failure(self, conn: Connection, item: Item, failure: Failure, now: float) -> float | None:
        due_at = super()._commit_failure(conn, item, failure, now)
        same = "SELECT id FROM cases WHERE handoff = ? AND code = ? AND state = 'open' ORDER BY opened_at, rowid"
        for row in conn.execute(same, (item.handoff, failure.code)).fetchall()[1:]:
            conn.execute("DELETE FROM outbox WHERE dedup_key = ? AND state = 'queued'", (row["id"],))
        return due_at


def _record_and_tell(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    captured = record_delivery(conn, delivery, intake, now=now)
    if captured.outcome == "new":
        summary = f"{captured.entity} came in"
        alert = Alert(ECOMMERCE_OPS, ORDER_CAPTURE, captured.entity, "NEW_ORDER", summary, f"new:{captured.entity}")
        add_alert(conn, alert, now=now)
    return captured


def _make_sparing_lane(store: Store, parts: LaneParts) -> Lane:
    return (SparingLane if parts.policy.handoff == ORDER_TO_ERP else Lane)(store, parts)


def _change(escalations: Iterable[Escalation], name: str, **changes: Any) -> tuple[Escalation, ...]:
    return tuple(replace(rule, **changes) if rule.name == name else rule for rule in escalations)


def _multiply(escalations: Iterable[Escalation], name: str) -> tuple[Escalation, ...]:
    rules = tuple(escalations)
    more = (
        replace(rule, name=f"{name}-{count}", after=count) for rule in rules if rule.name == name for count in FURTHER
    )
    return (*rules, *more)


ESCALATING: tuple[Variant, ...] = (
    Variant(
        "escalates-too-early",
        "broken",
        "tells of two dead letters, not of three",
        escalated_early,
        (f"{ORDER_TO_ERP}/dead_letter:escalate",),
        (f"{ORDER_TO_ERP}/malformed:dead_letter", f"{ORDER_TO_ERP}/breaker"),
    ),
    Variant(
        "escalates-each-malformed-answer",
        "broken",
        "raises an alert of its own for every answer that cannot be understood",
        every_malformed_answer_told,
        (f"{ORDER_TO_ERP}/malformed:dead_letter",),
    ),
    Variant(
        "escalates-each-malformed-webhook",
        "broken",
        "raises an alert of its own for every webhook that cannot be read",
        every_malformed_webhook_told,
        (f"{ORDER_CAPTURE}/malformed:dead_letter",),
    ),
    Variant(
        "tells-of-the-first-of-a-burst",
        "broken",
        "tells nobody of a case while another one of the same cause is open",
        told_once_a_cause,
        (f"{ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
    # Every order that is placed shows it, so everything may.
    Variant(
        "cries-wolf",
        "broken",
        "raises an alert about every order that comes in, although nothing is wrong",
        every_order_told,
        (f"{ORDER_CAPTURE}/clean:resolve",),
        (f"{ORDER_CAPTURE}/", f"{ORDER_TO_ERP}/"),
    ),
    Variant(
        "retriggers-its-alert",
        "correct",
        "triggers the alert that is open again with each further dead letter",
        retriggered,
    ),
)
