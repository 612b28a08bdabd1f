"""What the verbs of the storefront's control plane take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from fakes.kit.forgery import STALE_S, How
from fakes.storefront.money import read_money
from fakes.storefront.stock import LIMIT


def _read_id(value: object) -> object:
    return str(value) if type(value) is int else value


def _read_amount(value: object) -> int:
    try:
        return read_money(value)
    except ValueError as error:
        raise PydanticCustomError("money", "{why}", {"why": str(error)}) from error


OrderId = Annotated[str, BeforeValidator(_read_id)]
Money = Annotated[int, BeforeValidator(_read_amount)]  # comes in major units, is kept in minor ones
MAX_COUNT = 10_000


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class LineBody(_Body):
    """A line of an order to be."""

    sku: str = Field(min_length=1, max_length=200)
    quantity: int = Field(1, ge=1, le=1_000_000)
    price: Money = 10_00
    title: str | None = None

    def goods(self) -> tuple[str, str, int, int]:
        """Return (sku, title, quantity, price in minor units)."""
        return (self.sku, self.title or self.sku, self.quantity, self.price)


class CustomerBody(_Body):
    """Who orders; ``address`` takes the vendor's address fields."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str | None = None
    address: dict[str, str | None] = Field(default_factory=dict)


class ReserveBody(_Body):
    """Parameters of ``reserve-orders``."""

    count: int = Field(1, ge=1, le=MAX_COUNT)
    lines: list[LineBody] | None = Field(None, min_length=1)
    customer: CustomerBody | None = None


class PlaceBody(ReserveBody):
    """Parameters of ``place-order``: reserved orders by id, or a number of new ones."""

    reserved: list[OrderId] | None = None
    financial_status: str = Field("paid", pattern="^(paid|authorized|pending)$")


class PaymentBody(_Body):
    """A reserved order's payment at another gateway, by the id of its authorisation there."""

    order_id: OrderId
    authorization: str = Field(min_length=1, max_length=255)


class AttachBody(_Body):
    """Parameters of ``attach-payments``."""

    payments: list[PaymentBody] = Field(min_length=1, max_length=MAX_COUNT)


class ItemBody(_Body):
    """Something the shop sells and how many units of it lie where; a location that is not named does not stock it."""

    sku: str = Field(min_length=1, max_length=200)
    levels: dict[Literal["MAIN", "EAST"], Annotated[int, Field(ge=-LIMIT, le=LIMIT)]] = Field(min_length=1)
    title: str | None = None
    price: Money = 10_00


class StockBody(_Body):
    """Parameters of ``stock-items``."""

    items: list[ItemBody] = Field(min_length=1, max_length=MAX_COUNT)


class OrderBody(_Body):
    """Parameters of verbs about one order."""

    id: OrderId


class UpdateBody(OrderBody):
    """Parameters of ``update-order``."""

    note: str | None = None
    tags: str | None = None


class CancelBody(OrderBody):
    """Parameters of ``cancel-order``."""

    reason: str = "customer"


class RefundBody(OrderBody):
    """Parameters of ``refund``; everything that is left unless ``amount`` says less."""

    amount: Money | None = None


class DeliverBody(OrderBody):
    """Parameters of ``deliver``; for topics about items the id is a SKU."""

    topic: str = "orders/create"


class RedeliverBody(_Body):
    """Parameters of ``redeliver``."""

    webhook_id: str


class ForgeBody(_Body):
    """
    Parameters of ``forge``: a body, or a reserved order whose webhook is made up.

    ``how``: signed with a wrong key, not at all, changed after a genuine signature, or signed ``age_s`` ago, a day. ``signature`` stands as it is given.
    """

    topic: str
    body: dict[str, Any] | list[Any] | str | None = None
    order: OrderId | None = None
    how: How = "forged"
    age_s: float = Field(STALE_S, gt=0)
    signature: str | None = Field(None, pattern="^[ -~]*$")
