"""
Lay a timeline out as a picture: lanes, marks, bands and the strip of gaps, all in pixels of one view box.

Pure geometry. On each lane what is sent stands above what comes back, so that an attempt and its answer a millisecond
later do not cover each other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report.model import Event, Timeline
from harness.report.phrases import say_seconds
from harness.report.strip import ROW_H, GapMark, build_strip

WIDTH = 1000
PLOT_X = 172
_PAD = 10
PLOT_W = WIDTH - PLOT_X - 18 - 2 * _PAD
LANE_H = 46
TOP = 8
_LETTER_W = 6.1
_CROWDED = 17.0

_BANDS = {"fault": "fault", "breaker_open": "open", "horizon": "horizon"}
_ABOVE = frozenset({"attempt", "webhook", "probe", "replay", "session"})
_SPOKEN = frozenset({"alert", "dead_letter", "breaker_open", "breaker_close", "kill", "restart", "replay"})
_KINDS = _ABOVE | _SPOKEN | {"answer_ok", "answer_error", "ack", "record"}
_STRETCHES = frozenset({"fault", "horizon"})
_WEIGHT = {"attempt": 1, "answer_error": 1, "webhook": 1, "session": 2, "answer_ok": 2, "ack": 2, "record": 2}


@dataclass(frozen=True, slots=True)
class Mark:
    """One symbol at a point; `number` counts attempts of one order on one lane, empty where there is no room."""

    symbol: str
    x: float
    y: float
    title: str
    number: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of time on a lane: an armed fault, an open breaker, a horizon of silence."""

    kind: str
    x: float
    y: float
    w: float
    h: float
    title: str
    label: str


