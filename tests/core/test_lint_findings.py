"""Findings: what is questionable in a stack that is valid."""

import datetime as dt
from pathlib import Path

import pytest

from harness.core.lint import lint_stack
from harness.core.loading import load_stack
from harness.core.problems import Problem, quote_line, split_lines

REFERENCE = Path(__file__).parents[2] / "reference" / "stack.yaml"

CLEAN = """\
version: 1
name: acme
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
integration:
  command: [python, -m, reference]
  webhooks: {storefront: /hooks}
  observe: {dead_letters: /dead-letters, queues: /queues}
roles:
  oncall: {rotation: weekly, sla: 15m}
  compliance: {rotation: daily, sla: 4h}
handoffs:
  - id: order-capture
    from: storefront
    to: integration
    protocol: webhook
    owner: oncall
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 5m
    paths:
      - on: dropped
        reconcile: {every: 60s, within: 120s}
      - on: crash
        recover: {within: 40s}
  - id: order-to-erp
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    operation: sales_order.create
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 10m
    paths:
      - on: {status: 429}
        retry: {attempts: 4, initial: 4s}
        then: dead_letter
      - on: {code: RESTRICTED}
        kind: business_rule
        queue: {role: compliance, decisions: {approve: {to: continue}}}
      - on: any
        dead_letter: {escalate_after: 1, to: oncall}
    dead_letter: {escalate_after: 3, to: oncall}
    breaker: {failures: 5, pause: 40s, alert: oncall}
"""


def findings_of(text: str, **settings: dt.date) -> list[Problem]:
    """Return the findings of a text, each with its line."""
    findings = lint_stack(load_stack(text, file="stack.yaml"), **settings)
    return [quote_line(finding, split_lines(text)) for finding in findings]


def test_clean():
    """A stack with nothing questionable has no findings."""
    assert findings_of(CLEAN) == []


def test_reference():
    """The stack in use has no findings."""
    assert findings_of(REFERENCE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "code", "points_at"),
    [
        ("    owner: oncall\n    operation", "    operation", "owner-missing", "id: order-to-erp"),
        ("owner: oncall\n    operation", "owner: Jane Doe\n    operation", "owner-is-person", "Jane Doe"),
        ("owner: oncall\n    operation", "owner: j@acme.test\n    operation", "owner-is-person", "j@acme.test"),
        ("{rotation: daily, sla: 4h}", "{sla: 4h}", "role-without-rotation", "compliance"),
        ("{rotation: weekly, sla: 15m}", "{rotation: weekly}", "role-without-sla", "oncall"),
        ("  compliance:", "  spare: {rotation: daily, sla: 1h}\n  compliance:", "role-unused", "spare"),
        ("    dead_letter: {escalate_after: 3, to: oncall}\n", "", "dead-letter-without-escalation", "then"),
        ("{escalate_after: 1, to: oncall}", "{to: oncall}", "dead-letter-without-escalation", "dead_letter"),
        ("{escalate_after: 1, to: oncall}", "{escalate_after: 1}", "dead-letter-without-escalation", "dead_letter"),
        (", decisions: {approve: {to: continue}}", "", "queue-without-decisions", "queue"),
        ("pause: 40s, alert: oncall", "pause: 40s", "breaker-without-alert", "breaker"),
        ("operation: sales_order.create\n    resolved_when: {system: erp, record: sales_order, state: exists_once}",
         "operation: sales_order.create", "end-state-missing", "id: order-to-erp"),
        ("    operation: sales_order.create\n", "", "operation-missing", "id: order-to-erp"),
        ("  webhooks: {storefront: /hooks}\n", "", "receiver-missing", "id: order-capture"),
        ("from: storefront\n    to: erp", "from: erp\n    to: erp", "handoff-to-itself", "id: order-to-erp"),
        ("dead_letters: /dead-letters, ", "", "not-observable", "integration"),
        (", queues: /queues", "", "not-observable", "integration"),
        ("on: {status: 429}", "on: {status: 302}", "trigger-no-failure", "{status: 302}"),
        ("on: {status: 429}", "on: out_of_order", "trigger-never-fires", "out_of_order"),
        ("on: {status: 429}", "on: file_missing", "trigger-never-fires", "file_missing"),
        ("on: dropped", "on: session_expired", "trigger-never-fires", "session_expired"),
        ("on: dropped", "on: {status: 503}", "trigger-never-fires", "{status: 503}"),
        ("      - on: any", "      - on: rate_limited\n        dead_letter: true\n      - on: any", "trigger-covered", "{status: 429}"),
        ("attempts: 4", "attempts: 1", "retry-of-one", "retry"),
        ("4s}\n        then: dead_letter", "4s}", "no-end", "retry"),
        ("to: continue}}}", "to: continue}}}\n        then: dead_letter", "then-never-reached", "then"),
        ("on: any", "on: timeout", "no-path-for-the-rest", "id: order-to-erp"),
        ("within: 10m", "within: 20s", "longer-than-within", "retry"),
        ("within: 5m", "within: 100s", "longer-than-within", "reconcile"),
        ("every: 60s", "every: 130s", "reconcile-too-rare", "reconcile"),
        ("recover: {within: 40s}", "recover: {within: 60s}", "crash-hidden-by-reconcile", "recover"),
        ("pause: 40s", "pause: 15s", "pause-below-gap", "breaker"),
    ],
)  # fmt: skip
def test_findings(right, wrong, code, points_at):
    """One questionable thing gives one finding, at its place, with what to do about it."""
    assert right in CLEAN
    (finding,) = findings_of(CLEAN.replace(right, wrong, 1))
    assert finding.code == code
    assert finding.source_line[finding.column - 1 :].startswith(points_at)
    assert finding.severity == "warning"
    assert finding.fix


