"""Run every benchmark: `python -m bench`."""

from __future__ import annotations

import asyncio

from bench.wire import main

asyncio.run(main())
