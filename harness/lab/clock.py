"""One clock for all of a lab: gaps are measured across its parts, on the monotonic clock of one kernel."""

import time
from collections.abc import Iterable

from harness.lab.control import ControlClient
from harness.lab.errors import EnvironmentNotReady


async def ensure_one_clock(parts: Iterable[ControlClient]) -> None:
    """Raise EnvironmentNotReady where a part reads another monotonic clock than we do."""
    for part in parts:
        before = time.monotonic()
        theirs = float((await part.healthz())["mono"])
        if not before <= theirs <= time.monotonic():
            why = f"the clock of {part.system} reads {theirs:.3f} s where ours reads {before:.3f} s"
            raise EnvironmentNotReady("the monotonic clock", why, "run all of a lab, and the harness, on one kernel")
