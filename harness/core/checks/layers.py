"""
Layers: which calls are attempts of the policy, and which a client below it made by itself.

A client that retries repeats a call up to so many times before the policy hears of a failure. How long it waits in between is
its own affair; the waits between its runs are the policy's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.history import Exchange

    Run = tuple[Exchange, ...]


def split_layers(
    calls: Sequence[Exchange], *, client_retries: int, attempts: int, allows: Callable[[int, float], bool]
) -> tuple[Run, ...]:
    """
    Split the calls about one order into at most so many attempts of the policy, each of one call and its repetitions.

    `allows` tells whether a wait before a further attempt may be that: its ordinal (from 1) and its length in seconds. Returns
    nothing where no split is allowed, and of several one with the most attempts.
    """
    reached: dict[int, tuple[Run, ...]] = {0: ()}
    found: tuple[Run, ...] = ()
    for ordinal in range(attempts):
        further: dict[int, tuple[Run, ...]] = {}
        for start, runs in reached.items():
            wait_s = calls[start].started - calls[start - 1].ended if start else 0.0
            if start and not allows(ordinal, wait_s):
                continue
            for end in range(start + 1, min(start + 1 + client_retries, len(calls)) + 1):
                further.setdefault(end, (*runs, tuple(calls[start:end])))
        found = further.pop(len(calls), found)
        reached = further
    return found
