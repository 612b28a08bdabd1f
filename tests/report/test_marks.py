"""Behaviour of the marks of the terminal and of what may be printed there."""

import pytest

from harness.report.marks import choose_marks, clean

_STANDINGS = ("held", "violated", "unknown", "accepted", "pending")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_marks_can_be_encoded_and_told_apart(encoding):
    """On every encoding the marks are printable, and each standing has its own."""
    marks = choose_marks(encoding)
    shown = [marks.of(standing) for standing in _STANDINGS]

    assert len(set(shown)) == len(_STANDINGS)
    if encoding != "no-such-encoding":
        "".join((*shown, marks.separator, marks.more)).encode(encoding)


def test_utf8_has_the_round_marks():
    """A stream that can carry them gets dot and cross."""
    assert (choose_marks("utf-8").held, choose_marks("utf-8").violated) == ("●", "✗")


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b[31mred", "\x07bell", "a\rb\nc", "\u202egnp.exe", "\x9b31m", "\ud800", "\u2028x", "\u200bx"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_nothing_a_terminal_obeys_is_left(hostile, encoding):
    """Escapes, carriage returns, writing direction and lone surrogates are shown in words, on one line."""
    shown = clean(hostile, choose_marks(encoding))

    shown.encode(encoding)
    assert all(char.isprintable() for char in shown)
    assert shown


def test_words_survive_ascii():
    """Arrows and dashes get their plain forms, what has none a question mark."""
    assert clean("PUT → 429 … 你", choose_marks("ascii")) == "PUT -> 429 ... ?"
    assert clean("PUT → 429 … 你", choose_marks("utf-8")) == "PUT → 429 … 你"
