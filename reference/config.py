"""What the integration is told by its environment: where the systems are, who it is to them, where it keeps its state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from math import inf
from pathlib import Path

API_VERSION = "2026-10"
"""The Admin API version asked for when `STOREFRONT_URL` names none."""

_TEXTS = {
    "STOREFRONT_URL": "storefront_url",
    "STOREFRONT_TOKEN": "storefront_token",
    "STOREFRONT_WEBHOOK_SECRET": "storefront_webhook_secret",
    "ERP_URL": "erp_url",
    "ERP_CLIENT_ID": "erp_client_id",
    "ERP_CERTIFICATE_ID": "erp_certificate_id",
    "OPS_PAGERDUTY_URL": "pagerduty_url",
}
_VENDORS = (
    ("GATEWAY_URL", "GATEWAY_API_KEY", "GATEWAY_WEBHOOK_SECRET"),
    ("WMS_URL", "WMS_TOKEN", "WMS_WEBHOOK_SECRET"),
    ("CARRIER_URL", "CARRIER_TOKEN"),
    ("CRM_URL", "CRM_TOKEN"),
)
"""Systems that may be missing, but not by halves."""
_PATHS = {"ERP_PRIVATE_KEY_FILE": "erp_private_key_file", "INTEGRATION_DATA_DIR": "data_dir"}


class ConfigurationError(Exception):
    """The environment does not describe a service that could run; the message names every variable at fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Everything the environment decides.

    A gateway, WMS, carrier or CRM without an address is not there, and nothing is handed on to it; without a ticket system, role queues are
    shown but nobody is told. `role_keys` maps a role (`integration-oncall`) to its routing key. Every wait of the service is divided by `time_scale`.
    """

    storefront_url: str
    storefront_token: str = field(repr=False)
    storefront_webhook_secret: str = field(repr=False)
    erp_url: str
    erp_client_id: str
    erp_certificate_id: str
    erp_private_key_file: Path
    pagerduty_url: str
    data_dir: Path
    role_keys: Mapping[str, str] = field(repr=False)
    gateway_url: str = ""
    gateway_api_key: str = field(default="", repr=False)
    gateway_webhook_secret: str = field(default="", repr=False)
    wms_url: str = ""
    wms_token: str = field(default="", repr=False)
    wms_webhook_secret: str = field(default="", repr=False)
    carrier_url: str = ""
    carrier_token: str = field(default="", repr=False)
    crm_url: str = ""
    crm_token: str = field(default="", repr=False)
    zendesk_url: str = ""
    erp_account: str = ""
    time_scale: float = 1.0
    host: str = "127.0.0.1"
    port: int = 8000

    def scaled(self, seconds: float) -> float:
        """Turn a production duration into the one to wait here, in seconds."""
        return seconds / self.time_scale

    def ensure_roles(self, roles: set[str]) -> None:
        """Raise `ConfigurationError` unless every role that may be alerted has a routing key."""
        missing = sorted(roles - set(self.role_keys))
        if missing:
            names = ", ".join(f"OPS_ROLE_{role.upper().replace('-', '_')}_KEY" for role in missing)
            raise ConfigurationError(f"no routing key for a role that is alerted: set {names}")

    def fingerprints(self) -> dict[str, str]:
        """Return a short hash of each setting, to notice changes between two starts without keeping the values."""
        return {
            item.name: sha256(repr(getattr(self, item.name)).encode()).hexdigest()[:16]
            for item in fields(self)
            if item.name not in {"port", "host"}
        }


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; raise `ConfigurationError` naming all that are missing or wrong."""
    needed = [*_TEXTS, *_PATHS, *(name for names in _VENDORS if environ.get(names[0]) for name in names[1:])]
    missing = [name for name in needed if not environ.get(name)]
    if missing:
        raise ConfigurationError(f"these variables must be set: {', '.join(missing)}")
    key_file = Path(environ["ERP_PRIVATE_KEY_FILE"])
    if not key_file.is_file():
        raise ConfigurationError(f"ERP_PRIVATE_KEY_FILE names no file: {key_file}")
    return Settings(
        storefront_url=_admin_base(environ["STOREFRONT_URL"]),
        storefront_token=environ["STOREFRONT_TOKEN"],
        storefront_webhook_secret=environ["STOREFRONT_WEBHOOK_SECRET"],
        erp_url=environ["ERP_URL"].rstrip("/"),
        erp_client_id=environ["ERP_CLIENT_ID"],
        erp_certificate_id=environ["ERP_CERTIFICATE_ID"],
        erp_private_key_file=key_file,
        pagerduty_url=environ["OPS_PAGERDUTY_URL"].rstrip("/"),
        data_dir=Path(environ["INTEGRATION_DATA_DIR"]),
        role_keys=_role_keys(environ),
        gateway_url=environ.get("GATEWAY_URL", "").rstrip("/"),
        gateway_api_key=environ.get("GATEWAY_API_KEY", ""),
        gateway_webhook_secret=environ.get("GATEWAY_WEBHOOK_SECRET", ""),
        wms_url=environ.get("WMS_URL", "").rstrip("/"),
        wms_token=environ.get("WMS_TOKEN", ""),
        wms_webhook_secret=environ.get("WMS_WEBHOOK_SECRET", ""),
        carrier_url=environ.get("CARRIER_URL", "").rstrip("/"),
        carrier_token=environ.get("CARRIER_TOKEN", ""),
        crm_url=environ.get("CRM_URL", "").rstrip("/"),
        crm_token=environ.get("CRM_TOKEN", ""),
        zendesk_url=environ.get("OPS_ZENDESK_URL", "").rstrip("/"),
        erp_account=environ.get("ERP_ACCOUNT", ""),
        time_scale=_read_scale(environ.get("HANDOFF_TIME_SCALE") or "1"),
        host=environ.get("INTEGRATION_HOST") or "127.0.0.1",
        port=_read_port(environ.get("INTEGRATION_PORT") or "8000"),
    )


def _admin_base(url: str) -> str:
    base = url.rstrip("/")
    return base if "/admin/api/" in base else f"{base}/admin/api/{API_VERSION}"


def _role_keys(environ: Mapping[str, str]) -> dict[str, str]:
    start, end = "OPS_ROLE_", "_KEY"
    return {
        name[len(start) : -len(end)].lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith(start) and name.endswith(end) and value
    }


def _read_scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        raise ConfigurationError(f"HANDOFF_TIME_SCALE must be a number, not {text!r}") from None
    if not 0 < scale < inf:
        raise ConfigurationError(f"HANDOFF_TIME_SCALE must be above zero and finite, not {text!r}")
    return scale


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise ConfigurationError(f"INTEGRATION_PORT must be from 0 (any that is free) to 65535, not {text!r}")
    return int(text)
