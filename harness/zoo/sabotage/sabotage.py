"""A sabotage as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.core.result import Result
    from harness.core.verdict import UnknownKind
    from harness.zoo.sabotage.ground import Ground


@dataclass(frozen=True, slots=True)
class Sabotage:
    """
    Something done to the harness, and what its verdict should then say.

    `kind` is the kind of unknown that is due, `saying` words of its reason. One that holds up the harness itself is done `alone`:
    every lab beside it would be disturbed.
    """

    name: str
    about: str
    work: Callable[[Ground], Awaitable[Result]]
    kind: UnknownKind
    saying: str
    alone: bool = False
