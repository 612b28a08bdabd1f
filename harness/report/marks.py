"""
The marks of the terminal, and what may be printed there.

Text of a run comes from vendors and integrations. Before it meets a terminal it loses everything a terminal would obey
(escape sequences, cursor movements, writing direction) and everything the stream cannot encode.
"""

import unicodedata
from dataclasses import dataclass

_PLAIN = str.maketrans(
    {
        "→": "->",
        "←": "<-",
        "·": "-",
        "…": "...",
        "≈": "~",
        "“": '"',
        "”": '"',
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
    }
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Marks:
    """One mark for each standing of an experiment, and the encoding they are for."""

    encoding: str
    held: str = "●"
    violated: str = "✗"
    unknown: str = "?"
    accepted: str = "≈"
    pending: str = "·"
    separator: str = " · "
    more: str = "…"

    def of(self, standing: str) -> str:
        """Return the mark of a standing; one that is not known is pending."""
        known = {
            "held": self.held,
            "violated": self.violated,
            "unknown": self.unknown,
            "accepted": self.accepted,
        }
        return known.get(standing, self.pending)


def choose_marks(encoding: str) -> Marks:
    """Choose the marks a stream of this encoding can carry: dots and crosses, or letters."""
    marks = Marks(encoding)
    if _fits(f"{marks.held}{marks.violated}{marks.accepted}{marks.pending}{marks.more}", encoding):
        return marks
    return Marks(encoding, held="o", violated="X", accepted="~", pending=".", separator=" - ", more="...")


def clean(text: str, marks: Marks) -> str:
    """Return the text on one line, without anything a terminal would obey or the stream cannot encode."""
    flat = " ".join(text.split())
    seen = "".join(char if unicodedata.category(char) not in _HIDDEN else f"\\x{ord(char):02x}" for char in flat)
    if _fits(seen, marks.encoding):
        return seen
    return seen.translate(_PLAIN).encode(marks.encoding, "replace").decode(marks.encoding)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