@dataclass(frozen=True, slots=True)
class Label:
    """One piece of text inside the picture."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A timeline, laid out; `events` are the ones drawn, `omitted` how many did not fit."""

    width: int
    height: float
    lanes: tuple[Label, ...]
    notes: tuple[Label, ...]
    lines: tuple[float, ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    gaps: tuple[GapMark, ...]
    gaps_y: float
    ticks: tuple[Label, ...]
    axis_y: float
    summary: str
    events: tuple[Event, ...]
    omitted: int


def build_picture(timeline: Timeline, *, cap: int = 120, judge_gaps: bool = False) -> Picture:
    """
    Lay out one timeline, at most `cap` events of it, the telling ones first.

    `judge_gaps` marks waits outside what is declared; without it they are only drawn, since the verdict is not ours.
    """
    events = choose_events(timeline.events, cap)
    lanes = list(dict.fromkeys(event.lane for event in events))
    span = timeline.duration_s or 1.0
    tops = {lane: TOP + index * LANE_H for index, lane in enumerate(lanes)}
    strip_y = TOP + len(lanes) * LANE_H + 6
    gaps = build_strip(
        timeline.gaps[:cap], to_x=lambda t: _to_x(t, span), top=strip_y, right=WIDTH - 2, judge=judge_gaps
    )
    axis_y = strip_y + (max(gap.row for gap in gaps) + 1) * ROW_H + 4 if gaps else strip_y - 2
    return Picture(
        width=WIDTH,
        height=axis_y + 24,
        lanes=tuple(Label(PLOT_X - 12, tops[lane] + LANE_H / 2 + 4, clip(lane, 26), "end") for lane in lanes),
        notes=tuple(_build_notes(events, tops)),
        lines=tuple(tops[lane] + LANE_H / 2 for lane in lanes),
        bands=tuple(_build_bands(events, tops, span)),
        marks=tuple(_build_marks(events, tops, span)),
        labels=tuple(_build_labels(events, tops, span)),
        gaps=gaps,
        gaps_y=strip_y,
        ticks=tuple(_build_ticks(span, axis_y)),
        axis_y=axis_y,
        summary=_summarise(timeline, lanes),
        events=events,
        omitted=len(timeline.events) - len(events),
    )


def choose_events(events: Sequence[Event], cap: int) -> tuple[Event, ...]:
    """Choose at most `cap` events, faults and consequences before attempts, attempts before routine; ordered by time."""
    ranked = sorted(events, key=lambda event: (_WEIGHT.get(event.kind, 0), event.t))
    return tuple(sorted(ranked[:cap], key=lambda event: event.t))


def _to_x(t: float, span: float) -> float:
    return round(PLOT_X + _PAD + PLOT_W * min(max(t / span, 0.0), 1.0), 1)


def clip(text: str, letters: int) -> str:
    """Return the text, cut to so many letters with an ellipsis where it is longer."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _build_bands(events: Sequence[Event], tops: dict[str, int], span: float) -> Iterable[Band]:
    for event in events:
        kind = _BANDS.get(event.kind)
        if kind is None:
            continue
        start = _to_x(event.t, span)
        end = _to_x(_ends_at(event, events, span), span)
        width = max(end - start, 3.0)
        room = int((width - 8) / _LETTER_W)
        yield Band(
            kind=kind,
            x=start,
            y=tops[event.lane] + 3,
            w=round(width, 1),
            h=LANE_H - 6,
            title=_title(event),
            label=clip(event.label, room) if kind == "horizon" and room >= 8 else "",
        )


def _build_notes(events: Sequence[Event], tops: dict[str, int]) -> Iterable[Label]:
    """Name the first fault of each lane below the lane's own name."""
    first = {event.lane: event for event in reversed(events) if event.kind == "fault" and event.label}
    for lane, event in first.items():
        yield Label(PLOT_X - 12, tops[lane] + LANE_H / 2 + 18, clip(event.label, 27), "end")


def _ends_at(event: Event, events: Sequence[Event], span: float) -> float:
    if event.until_t is not None:
        return event.until_t
    if event.kind == "breaker_open":
        closings = [e.t for e in events if e.kind == "breaker_close" and e.lane == event.lane and e.t >= event.t]
        return min(closings, default=span)
    return span if event.kind == "horizon" else event.t


def _build_marks(events: Sequence[Event], tops: dict[str, int], span: float) -> Iterable[Mark]:
    ordinals = _count_attempts(events)
    sent = {lane: [_to_x(e.t, span) for e in events if e.lane == lane and e.kind == "attempt"] for lane in tops}
    for index, event in enumerate(events):
        if event.kind in _STRETCHES:
            continue
        x = _to_x(event.t, span)
        alone = event.kind == "attempt" and sum(abs(other - x) < _CROWDED for other in sent[event.lane]) == 1
        yield Mark(
            symbol="attempt-small" if event.kind == "attempt" and not alone else _symbol(event.kind),
            x=x,
            y=tops[event.lane] + (14 if event.kind in _ABOVE else 32),
            title=_title(event),
            number=str(ordinals[index]) if alone else "",
            hit=bool(event.fault),
        )


def _count_attempts(events: Sequence[Event]) -> dict[int, int]:
    """Count the attempts of each order; where no order was sent twice on a lane, those of the lane: a breaker does too."""
    sent = [(index, event.lane, event.entity) for index, event in enumerate(events) if event.kind == "attempt"]
    repeated = {lane for (lane, _), n in Counter((lane, entity) for _, lane, entity in sent).items() if n > 1}
    running: Counter[tuple[str, str]] = Counter()
    numbers = {}
    for index, lane, entity in sent:
        key = (lane, entity if lane in repeated else "")
        running[key] += 1
        numbers[index] = running[key]
    return numbers


def _symbol(kind: str) -> str:
    return kind.replace("_", "-") if kind in _KINDS else "record"


def _title(event: Event) -> str:
    return f"{event.t:.2f} s {clip(event.label or event.kind.replace('_', ' '), 72)}"


def _build_labels(events: Sequence[Event], tops: dict[str, int], span: float) -> Iterable[Label]:
    """Place a word beside the events that tell the story, where no mark at the same height stands in its way."""
    rows: dict[int, list[tuple[float, Event]]] = {}
    for event in events:
        if event.kind not in _STRETCHES:
            y = tops[event.lane] + (18 if event.kind in _ABOVE else 36)
            rows.setdefault(y, []).append((_to_x(event.t, span), event))
    for y, row in rows.items():
        taken = float(PLOT_X)
        for index, (x, event) in enumerate(row):
            following = row[index + 1][0] - 8 if index + 1 < len(row) else WIDTH - 2
            previous = max(taken, row[index - 1][0] + 8) if index else PLOT_X
            words = clip(event.label or event.kind.replace("_", " "), 34)
            width = len(words) * _LETTER_W + 12
            if event.kind not in _SPOKEN:
                continue
            if x + width <= following:
                taken = x + width
                yield Label(x + 10, y, words, "start")
            elif x - width >= previous:
                yield Label(x - 10, y, words, "end")


def _build_ticks(span: float, axis_y: float) -> Iterable[Label]:
    step = next(
        (size * 10**power for power in range(-3, 6) for size in (1, 2, 5) if span / (size * 10**power) <= 8), span
    )
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 3
    for index in range(int(span / step + 1e-9) + 1):
        t = index * step
        yield Label(_to_x(t, span), axis_y + 16, f"{t:.{digits}f} s", "middle")


def _summarise(timeline: Timeline, lanes: Sequence[str]) -> str:
    kinds = Counter(event.kind.replace("_", " ") for event in timeline.events)
    counted = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    return f"Timeline over {say_seconds(timeline.duration_s)} on {len(lanes)} lanes: {counted}"
