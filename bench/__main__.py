"""Run every benchmark: `python -m bench`."""

from __future__ import annotations

import asyncio

from bench import judging, wire

asyncio.run(wire.main())
judging.main()
