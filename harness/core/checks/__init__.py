"""harness/core/checks."""
