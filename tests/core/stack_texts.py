"""Texts of stack.yaml that several tests start from."""

WHOLE = """\
version: 1
name: acme
time: {scale: 20}
matrix: {recurrence_high: 5, impact_high: [delayed_shipment, inventory_error]}
systems:
  storefront: {fake: shopify}
  erp:        {fake: netsuite}
  gateway:    {fake: stripe}
  wms:        {fake: wms}
  carrier:    {wiremock: fakes/carrier}
integration:
  command: [python, -m, reference]
  image: acme/integration
  health: /up
  webhooks: {storefront: /webhooks/storefront, gateway: /webhooks/gateway}
  client_retries: {gateway: 2}
  entity: "order-(?P<order>[0-9]+)"
  observe:
    dead_letters: /ops/dead-letters
    queues: {command: ./queues.sh}
    jobs: {python: "my_adapter:jobs"}
accept:
  - {clause: order-to-erp/429:retry, reason: vendor beta, until: 2027-03-31}
  - {clause: order-to-erp/breaker, reason: vendor beta, until: 2027-03-31}
roles:
  integration-oncall: {rotation: weekly, sla: 15m, channel: pagerduty}
  compliance:         {rotation: daily, sla: 4h, channel: zendesk}
handoffs:
  - id: order-capture
    from: storefront
    to: integration
    protocol: webhook
    within: 5m
    paths:
      - {on: dropped, reconcile: {every: 20s, within: 100s}}
      - {on: duplicate, deduplicate: true}
      - {on: out_of_order, reorder: true}
      - {on: bad_signature, reject: {status: 401}}
      - {on: receiver_down, recover: {within: 200s}}
  - id: order-to-erp
    from: storefront
    to: erp
    protocol: api
    after: [order-capture]
    hops: [webhook-receiver, ipaas-connector]
    owner: integration-oncall
    recurrence_per_week: 14
    failures_route_to: human_inbox
    impact: delayed_shipment
    operation: [sales_order.create, sales_order.upsert]
    effects: at_least_once
    resolved_when: {system: erp, record: sales_order, state: exists_once}
    within: 10m
    paths:
      - on: {status: 429}
        retry: {attempts: 4, initial: 4s, factor: 3, max: 100s, jitter: full, honour_retry_after: true}
        then: dead_letter
      - on: session_expired
        renew_session: true
        retry: {attempts: 2, initial: 2s}
        then: {dead_letter: {escalate_after: 7, to: compliance}}
      - on: permission_denied
        renew_session: true
        then: dead_letter
      - on: {code: USER_ERROR, text: already exists}
        branch: {to: treat-as-done, resolved_when: {system: erp, record: sales_order, state: Billed}}
      - on: {code: RESTRICTED_PRODUCT}
        kind: business_rule
        decided_by: human
        queue: {role: compliance, decided_by: human, sla: 1h,
                decisions: {approve: {to: continue}, reject: {to: cancel-and-refund}}}
      - on: {when: "amount > 500.00 EUR"}
        retry: {attempts: 3, initial: 1s}
        then: {queue: {role: compliance}}
      - on: malformed
        dead_letter: {escalate_after: 1, to: integration-oncall}
      - on: lost_response
        dead_letter: true
    dead_letter: {escalate_after: 3, to: integration-oncall}
    breaker: {failures: 5, pause: 40s, probes: 2, alert: integration-oncall}
  - id: shipping-advice
    from: wms
    to: integration
    protocol: edi_batch
    after: order-to-erp
    operation: shipping_advice.send
    within: 24h
    paths:
      - {on: ack_missing, resend: {attempts: 2, after: 30m}, then: {dead_letter: {}}}
      - {on: file_missing, resend: true}
"""

SMALL = """\
version: 1
name: acme
systems:
  storefront: {fake: shopify}
  erp: {fake: netsuite}
integration:
  command: [python, -m, reference]
  webhooks: {storefront: /hooks}
roles:
  oncall: {rotation: weekly, sla: 15m}
handoffs:
  - id: order-to-erp
    from: storefront
    to: erp
    protocol: api
    owner: oncall
    within: 10m
    paths:
      - on: {status: 429}
        retry: {attempts: 4, initial: 4s, max: 9s}
        then: dead_letter
      - on: any
        dead_letter: {escalate_after: 1, to: oncall}
    breaker: {failures: 5, pause: 40s, alert: oncall}
"""
