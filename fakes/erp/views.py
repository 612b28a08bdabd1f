"""How a record is shown: to API callers as the vendor does, and on the control plane as docs/contract.md says."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fakes.erp.model import ORDER_STATUSES
from fakes.erp.record import Line, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        document |= _build_order_fields(record)
        document["item"] = _build_sublist(record, f"{url}/item", expand=expand)
    if only is not None:
        document = {name: value for name, value in document.items() if name in only}
    return {"links": _link(url), **document}


def build_reference(record: Record, *, base_url: str) -> dict[str, Any]:
    """Build one row of a record list: id and link, nothing else."""
    return {"links": _link(f"{base_url}{RECORD_PATH}/{record.record_type.name}/{record.id}"), "id": record.id}


def build_row(record: Record) -> dict[str, Any]:
    """Build what the control plane shows of a record; amounts are decimal text with two places."""
    row: dict[str, Any] = {"external_id": record.external_id}
    if record.record_type.table == "transaction":
        row |= {
            "memo": record.fields.get("memo"),
            "total": str(record.total),
            "lines": [_build_line_row(line) for line in record.lines],
            "status": _status_of(record)["refName"],
        }
    else:
        row |= {name: record.fields.get(field) for name, field in _CUSTOMER_ROW.items()}
    return {
        **row,
        "revision": record.revision,
        "created_at": record.created_at,
        "modified_at": record.modified_at,
    }


_CUSTOMER_ROW = {"entity_id": "entityId", "company_name": "companyName", "email": "email"}


def write_moment(seconds: float) -> str:
    """Write epoch seconds as the vendor does: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status_of(record: Record) -> dict[str, str]:
    return record.fields.get("orderStatus") or {"id": "B", "refName": ORDER_STATUSES["B"]}


def _build_order_fields(record: Record) -> dict[str, Any]:
    status = _status_of(record)
    return {
        "orderStatus": status,
        "status": {"id": status["refName"], "refName": status["refName"]},
        "subtotal": float(record.subtotal),
        "total": float(record.total),
    }


def _build_sublist(record: Record, url: str, *, expand: bool) -> dict[str, Any]:
    if not expand:
        return {"links": _link(url)}
    return {
        "links": _link(url),
        "items": [
            {"links": _link(f"{url}/{line['line']}"), **{name: _plain(value) for name, value in line.items()}}
            for line in record.lines
        ],
        "totalResults": len(record.lines),
    }


def _build_line_row(line: Line) -> dict[str, Any]:
    item: Mapping[str, str] = line.get("item") or {}
    return {
        "sku": item.get("externalId") or item.get("refName") or item.get("id"),
        "quantity": _plain(line.get("quantity")),
        "price": None if line.get("rate") is None else f"{line['rate']:.2f}",
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
