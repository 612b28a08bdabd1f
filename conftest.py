"""The stories below `scenarios/` are played in the lab of the reference."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def stack_file() -> Path:
    """Point the fixtures at the reference's stack."""
    return Path(__file__).parent / "reference" / "stack.yaml"
