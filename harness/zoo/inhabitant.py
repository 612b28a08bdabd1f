"""An integration of a zoo as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["broken", "correct"]
BROKEN: Kind = "broken"
CORRECT: Kind = "correct"


@dataclass(frozen=True, slots=True)
class Inhabitant:
    """
    An integration that is known to be broken, or known to be correct.

    `command` starts it, `stack` is the file it is judged by. `clauses` are the ids of those a broken one breaks; `also` are whole
    ids, or their beginnings, of what it may break in consequence. `without` names systems that its labs can do without, which makes
    them lighter.
    """

    name: str
    kind: Kind
    about: str
    command: str
    stack: Path
    clauses: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def handoffs(self) -> tuple[str, ...]:
        """The handoffs whose clauses it breaks, each once."""
        return tuple(dict.fromkeys(clause.partition("/")[0] for clause in self.clauses))

    def breaks(self, clause: str) -> bool:
        """Tell whether it says that it breaks this clause."""
        return clause in self.clauses

    def may_break(self, clause: str) -> bool:
        """Tell whether nobody is accused wrongly when this clause is found broken."""
        return self.breaks(clause) or clause.startswith(self.also)
