"""The certificates a listener ends TLS with, by the host a client asks for."""

from __future__ import annotations

import ssl
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.values import Certificate

T = TypeVar("T")
PROTOCOLS = ("http/1.1",)


class BadCertificateError(ValueError):
    """A certificate that cannot be served; `index` is its place in the list."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


class Certificates:
    """Find the TLS context of a host; the first certificate is shown where a client names none. Raises `BadCertificateError`."""

    def __init__(self, certificates: Sequence[Certificate]) -> None:
        self._contexts: dict[str, ssl.SSLContext] = {}
        for index, certificate in enumerate(certificates):
            context = _build_context(index, certificate)
            self._contexts.setdefault("", context)
            for host in certificate.hosts:
                self._contexts.setdefault(host.lower(), context)

    def find(self, host: str) -> ssl.SSLContext | None:
        """Return the context for a host, its own before that of its wildcard; None if there is none."""
        return find_host(self._contexts, host)


def find_host(by_host: Mapping[str, T], host: str) -> T | None:
    """Look a host up by its name, then by the wildcard it falls under: `*.example.com` stands for one more label."""
    found = by_host.get(host)
    if found is None and "." in host:
        found = by_host.get("*." + host.partition(".")[2])
    return found


def _build_context(index: int, certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(PROTOCOLS)
    # OpenSSL reads certificates from files alone; this one only its owner can read, and it is gone at once.
    with NamedTemporaryFile("w", suffix=".pem") as pem:
        pem.write(f"{certificate.key_pem}\n{certificate.chain_pem}")
        pem.flush()
        try:
            context.load_cert_chain(pem.name, password=str)  # an empty one: nobody is there to be asked
        except (ssl.SSLError, OSError) as error:
            why = getattr(error, "reason", None) or "no certificate chain with its key"
            raise BadCertificateError(index, str(why).lower().replace("_", " ")) from None
    return context
