"""What an integration is told: variables from the addresses of a lab. Pure."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from harness.lab.credentials import Credentials, build_role_key, build_token
from harness.lab.ports import Address
from harness.lab.vendors import OPSDESK_VENDOR

ERP_ACCOUNT = "TSTDRV1_SB1"
ENGINE_VARIABLE = "HANDOFF_ENGINE"
SLACK_PATH = "/services/T00000000/B00000000/handoff"
_OURS = re.compile(
    r"""
    HANDOFF_(STACK|EVENTS_URL|TIME_SCALE|LAB|LAB_ROLE)
    | INTEGRATION_(HOST|PORT|DATA_DIR)
    | (STOREFRONT|ERP|GATEWAY|WMS|CARRIER|CRM)_URL
    | (STOREFRONT|WMS|CARRIER|CRM)_TOKEN | (STOREFRONT|GATEWAY|WMS)_WEBHOOK_SECRET | GATEWAY_API_KEY | WMS_EDI_URL
    | ERP_(ACCOUNT|CLIENT_ID|CLIENT_SECRET|PRIVATE_KEY_FILE|CERTIFICATE_ID|TOKEN_ID|TOKEN_SECRET)
    | OPS_(PAGERDUTY|SLACK|ZENDESK|JIRA)_URL | OPS_ROLE_[A-Z0-9_]+_KEY
    | [A-Z0-9_]+_CONTROL_URL | TOXIPROXY_URL | CONTROL_TOKEN | HANDOFF_ENGINE
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[A-Z0-9_]+_CONTROL_URL|TOXIPROXY_URL|CONTROL_TOKEN|HANDOFF_ENGINE")


@dataclass(frozen=True, slots=True)
class Sites:
    """
    Where everything of a lab is.

    `outbound`: base URL by variable prefix (`ERP`), at the tap; `opsdesk` likewise; `controls`: control plane by prefix;
    `toxics`: the toxic engine's admin API; `engine` its kind.
    """

    outbound: Mapping[str, str]
    opsdesk: str
    controls: Mapping[str, str]
    toxics: str
    integration: Address
    data_folder: PurePath
    private_key_file: PurePath
    engine: str = "embedded"


def build_environment(
    sites: Sites,
    credentials: Credentials,
    *,
    nonce: str,
    roles: Iterable[str],
    stack_path: PurePath | None,
    scale: float,
) -> dict[str, str]:
    """Build the variables of the integration, without the control planes."""
    variables = {f"{prefix}_URL": url for prefix, url in sites.outbound.items()}
    for prefix in sites.outbound:
        variables |= build_account(prefix, credentials)
    if "ERP" in sites.outbound:
        variables["ERP_PRIVATE_KEY_FILE"] = str(sites.private_key_file)
    variables |= {f"OPS_{desk}_URL": sites.opsdesk for desk in ("PAGERDUTY", "ZENDESK", "JIRA")}
    variables["OPS_SLACK_URL"] = f"{sites.opsdesk}{SLACK_PATH}"
    variables |= {name_role_key(role): build_role_key(nonce, role) for role in roles}
    if stack_path is not None:
        variables["HANDOFF_STACK"] = str(stack_path)
    return variables | {
        "HANDOFF_TIME_SCALE": f"{scale:g}",
        "INTEGRATION_HOST": sites.integration.host,
        "INTEGRATION_PORT": str(sites.integration.port),
        "INTEGRATION_DATA_DIR": str(sites.data_folder),
    }


def build_controls(sites: Sites, credentials: Credentials) -> dict[str, str]:
    """Build what `handoff lab env` adds: the control planes and their token, and the toxic engine, which needs none."""
    urls = {f"{prefix}_CONTROL_URL": url for prefix, url in sites.controls.items()}
    engine = {"TOXIPROXY_URL": sites.toxics, ENGINE_VARIABLE: sites.engine}
    return {**urls, **engine, "CONTROL_TOKEN": credentials.control_token}


def is_for_the_integration(name: str) -> bool:
    """Tell whether a published variable is one that the integration is given."""
    return _CONTROLS.fullmatch(name) is None


def build_account(prefix: str, credentials: Credentials) -> dict[str, str]:
    """
    Build the account at the vendor of this prefix, which its fake reads too.

    A vendor that mappings play has a token, the ops desk nothing.
    """
    accounts: dict[str, dict[str, str]] = {
        OPSDESK_VENDOR.prefix: {},
        "STOREFRONT": {
            "STOREFRONT_TOKEN": credentials.storefront_token,
            "STOREFRONT_WEBHOOK_SECRET": credentials.storefront_webhook_secret,
        },
        "ERP": {
            "ERP_ACCOUNT": ERP_ACCOUNT,
            "ERP_CLIENT_ID": credentials.erp_client_id,
            "ERP_CLIENT_SECRET": credentials.erp_client_secret,
            "ERP_CERTIFICATE_ID": credentials.erp_certificate_id,
            "ERP_TOKEN_ID": credentials.erp_token_id,
            "ERP_TOKEN_SECRET": credentials.erp_token_secret,
        },
        "GATEWAY": {
            "GATEWAY_API_KEY": credentials.gateway_api_key,
            "GATEWAY_WEBHOOK_SECRET": credentials.gateway_webhook_secret,
        },
        "WMS": {
            "WMS_TOKEN": credentials.wms_token,
            "WMS_WEBHOOK_SECRET": credentials.wms_webhook_secret,
        },
    }
    if prefix in accounts:
        return accounts[prefix]
    return {f"{prefix}_TOKEN": build_token(credentials, prefix)}


def name_role_key(role: str) -> str:
    """Name the variable of a role's key: `integration-oncall` → `OPS_ROLE_INTEGRATION_ONCALL_KEY`."""
    return f"OPS_ROLE_{re.sub(r'[^A-Za-z0-9]', '_', role).upper()}_KEY"


def clear_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """
    Drop every variable that labs set, above all control tokens.

    What an outer or an earlier lab left in the shell must not reach a child of this one.
    """
    return {name: value for name, value in environment.items() if not _OURS.fullmatch(name)}


def render_dotenv(variables: Mapping[str, str]) -> str:
    """Render `NAME=value` lines, quoted for a shell, in the order given."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def render_export(variables: Mapping[str, str]) -> str:
    """Render `export NAME=value` lines, so that what the shell starts afterwards has them too."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def render_bare(variables: Mapping[str, str]) -> str:
    """Render `NAME=value` lines as container engines read them: nothing is quoted, whatever the value."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())
