"""What tests with a real container engine stand on."""

import pytest

from harness.lab.containers.daemon import connect
from harness.lab.containers.images import FAKES
from harness.lab.errors import EnvironmentNotReady
from tests.programs import NOT_HERE


@pytest.fixture
def anyio_backend():
    """Run asynchronous tests on asyncio only."""
    return "asyncio"


@pytest.fixture
def engine():
    """Connect to the container engine of this machine, where there is one with our images."""
    try:
        client = connect()
    except EnvironmentNotReady as error:
        pytest.skip(f"{NOT_HERE}a container engine ({error.next_command})")
    if not client.images.list(name=FAKES):
        client.close()
        pytest.skip(f"{NOT_HERE}the images of labs (make images)")
    yield client
    client.close()


@pytest.fixture
def list_left(engine):
    """List what carries the label of a lab: containers, networks and volumes, by name."""

    def listed(label):
        filters = {"label": label}
        found = [
            *engine.containers.list(all=True, filters=filters, ignore_removed=True),
            *engine.networks.list(filters=filters),
            *engine.volumes.list(filters=filters),
        ]
        return sorted(each.name for each in found)

    return listed