def test_retry_on_business_rule():
    """A retry on a business rule is an error: it can never resolve it."""
    text = CLEAN.replace(
        "queue: {role: compliance, decisions: {approve: {to: continue}}}",
        "retry: {attempts: 2, initial: 1s}\n        then: dead_letter",
    )
    found = {finding.code: finding.severity for finding in findings_of(text)}
    assert found == {"retry-on-business-rule": "error", "role-unused": "warning"}


def test_queue_without_sla():
    """A queue has no SLA when neither it nor its role has one; one of its own is enough."""
    text = CLEAN.replace("{rotation: daily, sla: 4h}", "{rotation: daily}")
    assert {finding.code for finding in findings_of(text)} == {"role-without-sla", "queue-without-sla"}
    own = text.replace("queue: {role: compliance,", "queue: {role: compliance, sla: 1h,")
    assert {finding.code for finding in findings_of(own)} == {"role-without-sla"}


def test_breaker_where_nothing_is_called():
    """A breaker on a handoff that receives can never open."""
    text = CLEAN.replace("within: 40s}\n", "within: 40s}\n    breaker: {failures: 2, pause: 9s, alert: oncall}\n")
    assert [finding.code for finding in findings_of(text)] == ["breaker-never-opens"]


def test_no_paths():
    """A handoff without paths is a finding of its own, and not one about the rest."""
    text = CLEAN[: CLEAN.index("    paths:", CLEAN.index("order-to-erp"))]
    assert {finding.code for finding in findings_of(text)} == {"no-paths", "role-unused"}


def test_pauses_count_towards_the_budget():
    """An order with more attempts than the breaker's failures also waits for the breaker."""
    text = CLEAN.replace("failures: 5", "failures: 3").replace("within: 10m", "within: 60s")
    (finding,) = findings_of(text)
    assert (finding.code, "68s" in finding.message) == ("longer-than-within", True)


def test_scale_does_not_count():
    """Findings reason in production time, whatever the lab divides by."""
    text = CLEAN.replace("within: 10m", "within: 20s")
    assert [f.code for f in findings_of(text.replace("name: acme", "name: acme\ntime: {scale: 1000}"))] == [
        f.code for f in findings_of(text)
    ]


def test_accept_expires():
    """An accepted verdict counts again the day after its last, and only where the day is known."""
    text = CLEAN.replace(
        "name: acme", "name: acme\naccept: [{clause: order-to-erp/429:retry, reason: beta, until: 2027-03-31}]"
    )
    assert findings_of(text) == []
    assert findings_of(text, today=dt.date(2027, 3, 31)) == []
    assert [finding.code for finding in findings_of(text, today=dt.date(2027, 4, 1))] == ["accept-expired"]


def test_order_of_the_file():
    """Findings come in the order of the file."""
    text = (
        CLEAN.replace("    owner: oncall\n", "")
        .replace("sla: 15m", "channel: slack")
        .replace("pause: 40s", "pause: 1s")
    )
    lines = [finding.line for finding in findings_of(text)]
    assert len(lines) > 3
    assert lines == sorted(lines)
