"""The command line `handoff`: one file a command, registered in `harness.cli.app`."""

from harness.cli.app import main

__all__ = ["main"]
