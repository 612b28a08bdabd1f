"""What may differ between storefronts."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

API_VERSION = "2026-10"
SUPPORTED = ("2025-10", "2026-01", "2026-04", "2026-07", API_VERSION)

# The vendor says "8 times over 4 hours" and leaves the steps open; these add up to 3 h 52 min.
LADDER_S = (10.0, 30.0, 90.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """Secrets, limits and the delivery ladder; the leak and the ladder are in vendor seconds."""

    access_token: str = "shpat_handoff"  # noqa: S105 - a fake's token
    webhook_secret: str = "hush-handoff"  # noqa: S105 - a fake's secret
    shop_domain: str = "handoff.myshopify.com"
    bucket: int = 40
    leak_per_s: float = 2.0
    ladder_s: tuple[float, ...] = LADDER_S
    removal_after: int = 8


class SettingsBody(BaseModel):
    """Settings as ``POST /seed`` takes them; what is not given stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    access_token: str | None = Field(None, min_length=1)
    webhook_secret: str | None = Field(None, min_length=1)
    bucket: int | None = Field(None, ge=1, le=100_000)
    leak_per_s: float | None = Field(None, gt=0, le=100_000)
    ladder_s: list[float] | None = None
    removal_after: int | None = Field(None, ge=1)


def serve_version(asked: str | None) -> str | None:
    """
    Return the version that serves a request: expired ones fall forward to the oldest supported, None for no version at all.

    Shopify: API versioning.
    """
    if asked is None:
        return SUPPORTED[0]
    if asked in SUPPORTED or asked == "unstable":
        return asked
    year, _, month = asked.partition("-")
    dated = len(year) == 4 and year.isdigit() and month in {"01", "04", "07", "10"}
    return SUPPORTED[0] if dated and asked < SUPPORTED[0] else None
