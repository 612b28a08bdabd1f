"""Words on stdout and stderr that no locale, pipe or terminal can trip over."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from harness.wire.privacy import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.problems import Problem

_ASCII = str.maketrans({"│": "|", "…": "...", "·": "-", "→": "->", "●": "*", "✗": "x", "\ufffd": "?"})
_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "cyan"}


def prepare_streams() -> None:
    """Make stdout and stderr write anything, whatever encoding the locale gave them."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def say(text: str, *, to: IO[str] | None = None) -> None:
    """Write a line to stdout or another stream, without colour."""
    stream = sys.stdout if to is None else to
    stream.write(f"{fit(text, stream)}\n")


def say_json(value: Any) -> None:
    """Write a value as JSON to stdout, in ASCII, which every consumer reads."""
    say(json.dumps(value, indent=2))


def print_problems(problems: Iterable[Problem], *, to: IO[str] | None = None) -> None:
    """Write problems with their lines, without the secrets in them; in colour where a terminal shows it and NO_COLOR does not forbid it."""
    stream = sys.stdout if to is None else to
    console = build_console(stream)
    for problem in problems:
        console.print(_coloured(fit(OURS.redact_text(problem.render()), stream), _STYLES[problem.severity]))


def build_console(stream: IO[str]) -> Console:
    """Build a console that leaves text as it is: no wrapping, markup, emoji or guessed highlights."""
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def fit(text: str, stream: IO[str]) -> str:
    """Replace typographic signs where the stream cannot show them."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    return text if encoding.startswith("utf") else text.translate(_ASCII)


def _coloured(text: str, style: str) -> Text:
    drawn = Text()
    for number, line in enumerate(text.splitlines(keepends=True)):
        place, gap, message = line.partition("  ")
        if number == 0 and gap:
            drawn.append(place, style="bold").append(gap).append(message, style=style)
        else:
            drawn.append(line, style=style if line.strip(" |│\n").startswith("^") else "")
    return drawn
