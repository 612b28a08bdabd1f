"""The account the ERP fake plays: who may call it, and how much of it at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

POOL_SIZES = {"standard": 5, "premium": 15, "enterprise": 20, "ultimate": 20}
"""Concurrent calls per service tier, without extra licences. Source: NetSuite help, "Web Services and RESTlet Concurrency Governance"."""


@dataclass(frozen=True, slots=True)
class Settings:
    """
    One account.

    `token_lifetime_s` is in seconds and is never scaled. `concurrency` is the account's pool of calls in flight. `work_s` is how long
    every record or query call holds its place in the pool beyond the time it needs; 0 answers as soon as possible.
    """

    account: str = "TSTDRV1_SB1"
    client_id: str = "fake-erp-client"
    client_secret: str = "fake-erp-client-secret"  # noqa: S105 -- the public default of a fake
    certificate_id: str = "fake-erp-certificate"
    token_id: str = "fake-erp-token"  # noqa: S105 -- the public default of a fake
    token_secret: str = "fake-erp-token-secret"  # noqa: S105 -- the public default of a fake
    token_lifetime_s: int = 3600
    concurrency: int = POOL_SIZES["premium"]
    work_s: float = 0.0


_VARIABLES = {
    "ERP_ACCOUNT": "account",
    "ERP_CLIENT_ID": "client_id",
    "ERP_CLIENT_SECRET": "client_secret",
    "ERP_CERTIFICATE_ID": "certificate_id",
    "ERP_TOKEN_ID": "token_id",
    "ERP_TOKEN_SECRET": "token_secret",
}


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the account from the `ERP_*` variables; what is unset or empty keeps its default."""
    given: dict[str, Any] = {name: environ[key] for key, name in _VARIABLES.items() if environ.get(key)}
    return replace(Settings(), **given)
