"""What a mapping says about itself under ``metadata.handoff``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fakes.wiremock.errors import MappingError
from fakes.wiremock.places import Place, parse_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Effect = Literal["create", "update", "delete", "none"]
_Place = Annotated[Place, BeforeValidator(lambda text: parse_place(str(text)))]


class Metadata(BaseModel):
    """
    Which operation a mapping belongs to, and what its answer does to which record.

    ``id`` is where the record's id stands in the answer; ``order`` where the call names its order; ``key`` where its
    idempotency key or external id stands; ``find`` which fields of a record must equal which places of the call for the
    record to be handed to WireMock. All but ``effect`` count for every mapping of the operation.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    operation: str | None = Field(None, min_length=1)
    shared: bool = False
    record: str | None = Field(None, min_length=1)
    collection: str | None = Field(None, min_length=1)
    effect: Effect = "none"
    id: _Place | None = None
    order: list[_Place] = Field(default_factory=list)
    key: _Place | None = None
    find: dict[str, _Place] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping: where it was read, which number it has in its file, the document itself, and what it says of itself."""

    where: str
    file: str
    index: int
    document: Mapping[str, Any]
    metadata: Metadata

    @property
    def request(self) -> Mapping[str, Any]:
        """What it matches."""
        request: Mapping[str, Any] = self.document["request"]
        return request

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""
        name = self.document.get("name")
        return name if isinstance(name, str) and name else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the mappings of one operation say together."""

    collection: str | None = None
    id: Place = field(default_factory=lambda: parse_place("$.id"))
    order: tuple[Place, ...] = ()
    key: Place = field(default_factory=lambda: parse_place("header.Idempotency-Key"))
    find: tuple[tuple[str, Place], ...] = ()


def read_metadata(document: Mapping[str, Any], where: str) -> Metadata:
    """Read ``metadata.handoff`` of a mapping; raises MappingError. Other metadata is its author's own affair."""
    metadata = document.get("metadata")
    ours = metadata.get("handoff", {}) if isinstance(metadata, dict) else {}
    try:
        return Metadata.model_validate(ours)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        at = ".".join(("metadata", "handoff", *map(str, first["loc"])))
        known = f"; known are {', '.join(Metadata.model_fields)}" if first["type"] == "extra_forbidden" else ""
        raise MappingError(where, f"{at}: {first['msg'].removeprefix('Value error, ')}{known}") from error


def build_plan(said: Iterable[Metadata]) -> Plan:
    """Merge what the mappings of one operation say: of each thing, the first that says it."""
    every = list(said)
    chosen: dict[str, Any] = {}
    for each in every:
        record = each.collection or (each.record and f"{each.record}s")
        given = {
            "collection": record,
            "id": each.id,
            "order": tuple(each.order),
            "key": each.key,
            "find": tuple(each.find.items()),
        }
        for name, value in given.items():
            if value:
                chosen.setdefault(name, value)
    return Plan(**chosen)
