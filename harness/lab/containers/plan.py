"""Which containers a lab has, and where everything in them is: values only, nothing is started here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.lab.containers.box import DATA, FILES, Box
from harness.lab.containers.images import FAKES, HARNESS, TOXIPROXY, WIREMOCK
from harness.lab.environment import build_account
from harness.lab.layout import PRIVATE_KEY_FILE, PUBLIC_KEY_FILE
from harness.lab.ports import LOOPBACK
from harness.lab.wiremock import JAVA_OPTIONS, SERVE_OPTIONS, list_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.lab.containers.images import ChosenImage
    from harness.lab.credentials import Credentials
    from harness.lab.layout import Identity
    from harness.lab.vendors import Vendor

EVERYWHERE: Final = "0.0.0.0"
VENDOR_PORT, CONTROL_PORT = 8080, 8081
TOXIPROXY_PORT: Final = 8474
# The tap shares its network with the integration: its ports keep out of the way of what programs usually listen on.
TAP_CONTROL_PORT, TAP_ADMIN_PORT = 20081, 20474
OUTBOUND_FROM, INBOUND_FROM = 20101, 20301
INTEGRATION_PORT: Final = 8000
TAP, TOXICS, JVM, INTEGRATION = "tap", "toxiproxy", "wiremock", "integration"
CA_NAME, STACK_NAME = "ca.pem", "stack.yaml"
MAPPINGS: Final = f"{FILES}/mappings"
CA_FILE: Final = f"{FILES}/{CA_NAME}"
STACK_FILE: Final = f"{FILES}/{STACK_NAME}"
# The variables by which programs of many kinds are told whom to trust.
TRUST: Final = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Doors:
    """The tap's ports in the lab's network: of each system's calls, and of each system's webhooks."""

    outbound: Mapping[str, int]
    inbound: Mapping[str, int]

    @classmethod
    def of(cls, systems: Iterable[str], receivers: Iterable[str]) -> Doors:
        """Give every system a port of its own, in order."""
        return cls(
            {name: OUTBOUND_FROM + place for place, name in enumerate(systems)},
            {name: INBOUND_FROM + place for place, name in enumerate(receivers)},
        )

    def tell_outbound(self, system: str) -> str:
        """Give where the integration, which shares the tap's network, calls a system."""
        return f"http://{LOOPBACK}:{self.outbound[system]}"


def build_fake(system: str, vendor: Vendor, lab: Identity, credentials: Credentials, *, control: int) -> Box:
    """Describe the container of a fake; its control plane is published at the port `control` of loopback."""
    command = [*_run(vendor.module), "--port", str(VENDOR_PORT), "--control-port", str(CONTROL_PORT)]
    command += ["--time-scale", f"{lab.scale:g}", "--nonce", lab.nonce]
    files: dict[str, Path] = {}
    if vendor.prefix == "ERP":
        files[f"{FILES}/{PUBLIC_KEY_FILE}"] = lab.folder / PUBLIC_KEY_FILE
        command += ["--public-key", f"{FILES}/{PUBLIC_KEY_FILE}"]
    if vendor.mappings is not None:
        files[MAPPINGS] = vendor.mappings
        command += list_options(replace(vendor, mappings=Path(MAPPINGS)), system, f"http://{JVM}:{VENDOR_PORT}")
    return Box(
        role=name_fake(system),
        image=FAKES,
        command=command,
        environment={"CONTROL_TOKEN": credentials.control_token, **build_account(vendor.prefix, credentials)},
        published={CONTROL_PORT: control},
        files=files,
    )


def build_tap(credentials: Credentials, *, control: int, admin: int, integration: int, aliases: Iterable[str]) -> Box:
    """Describe the container of the tap; the integration beside it is published here, since its network is the tap's."""
    command = [*_run("harness.wire"), "--control-port", str(TAP_CONTROL_PORT), "--admin-port", str(TAP_ADMIN_PORT)]
    return Box(
        role=TAP,
        image=HARNESS,
        command=command,
        environment={"CONTROL_TOKEN": credentials.control_token},
        published={TAP_CONTROL_PORT: control, TAP_ADMIN_PORT: admin, INTEGRATION_PORT: integration},
        aliases=tuple(aliases),
    )


def build_toxiproxy(*, admin: int) -> Box:
    """Describe the container of Toxiproxy."""
    return Box(
        role=TOXICS,
        image=TOXIPROXY,
        command=["-host", EVERYWHERE, "-port", str(TOXIPROXY_PORT)],
        published={TOXIPROXY_PORT: admin},
    )


def build_wiremock(*, port: int) -> Box:
    """Describe the container of WireMock; it is published for nobody but who waits for it."""
    return Box(
        role=JVM,
        image=WIREMOCK,
        command=["--port", str(VENDOR_PORT), "--root-dir", "/tmp/wiremock", *SERVE_OPTIONS],  # noqa: S108 - a container's own, in memory
        environment={"JAVA_OPTS": " ".join(JAVA_OPTIONS)},
        published={VENDOR_PORT: port},
    )


def build_integration(
    chosen: ChosenImage, variables: Mapping[str, str], lab: Identity, *, stack_path: Path | None
) -> Box:
    """Describe the integration's container, beside the tap as on one machine, so that the tap can end it at an exact byte."""
    files = {
        CA_FILE: lab.folder / CA_NAME,
        f"{FILES}/{PRIVATE_KEY_FILE}": lab.folder / PRIVATE_KEY_FILE,
    }
    if stack_path is not None:
        files[STACK_FILE] = stack_path.resolve()
    return Box(
        role=INTEGRATION,
        image=chosen.name,
        command=chosen.command,
        environment={**dict.fromkeys(TRUST, CA_FILE), **variables},
        files=files,
        folders={DATA: lab.folder / "data"},
        beside=TAP,
    )


def name_fake(system: str) -> str:
    """Name the role of a system's fake."""
    return f"fake-{system}"


def _run(module: str) -> list[str]:
    return ["python3", "-m", module, "--host", EVERYWHERE]
