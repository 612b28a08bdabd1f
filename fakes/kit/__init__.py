"""fakes/kit."""
