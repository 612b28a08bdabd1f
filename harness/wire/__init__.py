"""harness/wire."""
