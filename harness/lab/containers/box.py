"""What one container is to be, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LAB_LABEL: Final = "handoff.lab"
RUN_LABEL: Final = "handoff.run"
ROLE_LABEL: Final = "handoff.role"
FILES: Final = "/run/handoff"
DATA: Final = "/data"


@dataclass(frozen=True, slots=True)
class Box:
    """
    One container: its image, and what is run in it where that is not the image's own.

    `published`: ports of loopback by port of the container. `files`: files of this machine by where they are seen, read-only;
    `folders` likewise, and they can be written. `aliases`: further names in the lab's network. `beside`: the role of the container
    whose network and processes it shares, as one machine would.
    """

    role: str
    image: str
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[int, int] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    beside: str | None = None
