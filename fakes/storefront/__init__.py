"""The storefront: a shop behind an Admin REST API in the shape of Shopify's, with signed webhooks."""
