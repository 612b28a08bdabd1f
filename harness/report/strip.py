"""The strip of gaps below a timeline: for each wait the declared interval as a band, the observed one as a line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.report.model import Gap

ROW_H = 22
_ROWS = 5
_LETTER_W = 5.6


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
    text_x: float
    title: str
    outside: bool


def build_strip(
    gaps: Sequence[Gap], *, to_x: Callable[[float], float], top: float, right: float, judge: bool
) -> tuple[GapMark, ...]:
    """
    Lay the waits out below each other where they, their bands or their words would meet.

    Words that would leave the picture at `right` are left away, and waits that would need a sixth row.
    """
    ends = [float("-inf")] * _ROWS
    marks = []
    for gap in sorted(gaps, key=lambda gap: gap.from_t):
        mark = _build_mark(gap, to_x, right, judge=judge)
        row = next((index for index, end in enumerate(ends) if mark.x0 >= end), None)
        if row is None:
            continue
        ends[row] = mark.text_x + _LETTER_W * len(mark.text)
        marks.append(replace(mark, row=row, y=top + (row + 0.5) * ROW_H))
    return tuple(marks)


def _build_mark(gap: Gap, to_x: Callable[[float], float], right: float, *, judge: bool) -> GapMark:
    x0, x1 = to_x(gap.from_t), to_x(gap.to_t)
    band_x, band_w = _band(gap, to_x)
    declared, observed = say_declared(gap), f"{gap.observed_s:.2f} s"
    text_x = max(x1, (band_x or 0.0) + band_w) + 6
    words = [f"{observed} of {declared}" if declared else observed, observed]
    return GapMark(
        row=0,
        x0=x0,
        x1=x1,
        y=0.0,
        band_x=band_x,
        band_w=band_w,
        text=next((text for text in words if text_x + _LETTER_W * len(text) <= right), ""),
        text_x=round(text_x, 1),
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
