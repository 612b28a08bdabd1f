"""Whom a call concerns: the references its body and path carry, and the record it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fakes.erp.model import RECORD_TYPES
from fakes.erp.routes import read_external_id
from fakes.kit.bodies import BadBodyError, texts
from fakes.kit.entities import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.erp.records import RecordStore
    from fakes.kit.exchange import Exchange


def build_subject_of(store: RecordStore) -> Callable[[Exchange], Subject]:
    """Return the function that reads a call's subject; a body that cannot be read says nothing."""

    def read_subject(exchange: Exchange) -> Subject:
        name = exchange.operation.name.partition(".")[0] if exchange.operation else ""
        record_type = next((each for each in RECORD_TYPES.values() if each.operations == name), None)
        if record_type is None or exchange.shared:
            return Subject()
        body = _read_object(exchange)
        path_id = read_external_id(exchange.params)
        record_id = exchange.params.get("id")
        if path_id is not None:
            record = store.find_external(record_type, path_id)
        else:
            record = store.find(record_type, unquote(record_id)) if record_id else None
        external_id = (
            path_id or next(iter(texts(body.get("externalId"))), None) or (record.external_id if record else None)
        )
        return Subject(
            references=texts(path_id, *(body.get(field) for field in record_type.references)),
            records=(store.link_key(record),) if record else (),
            external_id=external_id,
            key=external_id,
        )

    return read_subject


def _read_object(exchange: Exchange) -> dict[str, Any]:
    if not exchange.body:
        return {}
    try:
        return exchange.object()
    except BadBodyError:
        return {}
