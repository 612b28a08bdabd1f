"""A payment gateway in the shape of Stripe's API v1: PaymentIntents, refunds, charges, events, webhook endpoints."""
