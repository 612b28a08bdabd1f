"""
The reference integration: a service between a storefront, an ERP, a payment gateway and a warehouse that keeps its promises.

It takes orders from the storefront's webhooks and carries each through the whole chain, every step exactly once: posted to the ERP,
paid, told of, sent to the warehouse; then its parcels, its refunds and the stock. `graph` says what follows which, `policies` what is
done about failures, `crew` who sends at which handoff. A system that is not configured is left out. `python -m reference` runs it; its
environment configures it; `reference.app.build` composes it, with other parts if wanted.
"""
