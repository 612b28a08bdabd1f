"""
The reference integration: a service between a storefront and an ERP that keeps its promises.

It takes orders from the storefront's webhooks, posts each to the ERP as a sales order exactly once, and resolves what goes wrong on
the way: retries with backoff, dead letters with escalation, a circuit breaker, reconciliation. `python -m reference` runs it; its
environment configures it; `reference.app.build` composes it, with other parts if wanted.
"""
