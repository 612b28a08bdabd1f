"""Fixtures: scripted vendors, and the integration beside them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from reference_chain import Chain
from reference_mapped import Mapped
from reference_service import CALM_CHAIN, SCALE, LocalService, ProcessService, build_environment
from reference_vendors import Vendors, VendorServer

from reference.parts import Parts


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a private key of the integration."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path_factory.mktemp("key") / "erp.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return path


@pytest.fixture(scope="session", autouse=True)
def _threads() -> Iterator[None]:
    """Keep the logs of services in threads out of the output, and see the threads end."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    with pytest.MonkeyPatch.context() as patch:
        # Scaled down, an alert's timeout is shorter than a busy machine may be; then it would be sent twice.
        patch.setattr("reference.outbox.ALERT_TIMEOUT_S", 30 * SCALE)
        yield
        LocalService.join_all()


@pytest.fixture(scope="session")
def vendor_server() -> Iterator[VendorServer]:
    """Run the server in which vendors live."""
    with VendorServer() as running:
        yield running


@pytest.fixture
def vendors(vendor_server: VendorServer) -> Iterator[Vendors]:
    """Scripted vendors that have seen nothing yet."""
    opened = vendor_server.open()
    yield opened
    opened.open_gate.set()
    opened.read_gate.set()


@pytest.fixture
def environment(vendors: Vendors, tmp_path: Path, key_file: Path) -> dict[str, str]:
    """Build the variables of an integration at those vendors."""
    return build_environment(vendors, tmp_path / "data", key_file)


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., LocalService]]:
    """Start the integration in this process, of the parts given."""
    with ExitStack() as stack:

        def start_it(parts: Parts | None = None, **changes: str) -> LocalService:
            arguments = (parts,) if parts else ()
            return stack.enter_context(LocalService(environment | changes, *arguments))

        yield start_it


@pytest.fixture
def service(start: Callable[..., LocalService]) -> LocalService:
    """Run the reference."""
    return start()


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[ProcessService]:
    """Run the reference as a process of its own."""
    # Its timeouts cannot be taken off as those of a composed one can, so they are scaled less.
    with ProcessService(environment | {"HANDOFF_TIME_SCALE": "10"}) as running:
        yield running


@pytest.fixture(scope="session")
def systems(key_file: Path) -> Iterator[Chain]:
    """Run the fakes of all systems."""
    with Chain(key_file) as running:
        yield running


@pytest.fixture
def chain(systems: Chain) -> Chain:
    """All systems, as if they had just been started."""
    systems.reset()
    return systems


@pytest.fixture
def carry(chain: Chain, tmp_path: Path) -> Iterator[Callable[..., LocalService]]:
    """Start an integration between all systems, of the parts given, that hears the systems given, or all."""
    with ExitStack() as stack:

        def carry_it(parts: Parts | None = None, *heard: str, **changes: str) -> LocalService:
            environment = chain.environment(tmp_path / "data", **changes)
            service = stack.enter_context(LocalService(environment, parts or CALM_CHAIN))
            chain.subscribe(service.port, *heard)
            return service

        yield carry_it


@pytest.fixture
def carrier(carry: Callable[..., LocalService]) -> LocalService:
    """Run the reference between all systems."""
    return carry()


@pytest.fixture
def mapped(vendor_server: VendorServer) -> Mapped:
    """Make a carrier and a CRM that have seen nothing yet."""
    return vendor_server.mount(Mapped)


@pytest.fixture
def handed_on(carry: Callable[..., LocalService], mapped: Mapped) -> LocalService:
    """Run the reference between all systems, the carrier and the CRM among them."""
    return carry(**mapped.environment())
