"""Serve the tap and the toxic engine: `python -m harness.wire`.

Prints one JSON line when both ports listen: `control_url` (the tap's control plane) and `url` (Toxiproxy's API). Ends on
SIGTERM, SIGINT or the end of the lifeline.
"""

from __future__ import annotations

from harness.wire.process import main

main()
