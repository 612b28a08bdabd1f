"""Any text at all is a stack or a list of located problems, never a traceback."""

import random
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.core.lint import lint_stack
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError

REFERENCE = (Path(__file__).parents[2] / "reference" / "stack.yaml").read_text(encoding="utf-8")
LINES = REFERENCE.splitlines(keepends=True)
WORDS = sorted({word.strip("{}[],:") for word in REFERENCE.split()} - {""})
ODD = [
    "~", "null", "{}", "[]", "0", "-1", "1e309", "9" * 5000, ".inf", "true", "''", '""', "*x", "&x", "!x", "<<", "? ",
    "\t", "- ", ": ", "#", "|", ">", "%", "@", "`", "\x00", "\ufeff", "\u2028", "\x85", "é", "毎週", "\U0001f600", "{a: b}", "[[1]]",
    "4x", "-4s", "0s", "2027-13-45", "on", "yes", "\r", "\r\n", "---\n", "...\n", "'", '"', "{", "}", "[", "]", ",",
]  # fmt: skip


def findings_of(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a text, as an error or as a finding."""
    try:
        return lint_stack(load_stack(text, file="stack.yaml"))
    except StackError as error:
        return error.problems or (Problem("none", "", ""),)


def check(text: str) -> None:
    """Load a text and look at what comes of it."""
    lines = len(text.splitlines()) + 2
    for problem in findings_of(text):
        assert problem.code
        assert problem.message
        assert problem.fix
        assert 0 <= problem.line <= lines
        assert problem.column >= (1 if problem.line else 0)
        assert "\x1b" not in problem.render()
        problem.render().encode()


def replace_word(text: str, chance: random.Random) -> str:
    """Put another word, or an odd token, in the place of a word."""
    return text.replace(chance.choice(WORDS), chance.choice([*WORDS, *ODD]), chance.randint(1, 3))


def insert_token(text: str, chance: random.Random) -> str:
    """Put an odd token anywhere."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(ODD) + text[at:]


def cut_piece(text: str, chance: random.Random) -> str:
    """Take some characters out."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randint(1, 40) :]


def drop_line(text: str, chance: random.Random) -> str:
    """Take a line out."""
    return text.replace(chance.choice(LINES), "", 1)


def double_line(text: str, chance: random.Random) -> str:
    """Put a line of the file in front of another."""
    line = chance.choice(LINES)
    return text.replace(line, chance.choice(LINES) + line, 1)


def indent_line(text: str, chance: random.Random) -> str:
    """Move a line to the right."""
    line = chance.choice(LINES)
    return text.replace(line, " " * chance.randint(1, 4) + line, 1)


EDITS = [replace_word, insert_token, cut_piece, drop_line, double_line, indent_line]


@st.composite
def mutated(draw):
    """Draw the stack in use after a few edits."""
    text = REFERENCE
    for edit in draw(st.lists(st.sampled_from(EDITS), min_size=1, max_size=4)):
        text = edit(text, random.Random(draw(st.integers(0, 2**32))))  # noqa: S311 - picks places to break
    return text


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_reference(text):
    """The stack in use, broken in any way, gives located problems with a way out."""
    check(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from([*ODD, *WORDS, "\n", " ", "  "]), max_size=30).map("".join))
@example("? ")
@example("!<")
@example("%YAML 9.9\n---\n")
@example('"\\ud800": 1')
@example("a: &a\n<<: *a")
def test_any_text(text):
    """Any text gives located problems."""
    check(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([*WORDS, "4s", "", "Jane Doe"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


def written(value: object) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(inner) for inner in value) + "]"
    return {"None": "~", "True": "true", "False": "false"}.get(repr(value), repr(value))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["version", "systems", "integration", "roles", "handoffs", "time", "accept", "matrix"]), PLAIN)
def test_any_value_in_any_field(field, value):
    """Any well-formed value in any field gives located problems or a stack."""
    top = {"version": 1, "name": "acme", "systems": {}, "integration": {}, "roles": {}, "handoffs": [], field: value}
    check(written(top))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    PLAIN, st.sampled_from(["on", "retry", "then", "queue", "dead_letter", "branch", "resend", "renew_session", "kind"])
)
def test_any_value_in_any_path(value, field):
    """Any well-formed value in any field of a path gives located problems or a stack."""
    path = {"on": "any", "retry": {"attempts": 2, "initial": "1s"}, field: value}
    handoff = {"id": "a", "from": "erp", "to": "erp", "protocol": "api", "within": "1m", "paths": [path]}
    top = {
        "version": 1, "name": "acme", "systems": {"erp": {"fake": "wms"}}, "integration": {"url": "http://a"},
        "handoffs": [handoff],
    }  # fmt: skip
    check(written(top))
