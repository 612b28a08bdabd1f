"""The command line `handoff`: one file a command, registered in `harness.cli.app`."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a dependency that is not installed is exit 12, with what gets it."""
    try:
        from harness.cli.app import main as run  # noqa: PLC0415 - its imports are what may be missing
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "harness":
            raise
        sys.stderr.write(f"handoff: the package `{error.name}` is not installed\n   next: make venv\n")
        return 12
    return run(arguments)
