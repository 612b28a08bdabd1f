"""What the control plane can set and do at the ops desk: roles, limits, resolving an alert as a person would."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from fakes.kit.fake import Act, Seeds
from fakes.kit.problems import ProblemError
from fakes.opsdesk.model import Role

if TYPE_CHECKING:
    from fakes.opsdesk.desk import Desk


class RoleBody(BaseModel):
    """A role and the key or group that reaches it."""

    model_config = ConfigDict(strict=True, extra="ignore")

    role: str = Field(min_length=1)
    key: str = Field(min_length=1)
    channel: str | None = None


class SettingsBody(BaseModel):
    """Settings as ``POST /seed`` takes them; what is not given stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    roles: list[RoleBody] | None = None
    events_per_min: int | None = Field(None, ge=1)
    messages_burst: int | None = Field(None, ge=1)
    messages_per_s: float | None = Field(None, gt=0)
    tickets_per_min: int | None = Field(None, ge=1)
    search_lag_s: float | None = Field(None, ge=0)
    idempotency_s: float | None = Field(None, ge=0)
    zendesk_token: str | None = Field(None, min_length=1)


class ResolveBody(BaseModel):
    """Parameters of ``resolve``; all open alerts of the key unless one routing key is named."""

    model_config = ConfigDict(strict=True, extra="ignore")

    dedup_key: str = Field(min_length=1)
    routing_key: str | None = None


class DeskActs:
    """The verbs of the ops desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def build(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"resolve": Act("Resolve the open alerts of a key", self.resolve, ResolveBody)}

    def build_seeds(self) -> Seeds:
        """Return what ``POST /seed`` can set."""
        return Seeds(settings=(SettingsBody, self._configure))

    def resolve(self, given: ResolveBody) -> dict[str, Any]:
        """Resolve alerts."""
        found = [
            alert
            for alert in self._desk.alerts.find("dedup_key", given.dedup_key)
            if alert.open and given.routing_key in {None, alert.routing_key}
        ]
        if not found:
            raise ProblemError(404, f"no alert with the key {given.dedup_key!r} is open")
        for alert in found:
            self._desk.alerts.put(alert.id, replace(alert, state="resolved"))
        return {"resolved": [alert.id for alert in found]}

    def _configure(self, given: SettingsBody) -> None:
        changes = given.model_dump(exclude_none=True, exclude={"roles"})
        self._desk.settings = replace(self._desk.settings, **changes)
        if given.roles is not None:
            self._desk.roles = tuple(Role(role.role, role.key, role.channel) for role in given.roles)
