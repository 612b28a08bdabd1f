"""The reference of the linter is the linter's own table."""

from pathlib import Path

from harness.core.lint_codes import FINDINGS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "lint.md"


def test_codes():
    """The table lists every code with its severity, what it finds and why that matters, in the order of the code."""
    rows = [line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = [row for row in rows if row.count(" | ") == 3]
    assert listed == [f"| `{kind.code}` | {kind.severity} | {kind.finds} | {kind.why} |" for kind in FINDINGS.values()]


def test_sentences():
    """What a code finds and why it matters is said in half a sentence each: no full stop, nothing that breaks the table."""
    for kind in FINDINGS.values():
        for text in (kind.finds, kind.why):
            assert text
            assert not text.endswith(".")
            assert "|" not in text
