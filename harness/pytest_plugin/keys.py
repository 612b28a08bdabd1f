"""What the plugin keeps in pytest's configuration."""

from __future__ import annotations

from typing import Protocol

import pytest


class Closing(Protocol):
    """Something that can be closed."""

    def close(self) -> None:
        """Close it."""


LAB: pytest.StashKey[Closing] = pytest.StashKey()
