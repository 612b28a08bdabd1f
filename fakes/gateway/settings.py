"""What may differ between gateways."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

API_VERSION = "2026-10-28.endive"
HOLD_S = 7 * 86_400

# The vendor says "up to 3 days with exponential back off" and leaves the steps open; these add up to 3 days.
LADDER_S = (
    *(30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0),
    *(7200.0, 14400.0, 21600.0, 28800.0, 43200.0, 57600.0, 78090.0),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Secrets, limits and the delivery ladder.

    Rates, ladder, ``idempotency_s``, ``search_lag_s`` and ``lock_wait_s`` are in vendor time. ``work_s`` is how long executing a write
    takes, in real seconds.
    """

    api_key: str = "sk_test_handoff"
    webhook_secret: str = "whsec_handoff"  # noqa: S105 - a fake's secret
    rate_per_s: int = 100
    endpoint_rate_per_s: int = 25
    search_rate_per_s: int = 20
    ladder_s: tuple[float, ...] = LADDER_S
    timeout_s: float = 10.0
    idempotency_s: float = 86_400.0
    search_lag_s: float = 60.0
    lock_wait_s: float = 30.0
    work_s: float = 0.0


class SettingsBody(BaseModel):
    """Settings as ``POST /seed`` takes them; what is not given stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    api_key: str | None = Field(None, min_length=1)
    webhook_secret: str | None = Field(None, min_length=1)
    rate_per_s: int | None = Field(None, ge=1, le=1_000_000)
    endpoint_rate_per_s: int | None = Field(None, ge=1, le=1_000_000)
    search_rate_per_s: int | None = Field(None, ge=1, le=1_000_000)
    ladder_s: list[float] | None = None
    timeout_s: float | None = Field(None, gt=0, le=600)
    idempotency_s: float | None = Field(None, gt=0)
    search_lag_s: float | None = Field(None, ge=0)
    lock_wait_s: float | None = Field(None, ge=0)
    work_s: float | None = Field(None, ge=0, le=60)
