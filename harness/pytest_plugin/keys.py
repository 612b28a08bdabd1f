"""What the plugin keeps in pytest's configuration."""

from __future__ import annotations

from typing import Protocol

import pytest


class Closing(Protocol):
    """Something that can be taken down, to be used again, and closed for good."""

    def take_down(self) -> None:
        """Take it down."""

    def close(self) -> None:
        """Close it."""


LABS: pytest.StashKey[list[Closing]] = pytest.StashKey()


def use_lab(config: pytest.Config, lab: Closing) -> None:
    """Make a lab the one that may be up in this process: any other is taken down."""
    labs = config.stash.setdefault(LABS, [])
    for other in labs:
        if other is not lab:
            other.take_down()
    if lab not in labs:
        labs.append(lab)
