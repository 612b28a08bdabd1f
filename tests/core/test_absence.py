"""Absence: what is left of a stack where one of its systems is not in the lab."""

from dataclasses import replace

import pytest

from harness.core.absence import explain_absence, leave_out
from harness.core.compile import compile_stack
from harness.core.loading import load_stack

MAPPED = """
version: 1
name: shop
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
  crm: {wiremock: mappings/crm}
integration:
  command: [./run]
  webhooks: {storefront: /hooks}
  observe: {dead_letters: /dlq}
roles: {oncall: {rotation: weekly, sla: 15m}}
handoffs:
  - id: capture
    from: storefront
    to: integration
    protocol: webhook
    within: 5m
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    paths: [{on: crash, recover: {within: 20s}}]
  - id: post
    from: storefront
    to: erp
    protocol: api
    after: [capture]
    operation: [sales_order.upsert]
    within: 10m
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    paths: [{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]
  - id: tell
    from: storefront
    to: crm
    protocol: api
    after: [capture]
    operation: [contact.upsert]
    effects: at_least_once
    within: 10m
    resolved_when: {system: crm, record: contact, state: exists_once}
    paths: [{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]
  - id: note
    from: crm
    to: erp
    protocol: api
    after: [tell]
    operation: [customer.create]
    within: 10m
    resolved_when: {system: erp, record: customer, state: exists_once}
    paths: [{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]
  - id: file
    from: erp
    to: erp
    protocol: api
    after: [note, post]
    operation: [credit_memo.create]
    within: 10m
    resolved_when: {system: erp, record: credit_memo, state: exists_once}
    paths: [{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]
"""
WHY = {"crm": "crm needs WireMock: make wiremock"}


@pytest.fixture(scope="module")
def stack():
    """Load a stack with a CRM of mappings and what comes after it."""
    return load_stack(MAPPED, file="stack.yaml")


def test_what_touches_the_system_is_left_out_and_what_comes_after_it(stack):
    """Each handoff that is left out says why, the ones that come after it too, however far."""
    assert explain_absence(stack, WHY) == {
        "tell": WHY["crm"],
        "note": WHY["crm"],
        "file": f"it comes after note: {WHY['crm']}",
    }
    assert [each.id for each in leave_out(stack, WHY).handoffs] == ["capture", "post"]


def test_a_record_at_the_system_counts(stack):
    """A handoff between others that is resolved at the absent system is left out."""
    post = stack.handoff("post")
    elsewhere = replace(post, resolved_when=replace(post.resolved_when, system="crm"))
    changed = replace(stack, handoffs=(elsewhere, *stack.handoffs[2:]))
    assert explain_absence(changed, WHY)["post"] == WHY["crm"]


def test_nothing_absent_leaves_everything(stack):
    """With every system there the stack is what it was."""
    assert explain_absence(stack, {}) == {}
    assert leave_out(stack, {}) == stack


def test_what_is_left_is_compiled_under_the_same_ids(stack):
    """The experiments of the other handoffs keep their ids, and neither ledger nor neighbours speak of what is left out."""
    whole, rest = compile_stack(stack), compile_stack(leave_out(stack, WHY))
    kept = {each.id for each in whole.experiments if each.handoff in {"capture", "post"}}

    left = {each.id for each in rest.experiments}
    assert left < kept
    # Fewer handoffs make fewer pairs.
    assert all("/pairs:" in name for name in kept - left)
    assert {station.handoff for each in whole.experiments for station in each.ledger.stations} > {"tell", "note"}
    assert {station.handoff for each in rest.experiments for station in each.ledger.stations} == {"capture", "post"}
    for each in rest.experiments:
        assert "crm" not in repr([each.steps, [check.judge for check in each.checks]])


@pytest.mark.parametrize(
    ("paths", "shapes"),
    [
        ("[{on: any, RETRY}]", ["empty-response", "connection-reset", "malformed-chunk", "random-then-close"]),
        ("[{on: malformed, dead_letter: {}}, {on: any, RETRY}]", ["empty-response", "connection-reset"]),
        ("[{on: connection, dead_letter: {}}, {on: any, RETRY}]", []),
        ("[{on: {status: 429}, RETRY}]", []),
    ],
)
def test_what_mappings_do_to_a_connection(paths, shapes):
    """A server of mappings breaks connections in ways of its own, under the path that takes them whatever the client makes of it."""
    head, tell, tail = MAPPED.partition("  - id: tell\n")
    old = "[{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]"
    new = paths.replace("RETRY", "retry: {attempts: 3, initial: 4s}, then: dead_letter")
    plan = compile_stack(load_stack(head + tell + tail.replace(old, new, 1), file="stack.yaml"))
    kinds = {"empty_response", "connection_reset", "malformed_chunk", "random_then_close"}
    broken = [each for each in plan.experiments if kinds & {fault.kind for fault in each.faults}]

    taken = [each.shape for each in broken if each.clause.split("/")[1] in {"any:retry", "429:retry"}]
    assert taken == shapes
    assert {each.handoff for each in broken} <= {"tell"}
    assert all(each.faults[0].system == "crm" for each in broken)


def test_a_broken_connection_that_is_put_aside_at_once():
    """Where connections that break are put aside, those that mappings break are put aside too."""
    old = "paths: [{on: any, retry: {attempts: 3, initial: 4s}, then: dead_letter}]"
    new = "paths: [{on: connection, dead_letter: {escalate_after: 1, to: oncall}}]"
    head, tell, tail = MAPPED.partition("  - id: tell\n")
    plan = compile_stack(load_stack(head + tell + tail.replace(old, new, 1), file="stack.yaml"))
    shapes = [each.shape for each in plan.experiments if each.clause == "tell/connection:dead_letter"]
    assert shapes == ["first", "empty-response", "connection-reset", "beyond"]
