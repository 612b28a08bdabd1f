"""The systems around this service as it is configured: a client of each, for as much patience as a handoff has."""

from dataclasses import dataclass, field, replace

import httpx2

from reference.calls import Access, Caller
from reference.carrier import Carrier
from reference.config import Settings
from reference.crm import Crm
from reference.erp import Erp
from reference.gateway import Gateway
from reference.session import TokenSource
from reference.storefront import Storefront
from reference.wms import Wms


@dataclass(frozen=True, slots=True)
class Vendors:
    """Makes clients; `timeout_s` is in production time. Those of a system that is not configured must not be asked for."""

    http: httpx2.AsyncClient
    settings: Settings
    session: TokenSource
    shop: Access = field(default_factory=lambda: Access("storefront", "access-token"))
    bank: Access = field(default_factory=lambda: Access("gateway", "api-key"))
    depot: Access = field(default_factory=lambda: Access("wms", "token"))
    post: Access = field(default_factory=lambda: Access("carrier", "token"))
    people: Access = field(default_factory=lambda: Access("crm", "token"))

    def storefront(self, timeout_s: float) -> Storefront:
        """Return the storefront."""
        headers = {"X-Shopify-Access-Token": self.settings.storefront_token}
        caller = self._caller(self.settings.storefront_url, timeout_s)
        return Storefront(replace(caller, headers=headers, access=self.shop), scaled=self.settings.scaled)

    def erp(self, timeout_s: float) -> Erp:
        """Return the ERP; all share one session."""
        return Erp(self._caller(self.settings.erp_url, timeout_s), self.session)

    def gateway(self, timeout_s: float) -> Gateway:
        """Return the gateway."""
        headers = {"Authorization": f"Bearer {self.settings.gateway_api_key}"}
        return Gateway(replace(self._caller(self.settings.gateway_url, timeout_s), headers=headers, access=self.bank))

    def wms(self, timeout_s: float) -> Wms:
        """Return the WMS."""
        headers = {"Authorization": f"Bearer {self.settings.wms_token}"}
        return Wms(replace(self._caller(self.settings.wms_url, timeout_s), headers=headers, access=self.depot))

    def carrier(self, timeout_s: float) -> Carrier:
        """Return the carrier."""
        headers = {"Authorization": f"Bearer {self.settings.carrier_token}"}
        return Carrier(replace(self._caller(self.settings.carrier_url, timeout_s), headers=headers, access=self.post))

    def crm(self, timeout_s: float) -> Crm:
        """Return the CRM."""
        headers = {"Authorization": f"Bearer {self.settings.crm_token}"}
        return Crm(replace(self._caller(self.settings.crm_url, timeout_s), headers=headers, access=self.people))

    def views(self) -> list[dict[str, object]]:
        """Return the standing credentials at the systems that are configured."""
        configured = [self.shop]
        configured += [self.bank] if self.settings.gateway_url else []
        configured += [self.depot] if self.settings.wms_url else []
        configured += [self.post] if self.settings.carrier_url else []
        configured += [self.people] if self.settings.crm_url else []
        return [access.view() for access in configured]

    def _caller(self, base: str, timeout_s: float) -> Caller:
        return Caller(self.http, base, self.settings.scaled(timeout_s))
