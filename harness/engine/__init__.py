"""harness/engine."""
