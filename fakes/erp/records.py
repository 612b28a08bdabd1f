"""
The account's records: created, changed and deleted, each in one step.

Nothing here awaits, so calls served by one event loop cannot interleave inside a change: of many simultaneous writes with one
external id, exactly one creates the record.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fakes.erp.errors import USER_ERROR, RefusalError
from fakes.erp.model import RECORD_TYPES, SALES_ORDER
from fakes.erp.open_lines import ensure_deletable, settle
from fakes.erp.record import Record, merge_lines, set_fields
from fakes.erp.views import build_row
from fakes.kit.bodies import texts
from fakes.kit.entities import Subject
from fakes.kit.records import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.erp.content import Content
    from fakes.erp.model import RecordType
    from fakes.kit.entities import EntityIndex
    from fakes.kit.exchange import Exchange
    from fakes.kit.ids import IdSource
    from fakes.kit.journal import Journal


class RecordStore:
    """Every record of the account, by type and id, with external ids unique within a type."""

    def __init__(self, journal: Journal, entities: EntityIndex, ids: IdSource) -> None:
        self._clock = journal.clock
        self._entities = entities
        self._ids = ids
        self.collections = {
            each.name: Collection[Record](
                each.collection,
                show=build_row,
                journal=journal,
                entities=entities,
                indexes={"external_id": lambda record: record.external_id},
            )
            for each in RECORD_TYPES.values()
        }

    def find(self, record_type: RecordType, record_id: str) -> Record | None:
        """Find a record by internal id."""
        return self.collections[record_type.name].get(record_id)

    def find_external(self, record_type: RecordType, external_id: str) -> Record | None:
        """Find a record by external id."""
        return next(iter(self.collections[record_type.name].find("external_id", external_id)), None)

    def every(self, record_type: RecordType) -> Iterator[Record]:
        """Go through the records of a type in the order they were created."""
        return iter(self.collections[record_type.name])

    def link_key(self, record: Record) -> str:
        """Return the key under which a record is linked to its order."""
        return self.collections[record.record_type.name].link_key(record.id)

    def create(self, record_type: RecordType, content: Content, exchange: Exchange | None = None) -> Record:
        """Create a record; raises RefusalError (`USER_ERROR`) when its external id is taken."""
        given = set_fields({}, content.fields)
        self.ensure_free(record_type, given.get("externalId"))
        record_id = str(self._ids.number(record_type.name, digits=10))
        now = self._clock.wall()
        fields = {**_name_record(record_type, record_id, now), **given}
        record = Record(record_id, record_type, fields, merge_lines((), content.lines or ()), now, now)
        self._put(record, exchange)
        return record

    def update(
        self, record: Record, content: Content, exchange: Exchange | None = None, *, replace_lines: bool = False
    ) -> Record:
        """
        Write `content` over a record; with `replace_lines` the lines it does not name go.

        Raises RefusalError (`USER_ERROR`) when the external id it sets is another record's, or a sales order is left with less than was
        fulfilled of it.
        """
        fields = set_fields(record.fields, content.fields)
        self.ensure_free(record.record_type, fields.get("externalId"), owner=record.id)
        lines = record.lines
        if content.lines is not None:
            lines = merge_lines(lines, content.lines, keep_unnamed=not replace_lines)
        changed = replace(
            record,
            fields=fields,
            lines=lines,
            modified_at=max(self._clock.wall(), record.modified_at),
            revision=record.revision + 1,
        )
        if record.record_type is SALES_ORDER:
            changed = settle(record, changed)
        self._put(changed, exchange)
        return changed

    def delete(self, record: Record, exchange: Exchange | None = None) -> None:
        """Delete a record; its external id becomes free again. Raises RefusalError for a sales order that was begun to be fulfilled."""
        if record.record_type is SALES_ORDER:
            ensure_deletable(record)
        self.collections[record.record_type.name].delete(record.id, exchange=exchange)

    def ensure_free(self, record_type: RecordType, external_id: str | None, *, owner: str | None = None) -> None:
        """Raise RefusalError (`USER_ERROR`) when an external id is taken by a record other than `owner`, an internal id."""
        taken = self.find_external(record_type, external_id) if external_id else None
        if taken is not None and taken.id != owner:
            raise RefusalError(USER_ERROR, build_duplicate_text(record_type))

    def _put(self, record: Record, exchange: Exchange | None) -> None:
        entity = exchange.entity if exchange else self._entities.resolve(build_subject(record))
        self.collections[record.record_type.name].put(record.id, record, entity=entity, exchange=exchange)


def build_subject(record: Record) -> Subject:
    """Return what a record itself says about whom it concerns."""
    references = texts(*(record.fields.get(name) for name in record.record_type.references))
    return Subject(references=references, external_id=record.external_id)


def build_duplicate_text(record_type: RecordType) -> str:
    """Return what the vendor says of a second record with one external id: entities and transactions differ in a word."""
    return f"Error while accessing a resource. This {record_type.noun} already exists."


def _name_record(record_type: RecordType, record_id: str, now: float) -> dict[str, Any]:
    if record_type.table == "transaction":
        return {
            "tranId": f"{record_type.prefix}{record_id}",
            "tranDate": datetime.fromtimestamp(now, UTC).date().isoformat(),
        }
    return {"entityId": f"{record_type.prefix}{record_id}"}
