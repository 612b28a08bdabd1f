"""What is remembered of a mapped vendor's records: WireMock answers, and what its answers say is kept here."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

from fakes.kit.bodies import BadBodyError, load_json, texts
from fakes.kit.ids import IdSource
from fakes.kit.records import Collection
from fakes.wiremock.places import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fakes.kit.entities import EntityIndex
    from fakes.kit.exchange import Exchange
    from fakes.kit.journal import Journal
    from fakes.wiremock.metadata import Mapped, Plan

Record = dict[str, Any]
KEY_LENGTH = 20


class Memory:
    """The records of a system by collection, and which of them was made under which key."""

    def __init__(self, plans: Iterable[Plan], *, journal: Journal, entities: EntityIndex, nonce: str) -> None:
        self._ids = IdSource(nonce)
        self._nonce = nonce
        fields: dict[str, set[str]] = {}
        for plan in plans:
            if plan.collection is not None:
                fields.setdefault(plan.collection, set()).update(name for name, _ in plan.find)
        self._collections = {
            name: Collection[Record](
                name,
                show=lambda record: record,
                journal=journal,
                entities=entities,
                indexes={each: _field(each) for each in sorted(fields[name])},
            )
            for name in sorted(fields)
        }
        self._made: dict[tuple[str, str], str] = {}

    @property
    def collections(self) -> tuple[Collection[Record], ...]:
        """Every collection."""
        return tuple(self._collections.values())

    def reset(self) -> None:
        """Forget the keys; the collections are put back by who holds them."""
        self._made.clear()

    def find(self, exchange: Exchange, plan: Plan) -> list[Record]:
        """Return the records a call is about: those its places name, else the one made under its key."""
        collection = self._collection(plan)
        if collection is None:
            return []
        if not plan.find:
            made = collection.get(self._made.get((collection.name, plan.key.read(exchange) or ""), ""))
            return [] if made is None else [made]
        wanted = [(name, place.read(exchange)) for name, place in plan.find]
        found = collection.find(wanted[0][0], wanted[0][1] or "")
        return [each for each in found if all(as_text(each.get(name)) == value for name, value in wanted)]

    def link_keys(self, exchange: Exchange, plan: Plan) -> tuple[str, ...]:
        """Return under which keys the records a call is about are linked to their orders."""
        collection = self._collection(plan)
        if collection is None:
            return ()
        ids = texts(*(self._id(record, plan) for record in self.find(exchange, plan)))
        return tuple(collection.link_key(record_id) for record_id in ids)

    def name_key(self, exchange: Exchange, plan: Plan) -> str:
        """Return the key WireMock makes ids from: the same for the same key of a call, another for each call without."""
        key = plan.key.read(exchange)
        if key is None:
            return self._ids.text("key", length=KEY_LENGTH)
        operation = exchange.operation.name if exchange.operation else ""
        return hashlib.sha256(f"{self._nonce}/{operation}/{key}".encode()).hexdigest()[:KEY_LENGTH]

    def take_in(self, exchange: Exchange, plan: Plan, mapped: Mapped, body: bytes) -> None:
        """Keep what a successful answer says, as the mapping that gave it declares."""
        collection, effect = self._collection(plan), mapped.metadata.effect
        if collection is None or effect == "none":
            return
        if effect == "delete":
            for record in self.find(exchange, plan):
                collection.delete(str(self._id(record, plan)), exchange=exchange)
            return
        record_id = plan.id.read_json(body)
        if record_id is None:
            sys.stderr.write(f"{mapped.where}: effect {effect}, but its answer is no object with an id\n")
            return
        known = collection.get(record_id)
        if effect == "create" and known is not None:
            return
        record = {**(known or {}), **_read_object(body)}
        collection.put(record_id, record, entity=exchange.entity, exchange=exchange)
        key = plan.key.read(exchange)
        if key is not None and not exchange.dry_run:
            self._made.setdefault((collection.name, key), record_id)

    def _collection(self, plan: Plan) -> Collection[Record] | None:
        return self._collections.get(plan.collection or "")

    def _id(self, record: Mapping[str, Any], plan: Plan) -> str | None:
        value: Any = record
        for step in plan.id.steps:
            value = value.get(step) if isinstance(value, dict) else None
        return as_text(value)


def _field(name: str) -> Callable[[Record], str | None]:
    return lambda record: as_text(record.get(name))


def _read_object(body: bytes) -> Record:
    try:
        value = load_json(body)
    except BadBodyError:
        return {}
    return value if isinstance(value, dict) else {}
