"""Who reads the tap's journal as a run of the harness does, a process of its own: `python -m bench.follower CONTROL_URL TOKEN`."""

from __future__ import annotations

import asyncio
import sys

from harness.lab.tap import TapClient


async def follow(control_url: str, token: str) -> None:
    """Read what comes until killed."""
    after = 0
    async with TapClient(control_url, token) as tap:
        while True:
            page = await tap.journal(after, wait=10.0)
            after = page.entries[-1]["seq"] if page.entries else after


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:]))
