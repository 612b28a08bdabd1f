"""What the verbs of the warehouse's control plane take."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from fakes.kit.forgery import STALE_S, How
from fakes.wms.bodies import MAX_QUANTITY, Quantity, Sku
from fakes.wms.model import Location  # noqa: TC001 - pydantic reads the annotations

MAX_COUNT = 10_000


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class OrderBody(_Body):
    """Which order is meant: by the warehouse's own id, or by any name of what it is about."""

    entity: str | None = Field(None, min_length=1)
    order_id: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _names_one(self) -> OrderBody:
        if self.entity is None and self.order_id is None:
            raise PydanticCustomError("missing", "entity or order_id is needed")
        return self


class AllocateBody(OrderBody):
    """Parameters of ``allocate``; the preferred location first, then the other, unless one is named."""

    location: Location | None = None


class ShippedLineBody(_Body):
    """How many units of an item to ship."""

    sku: Sku
    quantity: Quantity


class ShipBody(OrderBody):
    """Parameters of ``ship``; everything that is set aside unless lines say less."""

    lines: list[ShippedLineBody] | None = Field(None, min_length=1)
    tracking: str | None = Field(None, min_length=1, max_length=100)
    carrier: str = Field("DHL", min_length=1, max_length=100)


class ShortPickBody(OrderBody):
    """Parameters of ``short-pick``; one unit of the first item that is still to be picked unless they say otherwise."""

    sku: Sku | None = None
    quantity: Quantity = 1
    reason: Literal["not_found", "damaged", "lot_hold"] = "not_found"


class CancelBody(OrderBody):
    """Parameters of ``cancel``."""

    reason: str = Field("cancelled at the warehouse", max_length=500)


class SnapshotBody(_Body):
    """Parameters of ``snapshot``; all locations unless one is named."""

    location: Location | None = None


class AdjustBody(_Body):
    """Parameters of ``adjust-stock``."""

    sku: Sku
    location: Location = "MAIN"
    delta: int = Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY)
    reason: str = Field("cycle_count", min_length=1, max_length=100)


class ReceiveBody(_Body):
    """Parameters of ``receive-stock``."""

    sku: Sku
    location: Location = "MAIN"
    quantity: Quantity


class ReserveBody(_Body):
    """Parameters of ``reserve-items``."""

    count: int = Field(1, ge=1, le=MAX_COUNT)


class DeliverBody(OrderBody):
    """Parameters of ``deliver``; a shipped order's webhooks are one a shipment."""

    topic: str = "order.shipped"


class RedeliverBody(_Body):
    """Parameters of ``redeliver``."""

    webhook_id: str


class ForgeBody(_Body):
    """
    Parameters of ``forge``: a body, or an order to tell lies about, by any name of it (``entity`` before ``order``) or its id.

    ``how``: signed with a wrong key, not at all, changed after a genuine signature, or signed ``age_s`` ago, a day. ``signature`` stands as it is given.
    """

    topic: str = "order.shipped"
    body: dict[str, Any] | list[Any] | str | None = None
    entity: str | None = Field(None, min_length=1)
    order: str | None = Field(None, min_length=1)
    how: How = "forged"
    age_s: float = Field(STALE_S, gt=0)
    signature: str | None = Field(None, pattern="^[ -~]*$")


class StockSeed(_Body):
    """What lies at a location, as ``POST /seed`` takes it."""

    sku: Sku
    location: Location
    on_hand: int = Field(ge=0, le=10**12)
