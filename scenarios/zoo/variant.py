"""One inhabitant of the zoo."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reference import handoffs
from reference.parts import Parts

# What several faults at once show, anybody may break who breaks anything on the way of an order.
TOGETHER = ("pairs:resolve", "combined:conserved")
HANDOFFS = tuple(value for name, value in vars(handoffs).items() if name.isupper())
# The systems that mappings play: labs come up faster without them.
MAPPED = ("carrier", "crm")
STACKS = {
    "slice": "scenarios/slice.yaml",
    "chain": "reference/stack.yaml",
    "strict": "scenarios/zoo/strict.yaml",
    "layered": "scenarios/zoo/layered.yaml",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """
    The reference with one part replaced.

    `clauses` are the ids of the clauses a broken one must be caught by, empty for a correct one; `also` are clauses it may break
    in consequence, or their beginnings. `compose` makes its parts. `stack` is what shows it: the slice of the first two handoffs, the
    slice forbidden what is declared nowhere (`strict`) or with a client that repeats calls (`layered`), or the whole chain; `mapped`
    says that what mappings play is needed for it.
    """

    name: str
    kind: Literal["broken", "correct"]
    about: str
    compose: Callable[[], Parts]
    clauses: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    stack: Literal["slice", "strict", "layered", "chain"] = "slice"
    mapped: bool = False

    @property
    def consequences(self) -> tuple[str, ...]:
        """What it may break beside its clauses: whole ids, or their beginnings."""
        shared = tuple(f"{handoff}/{clause}" for handoff in HANDOFFS for clause in TOGETHER)
        return (*self.also, *shared) if self.kind == "broken" else ()

    def show(self) -> dict[str, object]:
        """Return the entry of the list."""
        return {
            "name": self.name,
            "kind": self.kind,
            "about": self.about,
            "stack": STACKS[self.stack],
            "clauses": list(self.clauses),
            "also": list(self.consequences),
            "without": list(MAPPED) if self.stack == "chain" and not self.mapped else [],
        }
