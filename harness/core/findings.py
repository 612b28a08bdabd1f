"""One finding of the linter: a located problem that does not keep a stack from running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.problems import Problem

if TYPE_CHECKING:
    from harness.core.problems import Location, Severity


def build_finding(code: str, message: str, at: Location, fix: str, *, severity: Severity = "warning") -> Problem:
    """Build a finding at a place; its line is quoted by whoever has the text."""
    return Problem(code, message, at.file, at.line, at.column, severity=severity, fix=fix)
