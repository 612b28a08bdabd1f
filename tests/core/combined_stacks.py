"""Stacks with a webhook and a call whose paths are given, compiled."""

from compiled_stacks import compile_text
from histories import told

TEXT = """\
version: 1
name: some
time: {{scale: 20}}
systems: {{storefront: {{fake: shopify}}, erp: {{fake: netsuite}}, gateway: {{fake: stripe}}, wms: {{fake: wms}}}}
integration:
  command: [./run]
  webhooks: {{storefront: /hooks}}
  observe: {{dead_letters: /dlq, queues: /queues}}
roles: {{oncall: {{sla: 15m}}}}
handoffs:
  - id: capture
    from: storefront
    to: integration
    protocol: webhook
    owner: oncall
    operation: [orders/create, orders/updated]
    within: 5m
    resolved_when: {{system: erp, record: sales_order, state: exists_once}}
    paths:
      - {{on: {webhook}}}
  - id: post
    from: storefront
    to: {target}
    protocol: api
    after: [capture]
    owner: oncall
    operation: [{operation}]
    within: 10m
    resolved_when: {{system: {target}, record: {record}, state: exists_once}}
    paths:
      - {{on: {api}}}
"""
CALLS = {"erp": ("sales_order.upsert", "sales_order"), "gateway": ("payment_intent.capture", "payment_intent"),
         "wms": ("wms_order.create", "order")}  # fmt: skip
RETRY = "retry: {attempts: 3, initial: 4s}"
CASE = "queue: {role: oncall, decisions: {go: {to: continue}, stop: {to: cancel}}}"
ELSEWHERE = "branch: {to: ticket, resolved_when: {system: erp, record: customer, state: exists_once}}"
HERE = "branch: {to: other-way}"


def compile_paths(webhook="duplicate, deduplicate: true", api=f"any, {RETRY}, then: dead_letter", target="erp"):
    """Compile a webhook's and a call's path; return the experiments by id, and the rows of the matrix by clause."""
    operation, name = CALLS[target]
    text = TEXT.format(webhook=webhook, api=api, target=target, operation=operation, record=name)
    plan = compile_text(text)
    return {each.id: each for each in plan.experiments}, {row.clause: row for row in plan.coverage}


def compile_api(on, outcome, target="erp", more=""):
    """Compile one path of a call; return its experiments by shape, and its row of the matrix."""
    found, rows = compile_paths(api=f"{on}, {outcome}{more}", target=target)
    row = next(row for clause, row in rows.items() if clause.startswith("post/") and clause not in OWED)
    return {each.shape: each for each in found.values() if each.clause == row.clause}, row


ALWAYS = {"capture/clean:resolve", "capture/pairs:resolve"}
OWED = {"post/clean:resolve", "post/lost_answer:exactly_once", "post/outage:contain"}


def compile_webhook(on, outcome):
    """Compile one path of a webhook; return its experiments by shape, and its row of the matrix."""
    found, rows = compile_paths(webhook=f"{on}, {outcome}")
    row = next(row for clause, row in rows.items() if clause not in ALWAYS)
    return {each.shape: each for each in found.values() if each.clause == row.clause}, row


def judge(experiment, name, *facts, **more):
    """Judge one check of an experiment over a history."""
    check = next(each for each in experiment.checks if each.name == name)
    return check.judge(told(*facts, **more)).outcome


def tell_gaps(row):
    """Return the parts of a clause that nothing asks for, each with its reason."""
    return {gap.what: gap.why for gap in row.gaps}
