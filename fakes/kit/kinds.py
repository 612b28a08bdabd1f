"""The kinds of fault a fake can produce and what each takes (docs/contract.md §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["api", "webhook"]
REMOVAL = "subscription_removed"


class Params(BaseModel):
    """No parameters."""

    model_config = ConfigDict(strict=True, extra="forbid")


class StatusParams(Params):
    """Parameters of ``status``."""

    status: int = Field(ge=400, le=599, description="HTTP status to answer with")
    retry_after_s: float | None = Field(None, ge=0, description="seconds for a Retry-After header")


class ErrorParams(Params):
    """Parameters of ``error``."""

    code: str = Field(min_length=1, max_length=200, description="vendor error code, see codes")
    text: str | None = Field(None, max_length=2000, description="message instead of the vendor's usual one")
    commit: bool = Field(default=False, description="carry the call out first")


class RateLimitedParams(Params):
    """Parameters of ``rate_limited``."""

    retry_after_s: float | None = Field(None, ge=0, description="seconds for a Retry-After header")


class MalformedParams(Params):
    """Parameters of ``malformed``."""

    mutation: Literal["html", "truncated", "not_json", "empty"] = Field(description="what becomes of the body")
    commit: bool = Field(default=False, description="carry the call out first")


class LostResponseParams(Params):
    """Parameters of ``lost_response``."""

    how: Literal["reset", "hang"] = Field(description="reset the connection, or never answer")


class DelayParams(Params):
    """Parameters of ``delay``."""

    seconds: float = Field(gt=0, le=3600, description="how long the answer is held back, in real seconds")


class DuplicateParams(Params):
    """Parameters of ``webhook_duplicate``."""

    copies: int = Field(2, ge=2, le=100, description="how many are sent in all")
    same_id: bool = Field(default=True, description="under one webhook id, or new ids of one event")
    together: bool = Field(default=True, description="at the same time, or one after another")


class OutOfOrderParams(Params):
    """Parameters of ``webhook_out_of_order``."""

    after_topic: str = Field("orders/updated", description="topic that must be delivered first, about the same order")


class BadSignatureParams(Params):
    """Parameters of ``webhook_bad_signature``."""

    how: Literal["forged", "missing", "other_body"] = Field(
        description="wrong key, no signature, body changed after signing"
    )


class WebhookMalformedParams(Params):
    """Parameters of ``webhook_malformed``."""

    mutation: Literal["truncated", "not_json", "wrong_types", "missing_fields", "empty"] = Field(
        description="what becomes of the body before it is signed"
    )


class DelayedParams(Params):
    """Parameters of ``webhook_delayed``."""

    seconds: float = Field(gt=0, le=3600, description="how late it is sent, in real seconds")


class StaleParams(Params):
    """Parameters of ``webhook_stale``."""

    age_s: float = Field(gt=0, description="how old the trigger time is made")
    signed: Literal["then", "now"] = Field(
        "then", description="signed at that time, or now, as the last rung of a ladder is: then its body tells of it"
    )


@dataclass(frozen=True, slots=True)
class FaultKind:
    """
    One kind of fault: its direction and the model of its parameters.

    ``operation`` is the only one a kind of a vendor's own makes sense at; it is meant where a fault names none.
    """

    kind: str
    direction: Direction
    params: type[Params]
    operation: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return what the catalogue shows."""
        described = {name: field.description or "" for name, field in self.params.model_fields.items()}
        shown = {"kind": self.kind, "params": described, "direction": self.direction}
        return shown if self.operation is None else {**shown, "operation": self.operation}


API_KINDS = (
    FaultKind("status", "api", StatusParams),
    FaultKind("error", "api", ErrorParams),
    FaultKind("rate_limited", "api", RateLimitedParams),
    FaultKind("session_expired", "api", Params),
    FaultKind("permission_denied", "api", Params),
    FaultKind("malformed", "api", MalformedParams),
    FaultKind("not_persisted", "api", Params),
    FaultKind("lost_response", "api", LostResponseParams),
    FaultKind("delay", "api", DelayParams),
)
WEBHOOK_KINDS = (
    FaultKind("webhook_dropped", "webhook", Params),
    FaultKind("webhook_duplicate", "webhook", DuplicateParams),
    FaultKind("webhook_out_of_order", "webhook", OutOfOrderParams),
    FaultKind("webhook_bad_signature", "webhook", BadSignatureParams),
    FaultKind("webhook_malformed", "webhook", WebhookMalformedParams),
    FaultKind("webhook_delayed", "webhook", DelayedParams),
    FaultKind("webhook_stale", "webhook", StaleParams),
)
# For vendors that remove subscriptions, see fakes.kit.removals.
REMOVAL_KINDS = (FaultKind(REMOVAL, "webhook", Params),)
