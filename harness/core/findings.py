"""One finding of the linter: a located problem of a kind that is listed, in a stack that can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lint_codes import FINDINGS
from harness.core.problems import Problem

if TYPE_CHECKING:
    from harness.core.problems import Location


def build_finding(code: str, message: str, at: Location, fix: str) -> Problem:
    """Build a finding of a listed kind at a place; its line is quoted by whoever has the text."""
    kind = FINDINGS[code]
    return Problem(code, message, at.file, at.line, at.column, severity=kind.severity, fix=fix, why=kind.why)
