"""Which fake plays which vendor, and under which names an integration is told about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Vendor:
    """A fake: the name stacks use, the module that runs it, the prefix of its variables."""

    fake: str
    module: str
    prefix: str


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

OPSDESK = "opsdesk"
OPSDESK_VENDOR = Vendor(OPSDESK, "fakes.opsdesk", "OPSDESK")
