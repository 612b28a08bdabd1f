"""Durations as stack.yaml writes them: a number and one of `ms`, `s`, `m`, `h`."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,9})?)(?P<unit>ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

LONGEST_S = 366 * 24 * 3600.0
PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,9})?(ms|s|m|h)$"
POSITIVE_PATTERN = r"^(?=[0-9.]*[1-9])[0-9]{1,12}(\.[0-9]{1,9})?(ms|s|m|h)$"


def parse_duration(text: str) -> float:
    """Return the seconds a duration means; raise ValueError with a sentence when it is none or longer than a year."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(_what_is_wrong(text))
    seconds = float(match["number"]) * _SECONDS[match["unit"]]
    if seconds > LONGEST_S:
        raise ValueError(f"the duration `{text}` is longer than a year")
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds the short way stack.yaml takes them, such as `250ms`, `1.5s` or `10m`."""
    if math.isinf(seconds):
        return "forever"
    if seconds and seconds < 1:
        return f"{_number(seconds * 1000)}ms"
    for unit in ("h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{_number(seconds / _SECONDS[unit])}{unit}"
    return f"{_number(seconds)}s"


def nearest_duration(text: str) -> str:
    """Guess the duration somebody meant, or return an empty text."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*([a-zA-Z]*)", text.strip().lstrip("-"))
    if match is None:
        return ""
    number, word = match[1], match[2].lower()
    if word in {"ms", "msec", "msecs", "millis", "milliseconds"}:
        return f"{number}ms"
    unit = word[:1] if word[:1] in _SECONDS else "s"
    return f"{number}{unit}"


def _what_is_wrong(text: str) -> str:
    if text.startswith("-"):
        return f"the duration `{text}` is negative"
    if re.fullmatch(r"[0-9.]+", text):
        return f"the duration `{text}` has no unit (ms, s, m, h)"
    return f"`{text[:60]}` is not a duration (a number and ms, s, m or h)"


def _number(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")
