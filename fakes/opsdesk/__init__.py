"""fakes/opsdesk."""
