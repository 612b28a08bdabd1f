"""What is wrong with a file, and where: located problems that tell the way out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Severity = Literal["error", "warning", "info"]

EDITOR_COMPLETION = "editor completion: handoff schema > stack.schema.json"
_LINE_SHOWN = 110
_LEAD_SHOWN = 50
# So many valid values are listed.
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Name a place in a file; line and column count from 1, and 0 means the file as a whole."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write the place the way editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


NOWHERE = Location()


@dataclass(frozen=True, slots=True)
class Problem:
    """
    Say what is wrong, where, and what would be right.

    `width` is how many characters of the line are meant. `found` is what stands there, `expected` every valid value
    (empty when there is no short list), `suggestion` the nearest valid one. `fix` is one instruction in words,
    `why` says why it matters, `command` is the next command to try, `source_line` the line of the file as it is.
    """

    code: str
    message: str
    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    severity: Severity = "error"
    found: str = ""
    expected: tuple[str, ...] = ()
    suggestion: str = ""
    fix: str = ""
    command: str = ""
    why: str = ""
    source_line: str = field(default="", compare=False)

    @property
    def location(self) -> Location:
        """Return where the problem is."""
        return Location(self.file, self.line, self.column)

    def render(self) -> str:
        """Draw the problem with its line, a caret under what is meant, and the way out."""
        lines = [f"{_printable(str(self.location))}  {_printable(self.message)}"]
        if self.line and self.source_line.strip():
            lines += _excerpt(self)
        lines += [f"   {hint}" for hint in self._hints()]
        return "\n".join(lines)

    def as_json(self) -> dict[str, str | int]:
        """Return the problem as the flat object that `--json` prints."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "fix": self.fix,
            "why": self.why,
        }

    def _hints(self) -> Iterable[str]:
        allowed = ", ".join(self.expected)
        if self.why:
            yield f"why: {self.why}"
        if self.suggestion and len(self.expected) > 1:
            yield f"did you mean `{_printable(self.suggestion)}`?  ({allowed})"
        elif self.suggestion:
            yield f"did you mean `{_printable(self.suggestion)}`?"
        elif allowed:
            yield f"expected: {allowed}"
        if self.fix and not self.suggestion and not (allowed and allowed in self.fix):
            yield f"fix: {_printable(self.fix)}"
        if self.command:
            yield self.command


class StackError(Exception):
    """Carry everything that is wrong with one stack.yaml, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problem.render() for problem in problems))

    def __reduce__(self) -> tuple[type[StackError], tuple[tuple[Problem, ...]]]:
        """Let the error cross a process boundary whole."""
        return type(self), (self.problems,)


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the valid word nearest to this one, or an empty text when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in valid}
    matches = get_close_matches(word[:80].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else ""


def build_choice(
    file: str, word: str, valid: Iterable[str], *, fix: str = "declare it, or use one that is declared"
) -> dict[str, Any]:
    """Build what a problem says of a word that is none of the valid ones: those, the nearest, and what to do then."""
    known = tuple(dict.fromkeys(valid))
    near = nearest(word, known)
    return {
        "found": word,
        "expected": known[:_MOST_SHOWN],
        "suggestion": near,
        "fix": f"write `{near}`" if near else fix,
        "command": f"next: handoff lint {file}",
    }


def problem_at(place: Location, code: str, message: str, *, lines: Sequence[str], **more: Any) -> Problem:
    """Build a problem at a place and quote the line it stands on."""
    return quote_line(Problem(code, message, place.file, place.line, place.column, **more), lines)


def quote_line(problem: Problem, lines: Sequence[str]) -> Problem:
    """Return the problem with the line it stands on, and the word there as what is meant."""
    if not 0 < problem.line <= len(lines):
        return problem
    line = lines[problem.line - 1]
    width = max(problem.width, word_width(line, problem.column))
    return replace(problem, source_line=line, width=min(width, max(1, len(line) - problem.column + 1)))


def split_lines(text: str) -> tuple[str, ...]:
    """Split a text into lines the way YAML and editors count them."""
    return tuple(re.split(r"\r\n|\r|\n", text))


def word_width(line: str, column: int) -> int:
    """Return how long the word is that begins at a column."""
    match = re.match(r"[\w.-]+", line[max(0, column - 1) :])
    return len(match[0]) if match else 1


def shorten(text: str) -> str:
    """Cut a text that would not fit into a sentence."""
    return text if len(text) <= 60 else f"{text[:57]}…"


def _excerpt(problem: Problem) -> list[str]:
    start = max(0, problem.column - 1 - _LEAD_SHOWN) if len(problem.source_line) > _LINE_SHOWN else 0
    shown = problem.source_line[start : start + _LINE_SHOWN]
    before = _cells(shown[: problem.column - 1 - start])
    meant = _cells(shown[problem.column - 1 - start :][: max(1, problem.width)])
    gutter = f"{problem.line:>5}"
    return [
        f"{gutter} │ {_printable(shown)}",
        f"{' ' * len(gutter)} │ {' ' * before}{'^' * max(1, meant)}",
    ]


def _printable(text: str) -> str:
    """Replace what would move the cursor or change the colours of a terminal."""
    return "".join("\ufffd" if unicodedata.category(char)[0] == "C" else char for char in text)


def _cells(text: str) -> int:
    """Count the columns a terminal needs for a text."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
