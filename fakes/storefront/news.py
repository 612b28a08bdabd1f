"""What happened in the shop, as the webhooks tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class News:
    """Something to announce under a topic; ``entity`` is whom it is about, ``build`` makes the payload if anyone asks."""

    topic: str
    entity: str
    build: Callable[[], dict[str, Any]]
