"""The certificate authority of one lab, so that programs which speak TLS to a vendor's own name can speak it to the tap.

Made when a lab comes up; its key is never written anywhere and is gone with the process. Only what trusts `ca_pem` is led to the tap.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import trustme

# Clients of some platforms refuse certificates that are valid for more than 398 days.
VALID_FOR = timedelta(days=365)
# The clocks of a container and its host differ by less.
VALID_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for some hosts: the chain, the leaf first, and its key, both PEM text. The key does not show in `repr`."""

    hosts: tuple[str, ...]
    chain_pem: str
    key_pem: str = field(repr=False)

    def as_body(self) -> dict[str, object]:
        """Return it as `tls.certificates` of a tap's listener takes it."""
        return {"hosts": list(self.hosts), "chain_pem": self.chain_pem, "key_pem": self.key_pem}


class Authority:
    """Issue certificates that whoever trusts `ca_pem` accepts."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="handoff lab")

    @property
    def ca_pem(self) -> str:
        """Return the certificate to trust, as PEM text."""
        return self._ca.cert_pem.bytes().decode("ascii")

    def issue(self, hosts: Iterable[str]) -> Certificate:
        """Issue a certificate for these host names or IP addresses; `*.example.com` stands for one more label. Raise ValueError without any."""
        names = tuple(hosts)
        now = datetime.now(UTC)
        leaf = self._ca.issue_cert(
            *names, organization_name="handoff lab", not_before=now - VALID_BEFORE, not_after=now + VALID_FOR
        )
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return Certificate(names, chain.decode("ascii"), leaf.private_key_pem.bytes().decode("ascii"))


def make_authority() -> Authority:
    """Make the authority of a lab, with a fresh key."""
    return Authority()
