"""A vendor's records: every write is journaled, linked to its order, and left out on a dry run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fakes.kit.entities import EntityIndex
    from fakes.kit.exchange import Exchange
    from fakes.kit.journal import Journal

T = TypeVar("T")


class Collection(Generic[T]):
    """
    Records of one kind by id, in order of creation.

    Records are replaced, never changed in place. ``show`` turns one into JSON without secrets; ``id`` and ``entity`` are
    added to it. ``indexes`` name further keys to find records by: functions of a record, None for none.
    """

    def __init__(
        self,
        name: str,
        *,
        show: Callable[[T], dict[str, Any]],
        journal: Journal,
        entities: EntityIndex,
        indexes: Mapping[str, Callable[[T], str | None]] | None = None,
    ) -> None:
        self.name = name
        self._show = show
        self._journal = journal
        self._entities = entities
        self._keys = dict(indexes or {})
        self.reset()

    def reset(self) -> None:
        """Forget all records, without a word in the journal."""
        self._records: dict[str, T] = {}
        self._indexes: dict[str, dict[str, dict[str, None]]] = {name: defaultdict(dict) for name in self._keys}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._records.values()))

    def get(self, record_id: str | int) -> T | None:
        """Return a record by id."""
        return self._records.get(str(record_id))

    def find(self, index: str, key: str) -> list[T]:
        """Return the records with this key, the one indexed first first."""
        return [self._records[record_id] for record_id in self._indexes[index].get(key, ())]

    def entity_of(self, record_id: str | int) -> str | None:
        """Return the order a record belongs to."""
        return self._entities.entity_of(self.link_key(record_id))

    def link_key(self, record_id: str | int) -> str:
        """Return the key under which a record is linked to its order, for Subject.records."""
        return f"{self.name}/{record_id}"

    def put(
        self, record_id: str | int, record: T, *, entity: str | None = None, exchange: Exchange | None = None
    ) -> None:
        """
        Create or replace a record and journal the change.

        Without ``entity`` a known record keeps its own. When the exchange is a dry run nothing happens.
        """
        if exchange is not None and exchange.dry_run:
            return
        key = str(record_id)
        action = "updated" if key in self._records else "created"
        self._unindex(key)
        self._records[key] = record
        for name, key_of in self._keys.items():
            value = key_of(record)
            if value is not None:
                self._indexes[name][value][key] = None
        self._entities.link(self.link_key(key), entity)
        self._note(action, key, record, exchange)

    def delete(self, record_id: str | int, *, exchange: Exchange | None = None) -> bool:
        """Remove a record and journal it; False when there is none."""
        key = str(record_id)
        if key not in self._records:
            return False
        if exchange is None or not exchange.dry_run:
            self._unindex(key)
            self._note("deleted", key, self._records.pop(key), exchange)
        return True

    def describe(self, record: T, record_id: str | int) -> dict[str, Any]:
        """Return a record as the control plane shows it."""
        return {"id": str(record_id), **self._show(record), "entity": self.entity_of(record_id)}

    def describe_all(self) -> list[dict[str, Any]]:
        """Return all records as the control plane shows them."""
        return [self.describe(record, record_id) for record_id, record in self._records.items()]

    def _unindex(self, key: str) -> None:
        old = self._records.get(key)
        if old is None:
            return
        for name, key_of in self._keys.items():
            value = key_of(old)
            if value is not None:
                self._indexes[name][value].pop(key, None)

    def _note(self, action: str, key: str, record: T, exchange: Exchange | None) -> None:
        self._journal.append(
            "change",
            collection=self.name,
            record_id=key,
            entity=self.entity_of(key),
            action=action,
            record=self.describe(record, key),
            exchange=exchange.id if exchange else None,
        )
