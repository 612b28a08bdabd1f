"""A story in words, for whoever sees it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.checks.ledger import Row, audit_ledger
from harness.core.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.core.experiments import LedgerRule
    from harness.core.history import Alert, Exchange, History, Receipt
    from harness.core.result import Result
    from harness.core.verdict import CheckResult
    from harness.pytest_plugin.orders import Orders

SHOWN = 12


class Unmet(AssertionError):  # noqa: N818 - it is no error, it is a claim that does not hold
    """A claim of a story that does not hold, in lines that say what was declared and what was seen."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__("\n".join(lines))


def describe_check(checked: CheckResult) -> Iterator[str]:
    """Put declared beside observed."""
    yield f"declared   {checked.declared}"
    yield f"observed   {checked.observed}"
    yield from (f"           {say_time(item.t)}{item.what}" for item in checked.evidence[:SHOWN])


def describe_orders(history: History, rule: LedgerRule, orders: Orders | None = None) -> Iterator[str]:
    """Tell each order's story across the systems, of all that were placed or of these: those in trouble first."""
    wanted = None if orders is None else set(orders.ordinals)
    entries = [entry for entry in audit_ledger(history, rule) if wanted is None or entry.order in wanted]
    entries.sort(key=lambda entry: entry.row in {Row.POSTED, Row.FULFILLED})
    yield from (f"{entry.name}    {entry.row}: {'; '.join(entry.story)}" for entry in entries[:SHOWN])
    if len(entries) > SHOWN:
        yield f"           and {len(entries) - SHOWN} more"


def describe_story(result: Result) -> Iterator[str]:
    """Tell a story that was concluded: what the harness has to say against it, the faults, the orders, the alerts."""
    history, verdict = result.history, result.verdict
    for gate in verdict.gates:
        if not gate.passed:
            yield f"unknown    {gate.kind}: {gate.detail}"
    for check in verdict.checks:
        if check.outcome is not Outcome.HELD:
            yield f"{check.outcome:<10} {check.name}"
            yield from describe_check(check)
    for fault in result.experiment.faults:
        hits = history.hits(fault.id)
        yield f"fault      {fault.kind} at {fault.target}: {len(hits)} receipts"
        yield from (f"           {say_receipt(hit)}" for hit in hits[:SHOWN])
    yield from describe_orders(history, result.experiment.ledger)
    yield from (f"alert      {say_alert(alert)}" for alert in history.alerts[:SHOWN])


def say_receipt(receipt: Receipt) -> str:
    """Say what a fault met."""
    return f"{say_time(receipt.t)}client saw {receipt.client_saw}, server {receipt.server_saw}"


def say_alert(alert: Alert) -> str:
    """Say who was told of what."""
    about = " ".join(filter(None, (alert.handoff, alert.entity, alert.code)))
    return f"{say_time(alert.t)}{alert.role or 'nobody known'} by {alert.channel} about {about}"


def say_call(call: Exchange) -> str:
    """Say a call the way an engineer would write it down."""
    return f"{say_time(call.started)}{call}"


def say_time(t: float | None) -> str:
    """Say when something happened, in seconds of the lab since the story began."""
    return "" if t is None else f"{t:.2f} s  "
