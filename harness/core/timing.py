"""Where the time of an experiment went."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from harness.core.result import Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.core.history import History

    Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Waited:
    """One wait of the driver, in seconds of the experiment: `declared_s` of it may be declared waiting, or all of it."""

    began: float
    ended: float
    declared_s: float


def build_timing(history: History, waits: Sequence[Waited], *, duration_s: float) -> Timing:
    """
    Split a duration.

    Inherent is the time of a wait in which nothing was on the wire, as far as waiting was declared there; the rest of the
    waits is the integration's; what lies outside of all waits is the harness's.
    """
    busy = _merge([(call.started, call.ended) for call in history.exchanges])
    waited_s = sum(wait.ended - wait.began for wait in waits)
    inherent_s = sum(min(wait.declared_s, _quiet_s(wait, busy)) for wait in waits)
    return Timing(
        duration_s=duration_s,
        inherent_s=inherent_s,
        integration_s=max(0.0, waited_s - inherent_s),
        overhead_s=max(0.0, duration_s - waited_s),
    )


def _quiet_s(wait: Waited, busy: Sequence[Span]) -> float:
    first = bisect_left(busy, wait.began, key=itemgetter(1))
    last = bisect_right(busy, wait.ended, key=itemgetter(0))
    inside = (min(ended, wait.ended) - max(began, wait.began) for began, ended in busy[first:last])
    return wait.ended - wait.began - sum(inside)


def _merge(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for began, ended in sorted(spans):
        if merged and began <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((began, ended))
    return merged
