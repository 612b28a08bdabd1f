"""What the tap's control plane speaks of, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.matching import Route

Direction = Literal["outbound", "inbound"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for some hosts: the chain, the leaf first, and its key, both PEM text."""

    hosts: tuple[str, ...]
    chain_pem: str = field(repr=False)
    key_pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """How a listener ends TLS. Clients that ask for a host without a certificate are led on as they are to `passthrough`, if it is set."""

    certificates: tuple[Certificate, ...]
    passthrough: str | None = None

    def as_body(self) -> dict[str, Any]:
        """Return it as JSON values, without chains and keys."""
        certificates = [{"hosts": list(certificate.hosts)} for certificate in self.certificates]
        return {"certificates": certificates, "passthrough": self.passthrough}


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of the tap: exchanges that come in at `address` go to `upstream`, both `host:port`.

    `address` is empty until the tap has opened it. `relay` is `opaque` for what is not HTTP and where the upstream speaks first.
    A front has `hosts` and no upstream: each connection is led to the listener of the host it asks for.
    """

    name: str
    system: str
    direction: Direction
    upstream: str
    routes: tuple[Route, ...] = ()
    relay: Literal["http", "opaque"] = "http"
    address: str = ""
    accepting: bool = True
    tls: Tls | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)

    def as_body(self) -> dict[str, Any]:
        """Return the listener as JSON values, without keys and without what it has not."""
        body = asdict(replace(self, tls=None)) | {"tls": None if self.tls is None else self.tls.as_body()}
        return {name: value for name, value in body.items() if name not in {"tls", "hosts"} or value}
