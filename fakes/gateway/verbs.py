"""What the verbs of the gateway's control plane take."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fakes.kit.forgery import STALE_S, How

MAX_COUNT = 10_000


def _read_id(value: object) -> object:
    return str(value) if type(value) is int else value


def _read_amount(value: object) -> object:
    return str(value) if type(value) in {int, float} else value


Name = Annotated[str, BeforeValidator(_read_id), Field(min_length=1, max_length=300)]
Amount = Annotated[str, BeforeValidator(_read_amount), Field(min_length=1, max_length=40)]  # in major units


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class OrderBody(_Body):
    """An order to be paid."""

    name: Name
    order_id: Name
    amount: Amount
    currency: str = Field("EUR", pattern="^[A-Za-z]{3}$")


class AuthoriseBody(_Body):
    """Parameters of ``authorise``."""

    orders: list[OrderBody] = Field(min_length=1, max_length=MAX_COUNT)


class PaymentBody(_Body):
    """Parameters of verbs about one payment: its order by any of its names, or its own id."""

    entity: Name | None = None
    id: Name | None = None

    @model_validator(mode="after")
    def _check_named(self) -> PaymentBody:
        if self.entity is None and self.id is None:
            raise ValueError("give the order as entity or id")
        return self

    def names(self) -> tuple[str, ...]:
        """Return what the payment may be found by."""
        return tuple(name for name in (self.entity, self.id) if name is not None)


class RefundBody(PaymentBody):
    """Parameters of ``refund``; everything that is left unless ``amount`` says less."""

    amount: Amount | None = None


class DeliverBody(PaymentBody):
    """Parameters of ``deliver``."""

    topic: str = "payment_intent.succeeded"


class RedeliverBody(_Body):
    """Parameters of ``redeliver``."""

    webhook_id: str


class ForgeBody(_Body):
    """
    Parameters of ``forge``: a body, or an order about whose payment an event is made up.

    ``how``: signed with a wrong key, not at all, changed after a genuine signature, or signed ``age_s`` ago, a day. ``signature`` stands as it is given.
    """

    topic: str = "payment_intent.succeeded"
    body: dict[str, Any] | list[Any] | str | None = None
    entity: Name | None = None
    order: Name | None = None
    how: How = "forged"
    age_s: float = Field(STALE_S, gt=0)
    signature: str | None = Field(None, pattern="^[ -~]*$")
