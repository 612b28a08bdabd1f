"""Where the parts of a lab are that somebody else starts, read from the variables its conductor is given."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.lab.conducted import INSIDE_VARIABLE
from harness.lab.containers.plan import INBOUND_FROM, VENDOR_PORT
from harness.lab.environment import ENGINE_VARIABLE
from harness.lab.errors import EnvironmentNotReady
from harness.lab.ports import Address
from harness.lab.toxics import TOXIPROXY
from harness.lab.vendors import OPSDESK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.lab.vendors import Vendor

# `NAME=value` words: what is reached at another address from outside the network of the containers.
OUTSIDE_VARIABLE: Final = "HANDOFF_OUTSIDE"
# The ops desk has one door for all its desks; this names the base of one of them.
DESK_VARIABLE: Final = "OPS_PAGERDUTY_URL"
_OURS = re.compile(
    r"[A-Z0-9_]+_URL|[A-Z]+_TOKEN|[A-Z]+_WEBHOOK_SECRET|GATEWAY_API_KEY|ERP_[A-Z_]+|OPS_ROLE_[A-Z0-9_]+_KEY"
    r"|INTEGRATION_[A-Z_]+|HANDOFF_TIME_SCALE"
)


@dataclass(frozen=True, slots=True)
class Places:
    """
    The variables of a lab, as they are inside its network.

    A system `P` is called at the tap's `P_URL`, has its control plane at `P_CONTROL_URL`, and serves as the vendor on that host.
    """

    inside: Mapping[str, str]

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Places:
        """Take them from the environment of this process."""
        named = {
            name: value
            for name, value in environ.items()
            if _OURS.fullmatch(name) and not name.startswith("HANDOFF_LAB")
        }
        return cls({**named, ENGINE_VARIABLE: TOXIPROXY, INSIDE_VARIABLE: _integration(environ)})

    def give_outside(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Give the variables as they are outside: some at other addresses."""
        words = (word.partition("=") for word in environ.get(OUTSIDE_VARIABLE, "").split())
        return {**self.inside, **{name: value for name, _, value in words}}

    def need(self, name: str) -> str:
        """Give one of them; raises EnvironmentNotReady where it is not set."""
        value = self.inside.get(name)
        if not value:
            raise EnvironmentNotReady(
                "the conductor", f"{name} is not set", "correct the service `lab` in docker-compose.yml"
            )
        return value

    def locate_control(self, prefix: str) -> str:
        """Give the URL of a control plane."""
        return self.need(f"{prefix}_CONTROL_URL")

    def locate_vendor(self, vendor: Vendor) -> str:
        """Give where the toxic engine reaches a vendor."""
        return str(Address(Address.of(self.locate_control(vendor.prefix)).host, VENDOR_PORT))

    def locate_door(self, vendor: Vendor) -> int:
        """Give the port of the tap at which the integration calls a vendor."""
        return Address.of(self.need(DESK_VARIABLE if vendor.fake == OPSDESK else f"{vendor.prefix}_URL")).port

    def locate_entrances(self, receivers: Iterable[str]) -> dict[str, Address]:
        """Give where the tap takes the webhooks of each system, as others reach it there."""
        host = Address.of(self.locate_control("TAP")).host
        return {name: Address(host, INBOUND_FROM + place) for place, name in enumerate(receivers)}


def _integration(environ: Mapping[str, str]) -> str:
    return f"{environ.get('INTEGRATION_HOST', 'integration')}:{environ.get('INTEGRATION_PORT', '8000')}"
