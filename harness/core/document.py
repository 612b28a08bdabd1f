"""A YAML text as a document: its nodes, its lines, and what the text alone already got wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from harness.core.composing import Composer, GivenUpError
from harness.core.nodes import Node
from harness.core.problems import Location, Problem, problem_at, split_lines

LARGEST_TEXT = 1_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """Hold the root of a file, its lines, and what the text alone already got wrong."""

    file: str
    lines: tuple[str, ...]
    root: Node | None
    problems: tuple[Problem, ...]

    def problem(self, code: str, message: str, at: Node | Location, **more: Any) -> Problem:
        """Build a problem that points at a node or place of this document."""
        place, width = (at.location, at.width) if isinstance(at, Node) else (at, 1)
        return problem_at(place, code, message, lines=self.lines, width=width, **more)


def read_document(text: str, *, file: str) -> Document:
    """Read YAML text; whatever the text is, the result is a document and its problems, never an exception."""
    lines = split_lines(text[: LARGEST_TEXT + 1])
    if len(text) > LARGEST_TEXT:
        message = f"the file is too large: {len(text):,} characters, at most {LARGEST_TEXT:,}"
        return Document(
            file, lines, None, (Problem("too-large", message, file, fix="split it or remove what is not a stack"),)
        )
    composer = Composer(file, lines)
    try:
        composer.read(text)
    except GivenUpError:
        pass
    except YAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file, lines))
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over, the user gets a located problem
        composer.complain("yaml-syntax", f"the YAML cannot be read ({type(error).__name__})", composer.here)
    if composer.root is None and not composer.problems:
        composer.problems.append(
            Problem(
                "empty-file", "the file is empty", file, fix="start with `version: 1`", command="next: handoff schema"
            )
        )
    return Document(file, lines, composer.root, tuple(composer.problems))


def _syntax_problem(error: YAMLError, text: str, file: str, lines: tuple[str, ...]) -> Problem:
    if isinstance(error, ReaderError):
        at = min(error.position, len(text) - 1)
        before = text[:at]
        place = Location(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        message = f"the character U+{ord(text[at]):04X} is not allowed in YAML"
        return problem_at(place, "yaml-character", message, lines=lines, fix="remove the character")
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    what = str(getattr(error, "problem", None) or "the text cannot be read").replace("\x00", "end of file")
    place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file, 1, 1)
    if "\\t" in what:
        return problem_at(place, "yaml-tab", "a tab cannot indent YAML", lines=lines, fix="indent with spaces")
    opened = error.context_mark if isinstance(error, MarkedYAMLError) else None
    since = f" (it begins on line {opened.line + 1})" if opened and mark and opened.line < mark.line else ""
    return problem_at(place, "yaml-syntax", f"broken YAML: {what}{since}", lines=lines, fix=_syntax_fix(what))


def _syntax_fix(what: str) -> str:
    if "mapping values are not allowed" in what:
        return "quote a value that contains `: `, or indent the line under its parent"
    if "expected ','" in what:
        return "close the bracket, or put a comma between the values"
    if "end of stream" in what:
        return "close the quote"
    return "look at this line and the one above it"
