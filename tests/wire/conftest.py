"""One tap process for the tests that only talk to its ports."""

import pytest

from wire.process import start


@pytest.fixture(scope="session")
def wire():
    """Run the tap process."""
    with start() as process:
        yield process
