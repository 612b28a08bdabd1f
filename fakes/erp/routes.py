"""The calls on records and queries: what each does and answers."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fakes.erp.content import Content, ensure_json, read_content, read_validation
from fakes.erp.errors import (
    INVALID_CONTENT,
    INVALID_HEADER,
    INVALID_ID,
    INVALID_PARAMETER,
    NONEXISTENT_ID,
    RefusalError,
)
from fakes.erp.filters import build_condition
from fakes.erp.fulfilments import Fulfilments
from fakes.erp.model import ITEM_FULFILLMENT, RECORD_TYPES, SALES_ORDER, RecordType, Verb
from fakes.erp.operations import SUITEQL_PATH, TRANSFORM
from fakes.erp.paging import build_page, read_page
from fakes.erp.suiteql import read_query
from fakes.erp.views import RECORD_PATH, build_reference, build_resource
from fakes.kit.answers import Answer, build_json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.erp.record import Record
    from fakes.erp.records import RecordStore
    from fakes.kit.exchange import Exchange

SINGULAR = "application/vnd.oracle.resource+json; type=singular; charset=utf-8"
COLLECTION = "application/vnd.oracle.resource+json; type=collection; charset=utf-8"
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]+")


def build_handlers(store: RecordStore) -> dict[str, Callable[[Exchange], Answer]]:
    """Return the handler of every record and query operation, by operation name."""
    calls = _Calls(store)
    verbs: dict[Verb, Callable[[RecordType, Exchange], Answer]] = {
        "create": calls.create,
        "list": calls.list,
        "upsert": calls.upsert,
        "read": calls.read,
        "update": calls.update,
        "delete": calls.delete,
    }
    handlers: dict[str, Callable[[Exchange], Answer]] = {"suiteql.query": calls.query, TRANSFORM: calls.transform}
    for each in RECORD_TYPES.values():
        handlers |= {f"{each.operations}.{verb}": partial(verbs[verb], each) for verb in each.verbs}
    return handlers


def read_external_id(params: Mapping[str, str]) -> str | None:
    """Return the external id of an `eid:` path, decoded; None when the path has none."""
    raw = params.get("external_id")
    return None if raw is None else unquote(raw)


class _Calls:
    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._fulfilments = Fulfilments(store)

    def create(self, record_type: RecordType, exchange: Exchange) -> Answer:
        record = self._store.create(record_type, _read_body(record_type, exchange), exchange)
        return _answer_written(record, exchange)

    def upsert(self, record_type: RecordType, exchange: Exchange) -> Answer:
        external_id = _ensure_external_id(exchange)
        content = _read_body(record_type, exchange)
        if content.fields.get("externalId", external_id) != external_id:
            detail = "The externalId of the body is not the one in the URL."
            raise RefusalError(INVALID_CONTENT, detail, where={"o:errorPath": "externalId"})
        content = Content({**content.fields, "externalId": external_id}, content.lines)
        record = self._store.find_external(record_type, external_id)
        if record is None:
            return _answer_written(self._store.create(record_type, content, exchange), exchange)
        return _answer_written(self._write(record, content, exchange), exchange)

    def update(self, record_type: RecordType, exchange: Exchange) -> Answer:
        record = self._find(record_type, exchange)
        return _answer_written(self._write(record, _read_body(record_type, exchange), exchange), exchange)

    def transform(self, exchange: Exchange) -> Answer:
        order = self._find(SALES_ORDER, exchange)
        content = _read_body(ITEM_FULFILLMENT, exchange) if exchange.body else Content({}, None)
        record = self._fulfilments.fulfil(order, content, exchange, only_named=_replaces_lines(exchange))
        return _answer_written(record, exchange)

    def _write(self, record: Record, content: Content, exchange: Exchange) -> Record:
        replaces = _replaces_lines(exchange)
        if record.record_type is ITEM_FULFILLMENT:
            return self._fulfilments.change(record, content, exchange, only_named=replaces)
        return self._store.update(record, content, exchange, replace_lines=replaces)

    def delete(self, record_type: RecordType, exchange: Exchange) -> Answer:
        record = self._find(record_type, exchange)
        if record_type is ITEM_FULFILLMENT:
            self._fulfilments.remove(record, exchange)
        else:
            self._store.delete(record, exchange)
        return Answer(204)

    def read(self, record_type: RecordType, exchange: Exchange) -> Answer:
        record = self._find(record_type, exchange)
        fields = exchange.query.get("fields")
        resource = build_resource(
            record,
            base_url=_base_url(exchange),
            expand=_read_flag(exchange, "expandSubResources"),
            only=None if fields is None else frozenset(name.strip() for name in fields.split(",")),
        )
        return build_json_answer(200, resource, media_type=SINGULAR)

    def list(self, record_type: RecordType, exchange: Exchange) -> Answer:
        query = exchange.query
        page = read_page(query)
        records = [*self._store.every(record_type)]
        if "q" in query:
            fits = build_condition(record_type, query["q"])
            records = [record for record in records if fits(record)]
        base = _base_url(exchange)
        rows = [build_reference(record, base_url=base) for record in records]
        url = f"{base}{RECORD_PATH}/{record_type.name}"
        return build_json_answer(200, build_page(rows, page, url=url, query=query), media_type=COLLECTION)

    def query(self, exchange: Exchange) -> Answer:
        if "transient" not in exchange.headers.get("prefer", "").lower():
            detail = "The header Prefer is missing or has another value than transient. Provide Prefer: transient."
            raise RefusalError(INVALID_HEADER, detail, where={"o:errorHeader": "Prefer"})
        ensure_json(exchange.media_type)
        page = read_page(exchange.query)
        rows = read_query(exchange.object().get("q")).run(self._store)
        url = f"{_base_url(exchange)}{SUITEQL_PATH}"
        return build_json_answer(200, build_page(rows, page, url=url, query=exchange.query), media_type=COLLECTION)

    def _find(self, record_type: RecordType, exchange: Exchange) -> Record:
        if "external_id" in exchange.params and exchange.params["external_id"] is not None:
            record = self._store.find_external(record_type, _ensure_external_id(exchange))
        else:
            record = self._store.find(record_type, unquote(exchange.params["id"]))
        if record is None:
            raise RefusalError(NONEXISTENT_ID, where={"o:errorUrl": exchange.path})
        return record


def _ensure_external_id(exchange: Exchange) -> str:
    external_id = read_external_id(exchange.params) or ""
    if not _EXTERNAL_ID.fullmatch(external_id):
        detail = "The external ID in the URL is not valid. Use letters, digits, underscores and hyphens."
        raise RefusalError(INVALID_ID, detail, where={"o:errorUrl": exchange.path})
    return external_id


def _read_body(record_type: RecordType, exchange: Exchange) -> Content:
    validation = read_validation(exchange.headers)
    ensure_json(exchange.media_type)
    return read_content(record_type, exchange.object(), validation)


def _replaces_lines(exchange: Exchange) -> bool:
    return "item" in exchange.query.get("replace", "").split(",")


def _read_flag(exchange: Exchange, name: str) -> bool:
    value = exchange.query.get(name, "false").lower()
    if value not in {"true", "false"}:
        detail = f"Invalid query parameter value for {name}. Provide true or false."
        raise RefusalError(INVALID_PARAMETER, detail, where={"o:errorQueryParam": name})
    return value == "true"


def _answer_written(record: Record, exchange: Exchange) -> Answer:
    location = f"{_base_url(exchange)}{RECORD_PATH}/{record.record_type.name}/{record.id}"
    return Answer(204, headers=(("Location", location),))


def _base_url(exchange: Exchange) -> str:
    return f"http://{exchange.host}"
