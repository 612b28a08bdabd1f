"""Stacks with nothing to find in them, beside the reference: defects are seeded into them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

# What the reference does not use: a file, a batch, a system behind mappings, EDI triggers, a renewed and a resent message.
WAREHOUSE = """\
version: 1
name: acme-warehouse
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
  gateway: {fake: stripe}
  wms: {fake: wms}
  carrier: {wiremock: fakes/carrier}
integration:
  command: [python, -m, warehouse]
  webhooks: {storefront: /in/storefront, wms: /in/wms}
  client_retries: {gateway: 2}
  observe:
    dead_letters: /ops/dead-letters
    queues: /ops/queues
roles:
  integration-oncall: {rotation: weekly, sla: 15m}
  warehouse-ops: {rotation: daily, sla: 1h}
  fraud-review: {rotation: daily, sla: 1h, channel: zendesk}
handoffs:
  - id: stock-file
    from: wms
    to: erp
    protocol: file_transfer
    owner: warehouse-ops
    operation: [inventory_adjustment.create]
    effects: at_least_once
    resolved_when: {system: erp, record: inventory_adjustment, state: exists}
    within: 24h
    paths:
      - on: file_missing
        resend: {attempts: 2, after: 1h}
        then: dead_letter
      - on: file_truncated
        dead_letter: {escalate_after: 1, to: warehouse-ops}
      - on: file_duplicate
        deduplicate: true
    dead_letter: {escalate_after: 2, to: warehouse-ops}
  - id: wms-shipment
    from: wms
    to: integration
    protocol: webhook
    owner: warehouse-ops
    recurrence_per_week: 5
    resolved_when: {system: erp, record: item_fulfillment, state: exists_once}
    within: 5m
    paths:
      - on: dropped
        reconcile: {every: 60s, within: 120s}
      - on: duplicate
        deduplicate: true
      - on: bad_signature
        reject: {status: 401}
      - on: malformed
        dead_letter: {escalate_after: 1, to: warehouse-ops}
      - on: receiver_down
        recover: {within: 200s}
      - on: crash
        recover: {within: 30s}
  - id: payment-capture
    from: storefront
    to: gateway
    protocol: api
    owner: fraud-review
    recurrence_per_week: 3
    operation: [payment_intent.capture]
    effects: exactly_once
    resolved_when: {system: gateway, record: payment_intent, state: succeeded}
    within: 10m
    paths:
      - on: {status: 429}
        retry: {attempts: 4, initial: 4s}
        then: dead_letter
      - on: {code: card_declined}
        decided_by: human
        queue: {role: fraud-review, sla: 30m, decisions: {retry: {to: continue}, cancel: {to: cancel-and-refund}}}
      - on: {when: "amount > 500.00 EUR"}
        kind: business_rule
        queue: {role: fraud-review, decided_by: threshold, decisions: {approve: {to: continue}, reject: {to: cancel-and-refund}}}
      - on: any
        retry: {attempts: 3, initial: 4s}
        then: dead_letter
    dead_letter: {escalate_after: 3, to: fraud-review}
    breaker: {failures: 5, pause: 40s, alert: integration-oncall}
  - id: order-to-wms
    from: storefront
    to: wms
    protocol: api
    owner: integration-oncall
    recurrence_per_week: 2
    operation: [wms_order.create]
    resolved_when: {system: wms, record: order, state: exists_once}
    within: 10m
    paths:
      - on: partial_allocation
        branch: {to: secondary-location, decided_by: code, resolved_when: {system: wms, record: order, state: allocated}}
      - on: {code: duplicate_reference}
        branch: {to: treat-as-done, decided_by: code}
      - on: permission_denied
        dead_letter: {escalate_after: 1, to: integration-oncall}
      - on: timeout
        retry: {attempts: 3, initial: 4s}
        then: dead_letter
      - on: any
        retry: {attempts: 3, initial: 2s, jitter: equal}
        then: dead_letter
    dead_letter: {escalate_after: 3, to: integration-oncall}
  - id: order-to-erp
    from: storefront
    to: erp
    protocol: api
    owner: integration-oncall
    recurrence_per_week: 14
    operation: [sales_order.upsert]
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 3h
    paths:
      - on: session_expired
        renew_session: true
        retry: {attempts: 2, initial: 2s}
        then: dead_letter
      - on: any
        retry: {attempts: 3, initial: 4s, max: 30s, jitter: decorrelated}
        then: dead_letter
    dead_letter: {escalate_after: 3, to: integration-oncall}
    breaker: {failures: 4, pause: 1m, alert: integration-oncall}
  - id: shipment-to-carrier
    from: wms
    to: carrier
    protocol: api
    owner: warehouse-ops
    operation: [label.create]
    resolved_when: {system: carrier, record: label, state: exists_once}
    within: 10m
    paths:
      - on: rate_limited
        retry: {attempts: 3, initial: 4s, honour_retry_after: true}
        then: dead_letter
      - on: {status: 503}
        retry: {attempts: 3, initial: 4s}
        then: dead_letter
      - on: {code: address_undeliverable}
        kind: business_rule
        queue: {role: warehouse-ops, decisions: {correct: {to: continue}, cancel: {to: cancel-and-refund}}}
      - on: any
        dead_letter: {escalate_after: 1, to: warehouse-ops}
    dead_letter: {escalate_after: 3, to: warehouse-ops}
"""


def read_sound_stacks() -> dict[str, str]:
    """Read every stack that has nothing to find in it, by name: the reference, the scenarios', and one of these tests."""
    files = [ROOT / "reference" / "stack.yaml", *sorted((ROOT / "scenarios").glob("*.yaml"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files} | {
        "warehouse": WAREHOUSE
    }
