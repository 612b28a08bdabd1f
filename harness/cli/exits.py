"""Exit codes of `handoff`, the same for every command."""

from typing import Final

OK: Final = 0
VIOLATED: Final = 1
USAGE: Final = 4
UNKNOWN: Final = 10
REGRESSION: Final = 11
NOT_READY: Final = 12
INTERNAL: Final = 70
"""The harness itself crashed: nothing is said about the integration (EX_SOFTWARE of sysexits)."""
PIPE_CLOSED: Final = 141
"""Whoever read the output hung up, as a shell reports SIGPIPE."""
