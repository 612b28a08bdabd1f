"""A toxic as fitted to a proxy: the record the admin API shows."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.wire.toxics.noop import Noop

if TYPE_CHECKING:
    from random import Random

    from harness.wire.toxics import AnyToxic
    from harness.wire.toxics.stage import Toxic

Direction = Literal["upstream", "downstream"]


@dataclass(slots=True, eq=False)
class Fitting:
    """One toxic of a proxy under its name; configuration and toxicity may be replaced."""

    name: str
    type: str
    stream: str
    toxicity: float
    toxic: AnyToxic = field(repr=False)

    @property
    def direction(self) -> Direction:
        """Return the stream acted on; the API keeps the spelling of `stream` as it was given."""
        return "upstream" if self.stream.lower() == "upstream" else "downstream"

    def roll(self, random: Random) -> Toxic:
        """Decide for one connection whether it meets the toxic or is spared."""
        return self.toxic if random.random() < self.toxicity else Noop()

    def view(self) -> dict[str, Any]:
        """Return the toxic as the admin API shows it."""
        return {
            "attributes": asdict(self.toxic),
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": _round_single(self.toxicity),
        }


def _round_single(number: float) -> float:
    """Give the shortest number that is the same in single precision, in which Toxiproxy keeps it."""
    single = struct.pack("f", number)
    return next(short for digits in range(1, 10) if struct.pack("f", short := float(f"{number:.{digits}g}")) == single)
