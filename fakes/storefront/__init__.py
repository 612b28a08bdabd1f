"""fakes/storefront."""
