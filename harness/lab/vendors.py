"""Which fake plays which vendor, and under which names an integration is told about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Vendor:
    """A fake: the name stacks use, the module that runs it, the prefix of its variables; for WireMock its mappings too."""

    fake: str
    module: str
    prefix: str
    mappings: Path | None = None

    @property
    def is_mapped(self) -> bool:
        """Tell whether mappings play it, behind a fake that needs a WireMock."""
        return self.mappings is not None


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        vendor.fake: vendor
        for vendor in (
            Vendor("shopify", "fakes.storefront", "STOREFRONT"),
            Vendor("netsuite", "fakes.erp", "ERP"),
            Vendor("stripe", "fakes.gateway", "GATEWAY"),
            Vendor("wms", "fakes.wms", "WMS"),
        )
    }
)

# What variables of a lab begin with that are no vendor's.
TAKEN = frozenset(("CONTROL", "HANDOFF", "INTEGRATION", "OPS", "OPSDESK", "TAP", "TOXIPROXY"))

OPSDESK = "opsdesk"
OPSDESK_VENDOR = Vendor(OPSDESK, "fakes.opsdesk", "OPSDESK")


def name_prefix(system: str) -> str:
    """Name what the variables of a system begin with that has no fake of ours: `my-tax` → `MY_TAX`."""
    return re.sub(r"[^A-Za-z0-9]", "_", system).upper()
