"""
The automaton of a breaker, run over the calls on the wire.

    closed    --Nth consecutive failure-->  open
    open      --pause over, a call begins-->  half open
    half open --success-->  closed
    half open --failure-->  open

Calls that began before a failure was known were under way and prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.backoff import EARLY_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.history import Exchange
    from harness.core.stack import Breaker

# A worker may have passed its breaker just before the last failure was booked; its call reaches the wire a moment later.
UNDER_WAY_S = 0.1


@dataclass(frozen=True, slots=True)
class Opening:
    """
    One time the handoff had to be silent: from when, until the pause is over, and what was sent meanwhile.

    It is `contested` when a call that was under way succeeded just as it opened: who hears of both at once may take that
    for the earlier of the two, and start counting anew.
    """

    opened: float
    until: float
    intruders: tuple[Exchange, ...]
    probes: tuple[Exchange, ...]
    reopened: bool
    contested: bool


def trace_openings(calls: Sequence[Exchange], breaker: Breaker, *, scale: float) -> tuple[Opening, ...]:
    """Run the automaton over the calls of one handoff and list the openings it had to make."""
    pause_s = breaker.pause_s / scale
    by_end = sorted(calls, key=lambda call: call.ended)
    openings: list[Opening] = []
    consecutive = 0
    position = 0
    while position < len(by_end):
        call = by_end[position]
        position += 1
        if openings and call.started < openings[-1].opened + UNDER_WAY_S:
            continue  # under way when the breaker opened: neither a probe nor a failure of the next count
        if call.succeeded:
            consecutive = 0
        elif call.counts_for_breaker:
            consecutive += 1
        if consecutive < breaker.failures:
            continue
        reopened = False
        opened = call.ended
        while True:
            opening = _open(by_end, opened, breaker, pause_s, reopened=reopened)
            openings.append(opening)
            if not opening.probes:
                return tuple(openings)
            decisive = opening.probes[-1]
            position = next(at for at, later in enumerate(by_end) if later is decisive) + 1
            if not decisive.counts_for_breaker:
                break
            opened, reopened = decisive.ended, True
        consecutive = 0
    return tuple(openings)


def _open(calls: Sequence[Exchange], opened: float, breaker: Breaker, pause_s: float, *, reopened: bool) -> Opening:
    """Describe one opening: who broke the silence, and which calls probed after it, up to the first that ended."""
    until = opened + pause_s
    earliest = until - pause_s * EARLY_SHARE
    # Beside a single probe nothing is let through: when it fails, nothing else can be under way.
    settled = opened if reopened and breaker.probes == 1 else opened + UNDER_WAY_S
    later = sorted((call for call in calls if call.started >= settled), key=lambda call: call.started)
    intruders = tuple(call for call in later if call.started < earliest)
    after = [call for call in later if call.started >= earliest]
    contested = any(call.succeeded and call.started < opened <= call.ended <= opened + UNDER_WAY_S for call in calls)
    if not after:
        return Opening(opened, until, intruders, (), reopened, contested)
    decided = min(call.ended for call in after)
    probes = sorted((call for call in after if call.started < decided), key=lambda call: call.ended)
    return Opening(opened, until, intruders, tuple(probes), reopened, contested)


def longest_run(calls: Sequence[Exchange]) -> int:
    """Count the most failures in a row, in the order the calls ended."""
    longest = run = 0
    for call in sorted(calls, key=lambda exchange: exchange.ended):
        run = 0 if call.succeeded else run + call.counts_for_breaker
        longest = max(longest, run)
    return longest
