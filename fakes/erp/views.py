"""How a record is shown: to API callers as the vendor does, and on the control plane as docs/contract.md says."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fakes.erp.open_lines import fulfilled_of
from fakes.erp.record import Line, Record
from fakes.kit.bodies import dig, texts

RECORD_PATH = "/services/rest/record/v1"


def build_resource(record: Record, *, base_url: str, expand: bool, only: frozenset[str] | None) -> dict[str, Any]:
    """
    Build the document a read answers with.

    Item lines are a link unless `expand`; `only` names the body fields wanted, None meaning all.
    """
    url = f"{base_url}{RECORD_PATH}/{record.record_type.name}/{record.id}"
    document: dict[str, Any] = {
        "id": record.id,
        **{name: _plain(value) for name, value in record.fields.items()},
        "createdDate": write_moment(record.created_at),
        "lastModifiedDate": write_moment(record.modified_at),
    }
    if record.record_type.table == "transaction":
        document |= _BUILDERS[record.record_type.name](record)
        document["status"] = {"id": record.status["refName"], "refName": record.status["refName"]}
        document["item"] = _build_sublist(record, f"{url}/item", expand=expand)
    if only is not None:
        document = {name: value for name, value in document.items() if name in only}
    return {"links": _link(url), **document}


def build_reference(record: Record, *, base_url: str) -> dict[str, Any]:
    """Build one row of a record list: id and link, nothing else."""
    return {"links": _link(f"{base_url}{RECORD_PATH}/{record.record_type.name}/{record.id}"), "id": record.id}


def build_row(record: Record) -> dict[str, Any]:
    """Build what the control plane shows of a record; amounts are decimal text with two places."""
    return {
        "external_id": record.external_id,
        **_ROWS[record.record_type.name](record),
        "revision": record.revision,
        "created_at": record.created_at,
        "modified_at": record.modified_at,
    }


def write_moment(seconds: float) -> str:
    """Write epoch seconds as the vendor does: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _build_order_fields(record: Record) -> dict[str, Any]:
    return {"orderStatus": record.status, "subtotal": float(record.subtotal), "total": float(record.total)}


def _build_fulfilment_fields(record: Record) -> dict[str, Any]:
    return {"shipStatus": record.status}


def _build_credit_fields(record: Record) -> dict[str, Any]:
    total = float(record.total)
    return {"subtotal": float(record.subtotal), "total": total, "applied": 0.0, "unapplied": total}


_BUILDERS: Mapping[str, Callable[[Record], dict[str, Any]]] = {
    "salesOrder": _build_order_fields,
    "itemFulfillment": _build_fulfilment_fields,
    "creditMemo": _build_credit_fields,
}


def _build_sublist(record: Record, url: str, *, expand: bool) -> dict[str, Any]:
    if not expand:
        return {"links": _link(url)}
    more = _MORE_OF_LINES[record.record_type.name]
    return {
        "links": _link(url),
        "items": [
            {
                "links": _link(f"{url}/{line['line']}"),
                **{name: _plain(value) for name, value in line.items()},
                **more(line),
            }
            for line in record.lines
        ],
        "totalResults": len(record.lines),
    }


_MORE_OF_LINES: Mapping[str, Callable[[Line], dict[str, Any]]] = {
    "salesOrder": lambda line: {"quantityFulfilled": _plain(fulfilled_of(line))},
    "itemFulfillment": lambda _: {"itemReceive": True},
    "creditMemo": lambda _: {},
}


def _build_customer_row(record: Record) -> dict[str, Any]:
    names = {"entity_id": "entityId", "company_name": "companyName", "email": "email"}
    return {name: record.fields.get(field) for name, field in names.items()}


def _build_order_row(record: Record) -> dict[str, Any]:
    row = _build_credit_row(record)
    fulfilled = [_plain(fulfilled_of(line)) for line in record.lines]
    row["lines"] = [{**line, "fulfilled": done} for line, done in zip(row["lines"], fulfilled, strict=True)]
    return row


def _build_credit_row(record: Record) -> dict[str, Any]:
    prices = [None if line.get("rate") is None else f"{line['rate']:.2f}" for line in record.lines]
    return {
        "memo": record.fields.get("memo"),
        "total": str(record.total),
        "lines": [{**_build_line_row(line), "price": price} for line, price in zip(record.lines, prices, strict=True)],
        "status": record.status["refName"],
    }


def _build_fulfilment_row(record: Record) -> dict[str, Any]:
    source = record.fields["createdFrom"]
    return {
        "sales_order": source.get("externalId") or source["id"],
        "memo": record.fields.get("memo"),
        "tracking": " ".join(_read_tracking(record)) or None,
        "lines": [_build_line_row(line) for line in record.lines],
        "status": record.status["refName"],
    }


_ROWS: Mapping[str, Callable[[Record], dict[str, Any]]] = {
    "salesOrder": _build_order_row,
    "customer": _build_customer_row,
    "itemFulfillment": _build_fulfilment_row,
    "creditMemo": _build_credit_row,
}


def _read_tracking(record: Record) -> tuple[str, ...]:
    packages = dig(record.fields.get("package"), "items")
    numbers = [dig(each, "packageTrackingNumber") for each in packages] if isinstance(packages, list) else []
    return texts(*numbers) or texts(record.fields.get("linkedTrackingNumbers"))


def _build_line_row(line: Line) -> dict[str, Any]:
    item: Mapping[str, str] = line.get("item") or {}
    return {
        "sku": item.get("externalId") or item.get("refName") or item.get("id"),
        "quantity": _plain(line.get("quantity")),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _link(url: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": url}]
