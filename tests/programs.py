"""Programs that tests use and not every machine has: where they are, and the words that say aloud what was not tested."""

import pytest

from harness.lab.tools import find_toxiproxy, tell_toxiproxy

# A skip whose reason begins so is told in the summary of every run, not as a mere `s`.
NOT_HERE = "not here: "

TOXIPROXY = find_toxiproxy()
needs_toxiproxy = pytest.mark.skipif(
    TOXIPROXY is None, reason=f"{NOT_HERE}the real Toxiproxy server ({tell_toxiproxy()} gets it)"
)
