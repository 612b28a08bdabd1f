"""Bodies and queries as clients send them; the API's OpenAPI document takes its request schemas from these models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from fakes.wms.catalogue import TOPICS
from fakes.wms.errors import refuse, refuse_invalid
from fakes.wms.model import Location, Status  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange

MAX_QUANTITY = 1_000_000
MAX_LINES = 500
Sku = Annotated[str, Field(min_length=1, max_length=100)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Scalar = str | int | Annotated[float, Field(allow_inf_nan=False)] | bool | None


def _check_topic(topic: str) -> str:
    if topic not in TOPICS:
        raise ValueError(f"known topics are {', '.join(TOPICS)}")
    return topic


def _check_url(url: str) -> str:
    sound = url.isascii() and url.isprintable() and " " not in url
    try:
        parts = urlsplit(url)
        sound = sound and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("is no http or https address")
    return url


def _restore_plus(value: object) -> object:
    # A plus sign that was not escaped arrives as a space.
    return value.strip().replace(" ", "+") if isinstance(value, str) and "T" in value else value


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Topic = Annotated[str, AfterValidator(_check_topic), WithJsonSchema({"type": "string", "enum": list(TOPICS)})]
Url = Annotated[
    str, Field(max_length=2000), AfterValidator(_check_url), WithJsonSchema({"type": "string", "format": "uri"})
]
Moment = Annotated[datetime, BeforeValidator(_restore_plus), AfterValidator(_in_utc)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class NewLine(_Body):
    """A line of an order to be."""

    sku: Sku
    quantity: Quantity


class NewOrder(_Body):
    """An order to be; ``location`` is where it is to be allocated first."""

    reference: str = Field(min_length=1, max_length=100)
    lines: list[NewLine] = Field(min_length=1, max_length=MAX_LINES)
    location: Location = "MAIN"
    ship_to: dict[str, Scalar] = Field(default_factory=dict)


class NewAllocation(_Body):
    """Where to set aside what is still missing of an order."""

    location: Location


class Cancellation(_Body):
    """Why an order is cancelled."""

    reason: str = Field("cancelled by the client", max_length=500)


class NewWebhook(_Body):
    """A webhook subscription; to all topics unless some are named."""

    url: Url
    topics: list[Topic] = Field(default_factory=lambda: list(TOPICS), min_length=1)


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore")

    updated_since: Moment | None = None
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=250)


class OrderQuery(_Query):
    """The query of the list of orders."""

    reference: str | None = None
    status: Status | None = None


class StockQuery(_Query):
    """The query of the list of stock."""

    location: Location | None = None
    sku: str | None = None


Model = TypeVar("Model", bound=BaseModel)


def read_body(exchange: Exchange, model: type[Model], *, optional: bool = False) -> Model:
    """Return the body as its model says; refuses other media types and what does not fit."""
    empty = optional and not exchange.body.strip()
    if not empty and exchange.media_type not in {"", "application/json"}:
        raise refuse("unsupported_media_type")
    given: dict[str, Any] = {} if empty else exchange.object()
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refuse_invalid(error) from error


def read_query(exchange: Exchange, model: type[Model]) -> Model:
    """Return the query as its model says; names it does not know are ignored."""
    try:
        return model.model_validate(exchange.query)
    except ValidationError as error:
        raise refuse_invalid(error, query=True) from error
