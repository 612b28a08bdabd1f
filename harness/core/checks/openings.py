"""
The automaton of a breaker, run over the calls on the wire.

    closed    --Nth consecutive failure-->  open
    open      --pause over, a call begins-->  half open
    half open --success-->  closed
    half open --failure-->  open

Calls that began before a failure was known were under way and prove nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate, count, islice, takewhile
from operator import attrgetter
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


@dataclass(frozen=True, slots=True)
class _Calls:
    """
    The calls of one handoff, in the order they ended and in the order they began.

    `decided` says for each place of the latter when the first of the calls from there on ended.
    """

    by_end: tuple[Exchange, ...]
    by_start: tuple[Exchange, ...]
    decided: tuple[float, ...]

    def list_begun(self, since: float, before: float) -> tuple[Exchange, ...]:
        return self.by_start[self._find(since) : self._find(before)]

    def list_ended(self, since: float, until: float) -> tuple[Exchange, ...]:
        ended = attrgetter("ended")
        return self.by_end[bisect_left(self.by_end, since, key=ended) : bisect_right(self.by_end, until, key=ended)]

    def list_probes(self, since: float) -> tuple[Exchange, ...]:
        """List the calls that began from a moment on, and before the first of them had ended."""
        first = self._find(since)
        found = takewhile(lambda call: call.started < self.decided[first], islice(self.by_start, first, None))
        return tuple(sorted(found, key=attrgetter("ended")))

    def _find(self, started: float) -> int:
        return bisect_left(self.by_start, started, key=attrgetter("started"))


def _sort(calls: Sequence[Exchange]) -> _Calls:
    by_end = sorted(calls, key=attrgetter("ended"))
    by_start = sorted(by_end, key=attrgetter("started"))
    decided = list(accumulate((call.ended for call in reversed(by_start)), min))
    return _Calls(tuple(by_end), tuple(by_start), tuple(reversed(decided)))


def trace_openings(calls: Sequence[Exchange], breaker: Breaker, *, scale: float) -> tuple[Opening, ...]:
    """Run the automaton over the calls of one handoff and list the openings it had to make."""
    pause_s = breaker.pause_s / scale
    told = _sort(calls)
    openings: list[Opening] = []
    consecutive = 0
    position = 0
    while position < len(told.by_end):
        call = told.by_end[position]
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
            opening = _open(told, opened, breaker, pause_s, reopened=reopened)
            openings.append(opening)
            if not opening.probes:
                return tuple(openings)
            decisive = opening.probes[-1]
            position = next(at for at in count(position) if told.by_end[at] is decisive) + 1
            if not decisive.counts_for_breaker:
                break
            opened, reopened = decisive.ended, True
        consecutive = 0
    return tuple(openings)


def _open(calls: _Calls, opened: float, breaker: Breaker, pause_s: float, *, reopened: bool) -> Opening:
    """Describe one opening: who broke the silence, and which calls probed after it, up to the first that ended."""
    until = opened + pause_s
    earliest = until - pause_s * EARLY_SHARE
    # Beside a single probe nothing is let through: when it fails, nothing else can be under way.
    settled = opened if reopened and breaker.probes == 1 else opened + UNDER_WAY_S
    contested = any(call.succeeded and call.started < opened for call in calls.list_ended(opened, opened + UNDER_WAY_S))
    intruders = calls.list_begun(settled, earliest)
    return Opening(opened, until, intruders, calls.list_probes(max(settled, earliest)), reopened, contested)


def longest_run(calls: Sequence[Exchange]) -> int:
    """Count the most failures in a row, in the order the calls ended."""
    longest = run = 0
    for call in sorted(calls, key=lambda exchange: exchange.ended):
        run = 0 if call.succeeded else run + call.counts_for_breaker
        longest = max(longest, run)
    return longest
