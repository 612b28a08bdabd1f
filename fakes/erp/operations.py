"""The calls this vendor offers and what can go wrong with them, as the catalogue shows them."""

from collections.abc import Iterator

from fakes.erp.errors import CODES, TOKEN_CODES
from fakes.erp.model import ITEM_FULFILLMENT, RECORD_TYPES, SALES_ORDER, RecordType, Verb
from fakes.erp.oauth2 import TOKEN_PATH
from fakes.erp.views import RECORD_PATH
from fakes.kit.catalogue import Catalogue, Operation

SUITEQL_PATH = "/services/rest/query/v1/suiteql"
_BY_ID = r"(?P<id>(?!eid(?::|%3[Aa]))[^/]+)"
_BY_EXTERNAL_ID = r"eid(?::|%3[Aa])(?P<external_id>[^/]+)"


TRANSFORM = "item_fulfillment.transform"
_HINTS = {
    "sales_order.create": "order-to-erp",
    "sales_order.upsert": "order-to-erp",
    TRANSFORM: "shipment-to-erp",
    "credit_memo.create": "refund-to-erp",
    "credit_memo.upsert": "refund-to-erp",
}


def _build_operations(record_type: RecordType) -> Iterator[Operation]:
    many = _build_path(record_type)
    one = f"{many}/(?:{_BY_EXTERNAL_ID}|{_BY_ID})"
    calls: dict[Verb, tuple[str, str]] = {
        "create": ("POST", many),
        "list": ("GET", many),
        "upsert": ("PUT", f"{many}/{_BY_EXTERNAL_ID}"),
        "read": ("GET", one),
        "update": ("PATCH", one),
        "delete": ("DELETE", one),
    }
    for verb in record_type.verbs:
        name, (method, path) = f"{record_type.operations}.{verb}", calls[verb]
        yield Operation(name, method, path, shared=verb == "list", handoff_hint=_HINTS.get(name))


def _build_transform() -> Operation:
    source, target = _build_path(SALES_ORDER), ITEM_FULFILLMENT.name
    path = f"{source}/(?:{_BY_EXTERNAL_ID}|{_BY_ID})/(?:!|%21)transform/(?i:{target})"
    return Operation(TRANSFORM, "POST", path, handoff_hint=_HINTS[TRANSFORM])


def _build_path(record_type: RecordType) -> str:
    # The vendor's own samples write record names in either case.
    return f"{RECORD_PATH}/(?i:{record_type.name})"


def type_of(operation: str) -> RecordType | None:
    """Return the record type an operation is about, None for those about none."""
    name = operation.partition(".")[0]
    return next((each for each in RECORD_TYPES.values() if each.operations == name), None)


def build_catalogue() -> Catalogue:
    """Build the catalogue of the ERP."""
    return Catalogue(
        system="erp",
        operations=(
            Operation("token.create", "POST", TOKEN_PATH, shared=True),
            Operation("suiteql.query", "POST", SUITEQL_PATH, shared=True),
            *(operation for each in RECORD_TYPES.values() for operation in _build_operations(each)),
            _build_transform(),
        ),
        codes=CODES + TOKEN_CODES,
        open_codes=True,  # scripts of the account throw codes of their own
    )
