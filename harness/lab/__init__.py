"""harness/lab."""
