"""The option that chooses what makes the faults of the wire, as several commands take it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from harness.lab import toxics

if TYPE_CHECKING:
    from harness.lab.toxics import Kind


class Engine(StrEnum):
    """What makes the faults of the wire."""

    EMBEDDED = toxics.EMBEDDED
    TOXIPROXY = toxics.TOXIPROXY


EngineOption = Annotated[
    Engine | None, typer.Option("--engine", help="What makes the faults of the wire: the tap, or a real Toxiproxy.")
]


def read_kind(engine: Engine | None) -> Kind | None:
    """Read which engine was asked for; None where that was left to the lab."""
    return None if engine is None else engine.value
