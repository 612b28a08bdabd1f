"""What may differ between warehouses."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# The waits before each retry as a fulfilment provider with Standard Webhooks tells them, after a first attempt at once:
# 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h. Its own page says "up to 24 hours", so the ladder is a setting.
LADDER_S = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
SECRET_PREFIX = "whsec_"  # noqa: S105 - how Standard Webhooks marks a secret
UnknownItems = Literal["accept", "refuse"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Token, secret, limits and habits of a warehouse; waits are in vendor seconds, ``timeout_s`` in real ones.

    ``unknown_items``: whether an order may name an item never heard of, which then opens with plenty everywhere.
    ``auto_allocate``: whether a new order is allocated at once or stays received until somebody does it.
    """

    token: str = "wms_handoff"  # noqa: S105 - a fake's token
    webhook_secret: str = "whsec_aGFuZG9mZiB3YXJlaG91c2Ugc2lnbmluZyBzZWNyZXQ="  # noqa: S105 - a fake's secret
    requests_per_min: int = 600
    ladder_s: tuple[float, ...] = LADDER_S
    timeout_s: float = 15.0
    disable_after_s: float = 5 * 86_400.0
    unknown_items: UnknownItems = "accept"
    auto_allocate: bool = True


def check_secret(secret: str) -> str:
    """Return a webhook secret that can sign; raises ValueError for any other."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a webhook secret is whsec_ and a key in base64") from error
    if not key or encoded == secret:
        raise ValueError("a webhook secret is whsec_ and a key in base64")
    return secret


class SettingsBody(BaseModel):
    """Settings as ``POST /seed`` takes them; what is not given stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    token: str | None = Field(None, min_length=1)
    webhook_secret: Annotated[str, AfterValidator(check_secret)] | None = None
    requests_per_min: int | None = Field(None, ge=1, le=10_000_000)
    ladder_s: list[Annotated[float, Field(ge=0, le=1e7)]] | None = None
    timeout_s: float | None = Field(None, gt=0, le=600)
    disable_after_s: float | None = Field(None, gt=0)
    unknown_items: UnknownItems | None = None
    auto_allocate: bool | None = None
