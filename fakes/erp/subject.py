"""Whom a call concerns: the references its body and path carry, and the record it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fakes.erp.model import CREDIT_MEMO, ITEM_FULFILLMENT, SALES_ORDER, RecordType
from fakes.erp.operations import TRANSFORM, type_of
from fakes.erp.routes import read_external_id
from fakes.kit.bodies import BadBodyError, dig, texts
from fakes.kit.entities import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.erp.record import Record
    from fakes.erp.records import RecordStore
    from fakes.kit.exchange import Exchange


def build_subject_of(store: RecordStore) -> Callable[[Exchange], Subject]:
    """Return the function that reads a call's subject; a body that cannot be read says nothing."""

    def read_subject(exchange: Exchange) -> Subject:
        name = exchange.operation.name if exchange.operation else ""
        record_type = type_of(name)
        if record_type is None or exchange.shared:
            return Subject()
        body = _read_object(exchange)
        if name == TRANSFORM:
            return _read_transform(store, exchange, body)
        path_id = read_external_id(exchange.params)
        record = _find_named(store, record_type, exchange)
        external_id = path_id or _read_key(body) or (record.external_id if record else None)
        source = _find_source(store, record_type, body)
        return Subject(
            references=texts(path_id, *_list_references(record_type, body), dig(body, "createdFrom", "externalId")),
            records=tuple(store.link_key(each) for each in (record, source) if each),
            external_id=external_id,
            key=external_id,
        )

    return read_subject


def _read_transform(store: RecordStore, exchange: Exchange, body: Mapping[str, Any]) -> Subject:
    """Read whom a fulfilment concerns: its sales order's order; what the body says counts only where that order says nothing."""
    path_id, order = read_external_id(exchange.params), _find_named(store, SALES_ORDER, exchange)
    said = _list_references(SALES_ORDER, order.fields) if order else ()
    return Subject(
        references=texts(*said, path_id, *_list_references(ITEM_FULFILLMENT, body)),
        records=(store.link_key(order),) if order else (),
        external_id=path_id or _read_key(body),
        key=_read_key(body),
    )


def _find_named(store: RecordStore, record_type: RecordType, exchange: Exchange) -> Record | None:
    path_id, record_id = read_external_id(exchange.params), exchange.params.get("id")
    if path_id is not None:
        return store.find_external(record_type, path_id)
    return store.find(record_type, unquote(record_id)) if record_id else None


def _find_source(store: RecordStore, record_type: RecordType, body: Mapping[str, Any]) -> Record | None:
    """Find the sales order a credit memo says it comes from."""
    if record_type is not CREDIT_MEMO:
        return None
    given = body.get("createdFrom")
    record_id, external_id = (
        (given, None) if not isinstance(given, dict) else (given.get("id"), given.get("externalId"))
    )
    for text in texts(record_id):
        return store.find(SALES_ORDER, text)
    for text in texts(external_id):
        return store.find_external(SALES_ORDER, text)
    return None


def _list_references(record_type: RecordType, fields: Mapping[str, Any]) -> tuple[str, ...]:
    return texts(*(fields.get(name) for name in record_type.references))


def _read_key(body: Mapping[str, Any]) -> str | None:
    return next(iter(texts(body.get("externalId"))), None)


def _read_object(exchange: Exchange) -> dict[str, Any]:
    if not exchange.body:
        return {}
    try:
        return exchange.object()
    except BadBodyError:
        return {}
