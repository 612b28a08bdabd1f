"""The strip of gaps below a timeline: for each wait the declared interval as a band, the observed one as a line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.report.model import Gap

_ROWS = 4
_TEXT_W = 66.0
_WIDE_TEXT_W = 190.0


@dataclass(frozen=True, slots=True)
class GapMark:
    """One wait in the strip; the band is where the next attempt was allowed, open-ended without a declared maximum."""

    row: int
    x0: float
    x1: float
    y: float
    band_x: float | None
    band_w: float
    text: str
    title: str
    outside: bool


def build_strip(
    gaps: Sequence[Gap], *, to_x: Callable[[float], float], top: float, row_height: float, judge: bool
) -> tuple[GapMark, ...]:
    """Lay the waits out, waits that overlap in time on rows of their own; what needs a fifth row is left out."""
    ends = [float("-inf")] * _ROWS
    marks = []
    for gap in sorted(gaps, key=lambda gap: gap.from_t):
        row = next((index for index, end in enumerate(ends) if gap.from_t >= end - 1e-6), None)
        if row is None:
            continue
        ends[row] = gap.to_t
        marks.append(_build_mark(gap, row, to_x, top + row * row_height, judge=judge))
    return tuple(marks)


def _build_mark(gap: Gap, row: int, to_x: Callable[[float], float], top: float, *, judge: bool) -> GapMark:
    x0, x1 = to_x(gap.from_t), to_x(gap.to_t)
    band_x, band_w = _band(gap, to_x)
    declared, observed = say_declared(gap), f"{gap.observed_s:.2f} s"
    room = x1 - x0
    full = f"{observed} of {declared}" if declared else observed
    return GapMark(
        row=row,
        x0=x0,
        x1=x1,
        y=top + 24,
        band_x=band_x,
        band_w=band_w,
        text=full if room >= _WIDE_TEXT_W else observed if room >= _TEXT_W else "",
        title=f"waited {observed}, declared {declared or 'nothing'}",
        outside=judge and is_outside(gap),
    )


def _band(gap: Gap, to_x: Callable[[float], float]) -> tuple[float | None, float]:
    if gap.declared_min_s is None and gap.declared_max_s is None:
        return None, 0.0
    start = to_x(gap.from_t + (gap.declared_min_s or 0.0))
    end = to_x(gap.from_t + gap.declared_max_s if gap.declared_max_s is not None else float("inf"))
    return start, round(max(end - start, 3.0), 1)


def say_declared(gap: Gap) -> str:
    """Return the declared interval: "0.20 to 0.25 s", "at least 0.20 s", empty when none is declared."""
    low, high = gap.declared_min_s, gap.declared_max_s
    if low is not None and high is not None:
        return f"{low:.2f} to {high:.2f} s"
    if low is not None:
        return f"at least {low:.2f} s"
    return f"at most {high:.2f} s" if high is not None else ""


def is_outside(gap: Gap) -> bool:
    """Say whether the observed wait is shorter or longer than declared."""
    low, high = gap.declared_min_s, gap.declared_max_s
    return (low is not None and gap.observed_s < low) or (high is not None and gap.observed_s > high)
