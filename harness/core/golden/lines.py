"""
One line of a trace: `<seconds> <verb> <word>… <name>=<value>…`.

Words and values with spaces are quoted as in a shell.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from harness.core.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


class LineError(Exception):
    """One thing wrong with a line: what, what was expected instead, and the nearest valid word."""

    def __init__(self, message: str, *, expected: Iterable[str] = (), found: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expected = tuple(expected)
        self.suggestion = nearest(found, self.expected) if found else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart; `t` is seconds since the experiment began."""

    t: float
    verb: str
    words: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str, default: str = "") -> str:
        """Return the value of an option."""
        return dict(self.options).get(name, default)

    def seconds(self, name: str, default: float) -> float:
        """Return the value of an option in seconds."""
        given = dict(self.options).get(name)
        return default if given is None else read_number(given, f"`{name}`")

    def expect(self, *, words: range, options: Iterable[str] | None = ()) -> None:
        """Raise LineError unless it has so many words and no other options; None allows any option."""
        if len(self.words) not in words:
            how_many = f"{words.start}" if len(words) == 1 else f"{words.start} to {words.stop - 1}"
            raise LineError(f"`{self.verb}` takes {how_many} words, not {len(self.words)}")
        known = None if options is None else tuple(options)
        for name, _ in self.options:
            if known is not None and name not in known:
                raise LineError(f"`{self.verb}` has no option `{name}`", expected=known, found=name)


def read_line(text: str) -> Line:
    """Take a line apart; raise LineError where that cannot be done."""
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise LineError(f"a quote is not closed: {error}") from None
    if len(parts) < 2:
        raise LineError("a line is `<seconds> <verb> …`")
    options = tuple((name, value) for name, sep, value in (part.partition("=") for part in parts[2:]) if sep)
    words = tuple(part for part in parts[2:] if "=" not in part)
    return Line(read_number(parts[0], "the time"), parts[1], words, options)


def read_number(text: str, what: str) -> float:
    """Read a number of at least 0; raise LineError otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise LineError(f"{what} is a number of seconds from 0 on, not `{text}`")
    return value


def read_whole(text: str, what: str) -> int:
    """Read a whole number from 0 on; raise LineError otherwise."""
    if not (text.isascii() and text.isdigit()):
        raise LineError(f"{what} is a whole number, not `{text}`")
    return int(text)
